/** What the rooms above rely on of the replicated store. */
import type {
  ApplyOutcome,
  Cluster,
  Config,
  Network,
  Node,
  ObjectOf,
  Requester,
  Secret,
  Service,
  TableName,
  Task,
  Transaction,
} from "../api/index.js";

/**
 * Reads of the state as of `index`. Results are immutable and may be kept. Iteration order is by id, the same on
 * every node. Arrays returned are snapshots of the index at the time of the call.
 */
export interface StoreView {
  /** Log index of the last applied entry. */
  readonly index: number;
  cluster(): Cluster | undefined;
  node(id: string): Node | undefined;
  nodes(): readonly Node[];
  service(id: string): Service | undefined;
  /** Case-insensitive. */
  serviceByName(name: string): Service | undefined;
  services(): readonly Service[];
  task(id: string): Task | undefined;
  tasks(): readonly Task[];
  tasksByService(serviceId: string): readonly Task[];
  tasksByNode(nodeId: string): readonly Task[];
  tasksBySlot(serviceId: string, slot: number): readonly Task[];
  network(id: string): Network | undefined;
  networkByName(name: string): Network | undefined;
  networks(): readonly Network[];
  /**
   * Addresses of the network that were in use and are not any more → Unix ms of that, longest free first. A hint, forgotten with
   * a restart: who allocates wants them to rest for a while.
   */
  freedAddresses(networkId: string): ReadonlyMap<string, number>;
  secret(id: string): Secret | undefined;
  secretByName(name: string): Secret | undefined;
  secrets(): readonly Secret[];
  config(id: string): Config | undefined;
  configByName(name: string): Config | undefined;
  configs(): readonly Config[];
  /** Result kept for a requestId (last 10,000, 10 minutes). */
  storedResult(
    requestId: string,
  ): { readonly index: number; readonly resultJson: string } | undefined;
}

export type StoreEvent = {
  [T in TableName]:
    | { readonly table: T; readonly kind: "created"; readonly object: ObjectOf[T] }
    | {
        readonly table: T;
        readonly kind: "updated";
        readonly object: ObjectOf[T];
        readonly old: ObjectOf[T];
      }
    | { readonly table: T; readonly kind: "removed"; readonly old: ObjectOf[T] };
}[TableName];

/** Of the transaction behind a batch: the same on every node. */
export type BatchOrigin = {
  /** Unix ms by the clock of the leader that proposed it. */
  readonly atMs: number;
  readonly requester: Requester | undefined;
};

/** All events of one applied entry, in the order of its changes. `kind: "restored"`: look at everything anew. */
export type StoreBatch =
  | {
      readonly kind: "changes";
      readonly index: number;
      readonly events: readonly StoreEvent[];
      /** Present when there are events. */
      readonly origin?: BatchOrigin;
    }
  | { readonly kind: "restored"; readonly index: number };

export interface Store extends StoreView {
  /**
   * Called synchronously after each applied entry, in log order, with no gap and no repeat. Listeners must be quick and must
   * not throw; they see the state after the batch.
   */
  subscribe(listener: (batch: StoreBatch) => void): () => void;
}

/** The store as the Raft loop drives it. */
export interface ReplicatedStore extends Store {
  /** Applies one encoded transaction. Never throws for a bad one: unknown formats and failed preconditions are rejections. */
  apply(index: number, bytes: Uint8Array): ApplyOutcome;
  /** The state as of the call, at a cost of about 1/500 of a reference copy of the tasks; encoded in slices ≤ 4 ms while drained. */
  snapshot(): AsyncIterable<Uint8Array>;
  restore(chunks: AsyncIterable<Uint8Array>): Promise<void>;
}

/** Rejected by a precondition, or not accepted by Raft. */
export interface Proposer {
  /**
   * Leader only. Resolves once committed on a quorum's disks and applied here. Rejects with ProposeError.
   */
  propose(
    transaction: Transaction,
    signal?: AbortSignal,
  ): Promise<{ readonly index: number; readonly resultJson: string }>;
}

export type ProposeErrorCode =
  | "REJECTED"
  | "NOT_LEADER"
  | "OUTCOME_UNKNOWN"
  | "OVERLOADED"
  | "TOO_LARGE"
  | "STOPPED";
