/** Ports inside the manager process, and what it offers to the REST door. */
import type { Duplex } from "node:stream";
import type { Node, Operation, OperationKind, Requester, ResultOf } from "../api/index.js";
import type { Clock, Logger, Random } from "../base/index.js";
import type {
  Journal,
  JournalEntry,
  JournalLag,
  JournalQuery,
  Position,
} from "../journal/index.js";
import type { Proposer, Store, StoreView } from "../store/index.js";

/** Handed to every leader loop. `signal` aborts within one tick of losing leadership. */
export type LeaderContext = {
  readonly store: Store;
  readonly proposer: Proposer;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly signal: AbortSignal;
};

/** A leader loop: resumes from stored state alone, returns when the signal aborts. */
export type LeaderLoop = (context: LeaderContext) => Promise<void>;

/** What control needs of the Raft group. Implemented by the manager shell over raft-ts. */
export interface Membership {
  members(): readonly {
    readonly memberId: string;
    readonly nodeId: string;
    readonly addr: string;
    readonly isLearner: boolean;
  }[];
  /** Members that answered within one election timeout, this one included. */
  reachable(): ReadonlySet<string>;
  leaderMemberId(): string | undefined;
  /** Adds as learner, waits until it has caught up, promotes. Safe to repeat with the same memberId. */
  add(member: {
    readonly memberId: string;
    readonly nodeId: string;
    readonly addr: string;
  }): Promise<void>;
  remove(memberId: string): Promise<void>;
}

export type OperationCall = {
  readonly requestId: string;
  /** Verified node id of the manager or node that asks; "" for a local call. */
  readonly callerNodeId: string;
  readonly signal: AbortSignal;
  /** For the journal; absent: the operation says who it is itself. */
  readonly requester?: Requester;
};

/** Executes operations on the leader: validation, one transaction each. */
export interface OperationExecutor {
  /** Rejects with ApiError. `index` is the log index of the write. */
  execute<K extends OperationKind>(
    operation: Extract<Operation, { kind: K }>,
    call: OperationCall,
  ): Promise<{ readonly index: number; readonly result: ResultOf<K> }>;
}

/** What a node's containers use together, measured by the node. */
export type NodeUsage = {
  readonly nodeId: string;
  /** CPU ns per second, on average since the measurement before. */
  readonly cpuNano: number;
  /** Without page cache that can be given back at once. */
  readonly memBytes: number;
  /** Unix ms. */
  readonly atMs: number;
};

/** Live facts of a node that are not in the store. */
export type ReachabilityOf = (node: Node) => {
  readonly isLeader: boolean;
  readonly reachability: "unknown" | "unreachable" | "reachable";
};

/** The journal as `src/rest` reads it. */
export type ClusterJournal = Pick<Journal, "follow" | "lag"> & {
  /**
   * Entries in their order, each once: of this manager's files, and where these hold nothing of the other managers' and of the Redis
   * Stream, if one is set. Their failures end nothing: `onNotice` gets a sentence on what may be missing, within 2 s and before what
   * comes behind it. Once the signal aborts, nobody is asked any more.
   */
  read(
    query: JournalQuery,
    onNotice?: (text: string) => void,
    signal?: AbortSignal,
  ): AsyncIterable<JournalEntry>;
  /** Place of the newest entry, once all that this manager's store has applied is in the journal. */
  tail(): Promise<Position>;
  /** Of the Redis Stream; undefined while none is set or this manager does not lead. */
  redisLag(): JournalLag | undefined;
};

/** The manager as `src/rest` sees it. */
export interface ClusterApi {
  readonly nodeId: string;
  /** This node's own log and store: for watching; not linearizable by itself. */
  readonly store: Store;
  /** Linearizable: resolves when the local store has reached the read index. ApiError Unknown "… does not have a leader …" at once after 1 s without one. */
  read(signal?: AbortSignal): Promise<StoreView>;
  /**
   * Here when leading, else on the leader; within the 20 s budget, exactly once by a requestId made here. `client` is what the
   * caller calls itself (its User-Agent), for the journal.
   */
  submit<K extends OperationKind>(
    operation: Extract<Operation, { kind: K }>,
    signal?: AbortSignal,
    client?: string,
  ): Promise<ResultOf<K>>;
  readonly reachabilityOf: ReachabilityOf;
  /** A byte stream to the node's local Engine API socket (HTTP/1.1 on it). Rejects ApiError Unavailable naming the node. */
  connectNode(nodeId: string, signal?: AbortSignal): Promise<Duplex>;
  /** By node id: what containers use, from the leader. Nodes it has not heard of lately are left out, as are all when it does not answer. */
  nodeUsages(): Promise<ReadonlyMap<string, NodeUsage>>;
  leader(): { readonly nodeId: string; readonly addr: string } | undefined;
  /** Every change of the cluster in order, as this manager saw it. */
  readonly journal: ClusterJournal;
  /** Raft's current term on this manager. */
  readonly raftTerm: number;
  /** How often a node did not confirm a change of its networks in time while this manager led. */
  readonly lateNodeCount: number;
  /** Called at each of Raft's ticks with how many ms late it came. */
  subscribeTicks(listener: (latenessMs: number) => void): () => void;
}
