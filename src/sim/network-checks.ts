/** Networks as the nodes have them: no address twice, nobody started unknown or stopped while others still send to it. */
import { NETWORK_PHASE } from "../api/index.js";
import type { StoreView } from "../store/index.js";
import type { KnownTask, SimWorker } from "./sim-worker.js";

type Worker = Pick<SimWorker, "nodeId" | "containers" | "networks" | "isSteady">;

/** A node that was disturbed is left alone this long: it may have been waited for in vain. */
const STEADY_MS = 12_000;
/** A node that is down is said to be, to all that a leader reaches, within this time. */
const TELL_MAX_MS = 3_000;

export class NetworkChecks {
  readonly violations: string[] = [];
  readonly #store: StoreView;
  readonly #workers: ReadonlyMap<string, Worker>;

  constructor(store: StoreView, workers: ReadonlyMap<string, Worker>) {
    this.#store = store;
    this.#workers = workers;
  }

  /** A container starts: whoever holds its address must not run any more, and steady nodes know its endpoint if they are said to. */
  started(worker: Worker, task: KnownTask): void {
    for (const { networkId, address } of task.networks) {
      const holder = this.#holderOf(networkId, address, task.id);
      if (holder !== undefined)
        this.violations.push(
          `${task.id} starts on ${worker.nodeId} with ${address}, which ${holder} has`,
        );
      // A node that does not know yet that it was removed.
      if (task.phase !== NETWORK_PHASE.announced || !this.#store.node(worker.nodeId)) continue;
      for (const other of this.#steadyOn(networkId, worker)) {
        const isKnown = other.networks?.endpoints.some(
          (one) => one.taskId === task.id && one.networkId === networkId,
        );
        if (isKnown !== true)
          this.violations.push(
            `${task.id} starts, announced, and ${other.nodeId} has no ${address}`,
          );
      }
    }
  }

  /** A container is stopped as a manager wants it: nobody may still send to it. */
  stopped(worker: Worker, task: KnownTask): void {
    if (task.phase < NETWORK_PHASE.announced || !worker.isSteady(STEADY_MS)) return;
    for (const { networkId } of task.networks) {
      // Deleted under its last tasks: nobody is waited for.
      if (!this.#store.network(networkId)) continue;
      for (const other of this.#steadyOn(networkId, worker)) {
        const entry = other.networks?.endpoints.find(
          (one) => one.taskId === task.id && one.networkId === networkId,
        );
        if (entry?.isBackend === true)
          this.violations.push(
            `${task.id} is stopped on ${worker.nodeId} while ${other.nodeId} sends to it`,
          );
      }
    }
  }

  /** Once per step; `leadsForMs`: so long has a leader been there undisturbed. */
  look(wallMs: number, leadsForMs: number): void {
    if (leadsForMs < STEADY_MS) return;
    for (const worker of this.#workers.values()) {
      if (!worker.isSteady(STEADY_MS) || !worker.networks || !this.#store.node(worker.nodeId))
        continue;
      const down = new Set(
        worker.networks.nodes.filter((node) => node.isDown).map((n) => n.nodeId),
      );
      for (const { nodeId, isBackend, taskId } of worker.networks.endpoints) {
        const node = this.#store.node(nodeId);
        const isLate = node?.state === "down" && wallMs - node.downSinceMs > TELL_MAX_MS;
        if (isBackend && isLate && !down.has(nodeId))
          this.violations.push(`${worker.nodeId} sends to ${taskId} on ${nodeId}, which is down`);
      }
    }
  }

  /** A removed node is on its own: its containers may run on, unknown to all. */
  #holderOf(networkId: string, address: string, exceptId: string): string | undefined {
    for (const worker of this.#workers.values()) {
      if (!this.#store.node(worker.nodeId)) continue;
      for (const container of worker.containers.values())
        if (
          container.id !== exceptId &&
          container.networks.some((one) => one.networkId === networkId && one.address === address)
        )
          return `${container.id} on ${worker.nodeId}`;
    }
    return undefined;
  }

  *#steadyOn(networkId: string, except: Worker): Iterable<Worker> {
    for (const worker of this.#workers.values())
      if (
        worker !== except &&
        worker.isSteady(STEADY_MS) &&
        this.#store.node(worker.nodeId)?.state === "ready" &&
        worker.networks?.networks.some(({ id }) => id === networkId) === true
      )
        yield worker;
  }
}
