import type { LogIndex, MemberId, Term } from "../types.js";
import type { Entry, SnapshotMeta } from "./entry.js";

type Envelope = {
  readonly from: MemberId;
  readonly to: MemberId;
  /** Sender's term; for `preVote` and its granted reply, the term the candidate would take (dissertation §9.6). */
  readonly term: Term;
};

export type PreVote = Envelope & {
  readonly kind: "preVote";
  readonly lastIndex: LogIndex;
  readonly lastTerm: Term;
};
export type PreVoteReply = Envelope & { readonly kind: "preVoteReply"; readonly granted: boolean };
/** RequestVote, Raft §5.2. `force`: the leader asked for this election, so leases do not count. */
export type Vote = Envelope & {
  readonly kind: "vote";
  readonly lastIndex: LogIndex;
  readonly lastTerm: Term;
  readonly force: boolean;
};
export type VoteReply = Envelope & { readonly kind: "voteReply"; readonly granted: boolean };
/** AppendEntries, Raft §5.3. */
export type Append = Envelope & {
  readonly kind: "append";
  readonly prevIndex: LogIndex;
  readonly prevTerm: Term;
  readonly commit: LogIndex;
  readonly entries: readonly Entry[];
  /** The sender's member context, while the receiver may not know the group yet; else empty. */
  readonly context: Uint8Array;
};
/** Everything up to `match` equals the leader's log and is on the sender's disk. */
export type AppendReply = Envelope & { readonly kind: "appendReply"; readonly match: LogIndex };
/** No entry (prevIndex, prevTerm). The hint is the newest entry that could still match (Raft §5.3, last part). */
export type AppendReject = Envelope & {
  readonly kind: "appendReject";
  readonly prevIndex: LogIndex;
  readonly hintIndex: LogIndex;
  readonly hintTerm: Term;
};
/** `commit` never exceeds what the receiver acknowledged; `round` confirms reads (dissertation §6.4). */
export type Heartbeat = Envelope & {
  readonly kind: "heartbeat";
  readonly commit: LogIndex;
  readonly round: number;
  readonly context: Uint8Array;
};
export type HeartbeatReply = Envelope & { readonly kind: "heartbeatReply"; readonly round: number };
/** Leader to its successor: campaign now (dissertation §3.10). */
export type TimeoutNow = Envelope & { readonly kind: "timeoutNow" };
export type ReadIndex = Envelope & { readonly kind: "readIndex"; readonly requestId: number };
export type ReadIndexReply = Envelope & {
  readonly kind: "readIndexReply";
  readonly requestId: number;
  readonly index: LogIndex;
};
/** The receiver's removal is committed; it is final. */
export type Removed = Envelope & { readonly kind: "removed" };

/** One slice of a snapshot's bytes (Raft §7). Handled by the node's transfer, not by the core. */
export type SnapshotChunk = Envelope & {
  readonly kind: "snapshotChunk";
  readonly meta: SnapshotMeta;
  readonly totalBytes: number;
  readonly offset: number;
  readonly bytes: Uint8Array;
  /** CRC-32 of `bytes`. */
  readonly crc: number;
  readonly context: Uint8Array;
};
/** `nextOffset`: bytes held so far, where the sender goes on. `refused`: the receiver does not want this snapshot (now). */
export type SnapshotAck = Envelope & {
  readonly kind: "snapshotAck";
  readonly index: LogIndex;
  readonly nextOffset: number;
  readonly refused: boolean;
};

/** Messages between cores. */
export type CoreMessage =
  | PreVote
  | PreVoteReply
  | Vote
  | VoteReply
  | Append
  | AppendReply
  | AppendReject
  | Heartbeat
  | HeartbeatReply
  | TimeoutNow
  | ReadIndex
  | ReadIndexReply
  | Removed;

export type TransferMessage = SnapshotChunk | SnapshotAck;
export type Message = CoreMessage | TransferMessage;
