import type { LogIndex, Member, MemberId, Term } from "../types.js";

/**
 * `data` is the embedder's; `membership` holds an encoded change (membership.ts); `empty` is what a new
 * leader appends so that it can commit what it inherited (Raft §5.4.2, §8).
 */
export type EntryKind = "data" | "membership" | "empty";

export type Entry = {
  readonly index: LogIndex;
  readonly term: Term;
  readonly kind: EntryKind;
  readonly data: Uint8Array;
};

/** On disk before any message that depends on it leaves (Raft §5.1, "persistent state"). */
export type HardState = {
  readonly term: Term;
  readonly vote: MemberId | undefined;
  readonly commit: LogIndex;
};

/** The group as of some log index. Members are sorted by id, former members in order of removal: replicas agree byte for byte. */
export type Membership = {
  readonly members: readonly Member[];
  /** Former members, with their last context so that they can be told. At most REMOVED_MAX, oldest dropped. */
  readonly removed: readonly Member[];
};

export type SnapshotMeta = {
  readonly index: LogIndex;
  readonly term: Term;
  readonly membership: Membership;
};

/** What one entry costs in batches and windows, in bytes; the constant stands for its framing. */
export function entrySizeBytes(entry: Entry): number {
  return entry.data.length + 16;
}
