/**
 * Public types of raft-ts: what an embedding program hands in (ports) and what it gets back.
 * Nothing here knows what the entries mean.
 */

declare const brand: unique symbol;
type Brand<Base, Name extends string> = Base & { readonly [brand]: Name };

/** Position in the replicated log. First entry is 1; 0 means "before the log". */
export type LogIndex = Brand<number, "LogIndex">;
/** Raft election period. Grows only; at most one leader per term. */
export type Term = Brand<number, "Term">;
/** Opaque, non-empty, at most 64 characters, never reused after removal. */
export type MemberId = string;

export type Member = {
  readonly id: MemberId;
  /** Opaque to Raft (the embedder keeps addresses and identities here). At most 4 KiB. */
  readonly context: Uint8Array;
  /** A learner receives the log and has no vote. */
  readonly isLearner: boolean;
};

export type MembershipChange =
  | { readonly kind: "addLearner"; readonly id: MemberId; readonly context: Uint8Array }
  | { readonly kind: "promote"; readonly id: MemberId }
  | { readonly kind: "update"; readonly id: MemberId; readonly context: Uint8Array }
  | { readonly kind: "remove"; readonly id: MemberId };

export type RaftErrorCode =
  /** This node is not the leader; `leader` names it when known. Nothing was appended. */
  | "NOT_LEADER"
  /** Leadership was lost after the proposal was appended: it may or may not commit. */
  | "OUTCOME_UNKNOWN"
  /** A named limit (in-flight proposals or bytes) is reached. Nothing was appended. */
  | "OVERLOADED"
  | "TOO_LARGE"
  /** A membership change is already in flight, or the change makes no sense now. */
  | "MEMBERSHIP_REFUSED"
  | "TIMEOUT"
  /** This member was removed from the group. Final. */
  | "REMOVED"
  | "STOPPED"
  /** The disk refused a write (ENOSPC and the like). The node has stopped; see `cause`. */
  | "DISK_FAILED"
  /** Stored state is damaged; the message names file and offset, or what is missing. The node refuses to start or stops. */
  | "DAMAGED"
  /** Stored state is encrypted with a key that was not handed in. */
  | "KEY_MISSING";

export type CommittedEntry = {
  readonly index: LogIndex;
  readonly term: Term;
  readonly data: Uint8Array;
};

/** The replicated state machine. All calls come from one loop, in log order. */
export interface StateMachine {
  /**
   * Applies one committed entry, synchronously and deterministically. The returned value goes to
   * the local proposer, if this node proposed it. Must not throw: a bad command is a recorded rejection.
   */
  apply(entry: CommittedEntry): unknown;
  /**
   * A consistent picture of the state as of the last applied entry. Taking it must be cheap (O(1) or an array copy);
   * encoding happens while the iterable is drained, in slices that do not hold the event loop > 10 ms.
   */
  snapshot(): AsyncIterable<Uint8Array>;
  /** Replaces the whole state by a snapshot's bytes. */
  restore(chunks: AsyncIterable<Uint8Array>): Promise<void>;
}

/** Sends to peers. Delivery is best effort; order per peer is kept while a connection lives. */
export interface Transport {
  /**
   * Sends one encoded message. `bytes` must not be changed afterwards. Never blocks: returns false when
   * the peer's queue is full or there is no connection (Raft then backs off).
   */
  send(to: Member, bytes: Uint8Array): boolean;
  /** The members changed: connections to others may be closed. */
  setPeers(members: readonly Member[]): void;
}

export interface RaftClock {
  /** Monotonic ms. */
  nowMs(): number;
  /** Calls back once after delayMs; the result cancels it. */
  setTimer(delayMs: number, callback: () => void): () => void;
}

export interface RaftRandom {
  /** Uniform in [0, 1). */
  float(): number;
  bytes(length: number): Uint8Array;
}

export interface RaftLogger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** Encrypts log frames and snapshots at rest. */
export type DataKey = { readonly keyId: number; readonly key: Uint8Array };

export type RaftStatus = {
  readonly id: MemberId;
  readonly role: "leader" | "follower" | "preCandidate" | "candidate" | "learner" | "removed";
  readonly term: Term;
  readonly leader: MemberId | undefined;
  readonly commit: LogIndex;
  readonly applied: LogIndex;
  readonly members: readonly Member[];
  /** Leader only: what is known of each peer. `recentlyActive`: heard from within one election timeout. */
  readonly progress: ReadonlyMap<
    MemberId,
    { readonly match: LogIndex; readonly recentlyActive: boolean }
  >;
  /** Ms since this node last knew a live leader; 0 while it does. */
  readonly leaderlessMs: number;
  /** Data keys that stored frames still need; after a rotation, two snapshots later, only the active one. */
  readonly keyIds?: readonly number[];
};

export type RaftEvent =
  /** Fires when leader or term changed. `isLeader` turns true only once this node has applied its whole log. */
  | {
      readonly kind: "leadership";
      readonly isLeader: boolean;
      readonly leader: MemberId | undefined;
      readonly term: Term;
    }
  | { readonly kind: "membership"; readonly members: readonly Member[] }
  | { readonly kind: "removed" }
  | { readonly kind: "failed"; readonly error: Error };

export type RaftOptions = {
  readonly id: MemberId;
  /** Directory of the log and the snapshots, created 0700 when absent. */
  readonly dir: string;
  readonly stateMachine: StateMachine;
  readonly transport: Transport;
  readonly clock: RaftClock;
  readonly random: RaftRandom;
  readonly logger: RaftLogger;
  /** All keys the stored state may use; new frames use `activeKeyId`. */
  readonly keys: readonly DataKey[];
  readonly activeKeyId: number;
  /** Default 100. */
  readonly tickMs?: number;
  /** Default 1. */
  readonly heartbeatTicks?: number;
  /** Default 6: election timeout is uniform in [6, 12) ticks. */
  readonly electionTicks?: number;
  /** Snapshot and compact after this many applied entries. Default 10,000. */
  readonly snapshotEntries?: number;
  /** Entries kept behind a snapshot for slow followers. Default 500. */
  readonly keepEntries?: number;
  /** Largest single proposal in bytes. Default 1.5 MiB. */
  readonly proposalMaxBytes?: number;
  /** Most proposals not yet applied. Default 4,096. */
  readonly inflightMax?: number;
  /**
   * Disaster recovery, when the other members are lost for good: before anything else this member becomes the only one of its group,
   * with everything it knows to be committed (core/alone.ts). It must never be set while the others may still agree without it.
   * Safe to repeat. `openRaft` rejects with MEMBERSHIP_REFUSED when this member never had the group's log.
   */
  readonly continueAlone?: boolean;
  /** Called at each tick with how late it came, in ms: what a busy event loop adds to every heartbeat and timeout. */
  readonly onTick?: (latenessMs: number) => void;
};

/** When the log is compacted. */
export type SnapshotPolicy = Pick<RaftOptions, "snapshotEntries" | "keepEntries">;

/** A running member. Obtained from `openRaft`; nothing runs before that. */
export interface RaftNode extends AsyncDisposable {
  /**
   * Appends `data` and resolves once it is committed on a quorum's disks (fdatasync) and applied here, with
   * what `apply` returned. Rejects with a `RaftError`: NOT_LEADER, OUTCOME_UNKNOWN, OVERLOADED, TOO_LARGE, STOPPED…
   */
  propose(
    data: Uint8Array,
    signal?: AbortSignal,
  ): Promise<{ readonly index: LogIndex; readonly result: unknown }>;
  /**
   * Linearizable read point: resolves once this node has applied everything committed when the call was made.
   * Works on every member (followers ask the leader). Calls are batched into shared rounds. Rejects NOT_LEADER or TIMEOUT without a leader.
   */
  readBarrier(signal?: AbortSignal): Promise<LogIndex>;
  /** Leader only; one at a time. Resolves when the change is committed and applied. */
  changeMembership(change: MembershipChange, signal?: AbortSignal): Promise<LogIndex>;
  /** Leader only. Hands leadership to `to`, or to the most up-to-date voter. Resolves when another leader is known. */
  transferLeadership(to?: MemberId, signal?: AbortSignal): Promise<void>;
  /** A message from a peer, as its transport received it. The embedder has authenticated `from`. */
  receive(from: MemberId, bytes: Uint8Array): void;
  /** The transport lost its connection to this peer; if it was the leader, a pre-vote starts within 0–100 ms. */
  peerDisconnected(peer: MemberId): void;
  status(): RaftStatus;
  subscribe(listener: (event: RaftEvent) => void): () => void;
  /** Takes a snapshot and compacts now. */
  snapshotNow(): Promise<LogIndex>;
  /** From now on in place of what it was opened with; an absent member is the default. */
  setSnapshotPolicy(policy: SnapshotPolicy): void;
}

/**
 * Opens stored state and starts the loop. `bootstrap`: only for an empty directory; the group's first member
 * (alone). A member that joins an existing group opens with an empty directory and no bootstrap and waits for the leader.
 */
export type OpenRaft = (
  options: RaftOptions,
  bootstrap?: { readonly context: Uint8Array },
) => Promise<RaftNode>;
