import {
  type ApplyOutcome,
  type Cluster,
  CodecError,
  type Config,
  decodeTransaction,
  type Network,
  type Node,
  type Secret,
  type Service,
  type Task,
  type Transaction,
} from "../api/index.js";
import { invariant } from "../base/index.js";
import { applyChange } from "./changes.js";
import { KeptResults } from "./kept-results.js";
import type { BatchOrigin, ReplicatedStore, StoreBatch, StoreEvent } from "./port.js";
import { firstRejection } from "./preconditions.js";
import { decodeSnapshot } from "./snapshot-reader.js";
import { encodeSnapshot } from "./snapshot-writer.js";
import { Tables } from "./tables.js";
import type { Pace } from "./time-slice.js";

type Execution = {
  readonly outcome: ApplyOutcome;
  readonly events: readonly StoreEvent[];
  readonly origin?: BatchOrigin;
};

/**
 * The replicated object store. State is a function of the applied entries alone: no clock, no chance, no dependence on the
 * order in which maps were filled. Every applied entry, also a rejected or empty one, is one batch for listeners.
 */
export class ClusterStore implements ReplicatedStore {
  readonly #pace: Pace;
  readonly #listeners = new Set<(batch: StoreBatch) => void>();
  #tables = new Tables();
  #results = new KeptResults();
  #index = 0;
  #isPublishing = false;

  constructor(pace: Pace) {
    this.#pace = pace;
  }

  get index(): number {
    return this.#index;
  }

  /**
   * Entries come in log order; indexes may have gaps (configuration entries). An entry of no bytes only moves the index.
   */
  apply(index: number, bytes: Uint8Array): ApplyOutcome {
    invariant(
      Number.isSafeInteger(index) && index > this.#index,
      `entry ${index} applied after ${this.#index}`,
    );
    invariant(!this.#isPublishing, `entry ${index} applied by a listener of ${this.#index}`);
    const { outcome, events, origin } = this.#execute(index, bytes);
    this.#index = index;
    this.#publish({ kind: "changes", index, events, ...(origin && { origin }) });
    return outcome;
  }

  subscribe(listener: (batch: StoreBatch) => void): () => void {
    // An own function per subscription: the same listener may subscribe twice.
    const entry = (batch: StoreBatch): void => {
      listener(batch);
    };
    this.#listeners.add(entry);
    return () => {
      this.#listeners.delete(entry);
    };
  }

  /** The state as of this call, encoded while it is drained. */
  snapshot(): AsyncIterable<Uint8Array> {
    const tables = this.#tables;
    const frame = {
      index: this.#index,
      clusters: tables.cluster.list(),
      nodes: tables.node.list(),
      services: tables.service.list(),
      networks: tables.network.list(),
      secrets: tables.secret.list(),
      configs: tables.config.list(),
      tasks: tables.task.freeze(),
      results: this.#results.list(),
    };
    return encodeSnapshot(frame, this.#pace);
  }

  /** Rejects with SnapshotError, or what the chunks reject with, and changes nothing then. Readers see the old state until it is done. */
  async restore(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const startIndex = this.#index;
    const state = await decodeSnapshot(chunks, this.#pace);
    invariant(this.#index === startIndex, `entry ${this.#index} applied during a restore`);
    this.#tables = state.tables;
    this.#results = state.results;
    this.#index = state.index;
    this.#publish({ kind: "restored", index: state.index });
  }

  #execute(index: number, bytes: Uint8Array): Execution {
    if (bytes.length === 0)
      return { outcome: { kind: "applied", index, resultJson: "" }, events: [] };
    let transaction: Transaction;
    try {
      transaction = decodeTransaction(bytes);
    } catch (error) {
      if (!(error instanceof CodecError)) throw error;
      const precondition = { kind: "decodable" } as const;
      const rejection = { code: "BAD_FORMAT", precondition, conflictsWith: [] } as const;
      return { outcome: { kind: "rejected", index, rejection }, events: [] };
    }
    const { requestId, resultJson, atMs, isClient } = transaction;
    const kept = requestId === "" ? undefined : this.#results.get(requestId);
    if (kept)
      return {
        outcome: { kind: "applied", index: kept.index, resultJson: kept.resultJson },
        events: [],
      };
    const rejection = firstRejection(this.#tables, transaction.preconditions);
    if (rejection) return { outcome: { kind: "rejected", index, rejection }, events: [] };
    const events: StoreEvent[] = [];
    for (const change of transaction.changes) {
      const event = applyChange(this.#tables, change, { index, atMs, isClient });
      if (event) events.push(event);
    }
    if (requestId !== "") this.#results.add({ requestId, atMs, index, resultJson });
    const outcome = { kind: "applied", index, resultJson } as const;
    if (events.length === 0) return { outcome, events };
    return { outcome, events, origin: { atMs, requester: transaction.requester } };
  }

  #publish(batch: StoreBatch): void {
    this.#isPublishing = true;
    try {
      // A copy: who subscribes in reaction to a batch starts with the next one.
      for (const listener of [...this.#listeners]) listener(batch);
    } finally {
      this.#isPublishing = false;
    }
  }

  cluster(): Cluster | undefined {
    return this.#tables.cluster.list()[0];
  }

  node(id: string): Node | undefined {
    return this.#tables.node.get(id);
  }

  nodes(): readonly Node[] {
    return this.#tables.node.list();
  }

  service(id: string): Service | undefined {
    return this.#tables.service.get(id);
  }

  serviceByName(name: string): Service | undefined {
    return this.#tables.service.byName(name);
  }

  services(): readonly Service[] {
    return this.#tables.service.list();
  }

  task(id: string): Task | undefined {
    return this.#tables.task.get(id);
  }

  tasks(): readonly Task[] {
    return this.#tables.task.list();
  }

  tasksByService(serviceId: string): readonly Task[] {
    return this.#tables.task.byService(serviceId);
  }

  tasksByNode(nodeId: string): readonly Task[] {
    return this.#tables.task.byNode(nodeId);
  }

  tasksBySlot(serviceId: string, slot: number): readonly Task[] {
    return this.#tables.task.bySlot(serviceId, slot);
  }

  network(id: string): Network | undefined {
    return this.#tables.network.get(id);
  }

  networkByName(name: string): Network | undefined {
    return this.#tables.network.byName(name);
  }

  networks(): readonly Network[] {
    return this.#tables.network.list();
  }

  freedAddresses(networkId: string): ReadonlyMap<string, number> {
    return this.#tables.addresses.freed(networkId);
  }

  secret(id: string): Secret | undefined {
    return this.#tables.secret.get(id);
  }

  secretByName(name: string): Secret | undefined {
    return this.#tables.secret.byName(name);
  }

  secrets(): readonly Secret[] {
    return this.#tables.secret.list();
  }

  config(id: string): Config | undefined {
    return this.#tables.config.get(id);
  }

  configByName(name: string): Config | undefined {
    return this.#tables.config.byName(name);
  }

  configs(): readonly Config[] {
    return this.#tables.config.list();
  }

  storedResult(
    requestId: string,
  ): { readonly index: number; readonly resultJson: string } | undefined {
    const kept = this.#results.get(requestId);
    return kept && { index: kept.index, resultJson: kept.resultJson };
  }
}
