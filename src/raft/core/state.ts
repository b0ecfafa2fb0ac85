import { indexPlus, minIndex } from "../ids.js";
import type { LogIndex, MemberId, Term } from "../types.js";
import type { Entry, HardState, Membership, SnapshotMeta } from "./entry.js";
import type { RaftLog } from "./log.js";
import {
  applyChange,
  isRemoved,
  isVoter,
  type LoggedChange,
  quorumOf,
  voterIds,
} from "./membership.js";
import type { CoreMessage } from "./message.js";
import { Progress } from "./progress.js";

export type CoreRole = "follower" | "preCandidate" | "candidate" | "leader";

export type CoreConfig = {
  readonly id: MemberId;
  readonly electionTicks: number;
  readonly heartbeatTicks: number;
  /** Uniform in [0, 1); the only source of chance. */
  readonly random: () => number;
  /** Most bytes of entries in one append message. */
  readonly appendMaxBytes: number;
  /** Decodes a membership entry; handed in so that the core knows no wire format. */
  readonly decodeChange: (data: Uint8Array) => LoggedChange;
  readonly encodeChange: (change: LoggedChange) => Uint8Array;
};

/** A read waiting for the leader to confirm that it still leads (dissertation §6.4). */
export type ReadRequest = { readonly from: MemberId; readonly requestId: number };
export type ReadRound = {
  readonly round: number;
  readonly index: LogIndex;
  readonly requests: readonly ReadRequest[];
  readonly acks: Set<MemberId>;
};

export type Transfer = { readonly to: MemberId; readonly startedTick: number; isSent: boolean };

/** What only a leader has; made anew with each term. */
export type Leadership = {
  readonly progress: Map<MemberId, Progress>;
  /** Index of the empty entry this leader began its term with. */
  readonly startIndex: LogIndex;
  /** Newest membership entry in the log; a change is in flight while this is not committed. */
  changeIndex: LogIndex;
  transfer: Transfer | undefined;
  heartbeatElapsed: number;
  readRound: number;
  readsWaiting: ReadRequest[];
  readInFlight: ReadRound | undefined;
};

/** All state of one member. The functions of this folder change it; nothing else does. */
export type CoreState = {
  readonly config: CoreConfig;
  readonly log: RaftLog;
  term: Term;
  vote: MemberId | undefined;
  commit: LogIndex;
  /** Highest index handed to the state machine. */
  applyNext: LogIndex;
  membership: Membership;
  membershipChanged: boolean;
  snapshot: SnapshotMeta;
  /** A snapshot to restore, not handed out yet. */
  restoring: SnapshotMeta | undefined;

  role: CoreRole;
  leader: MemberId | undefined;
  isRemoved: boolean;
  tick: number;
  electionElapsed: number;
  electionTimeout: number;
  /** Campaigns since a leader was last heard. */
  campaignCount: number;
  votes: Map<MemberId, boolean>;
  leadership: Leadership | undefined;

  savedHardState: HardState;
  /** May leave at once. */
  outbox: CoreMessage[];
  /** May leave once everything handed out so far is on disk. */
  outboxAfterSave: CoreMessage[];
  snapshotSends: { to: MemberId; meta: SnapshotMeta }[];
  readStates: { requestId: number; index: LogIndex }[];
  /** Read requests that were refused: this node does not lead. */
  readsRefused: number[];
};

type Body<M> = M extends CoreMessage ? Omit<M, "from" | "to" | "term"> : never;
export type MessageBody = Body<CoreMessage>;

export function envelope(
  s: CoreState,
  to: MemberId,
  body: MessageBody,
  term: Term = s.term,
): CoreMessage {
  return { ...body, from: s.config.id, to, term } as CoreMessage;
}

export function send(s: CoreState, to: MemberId, body: MessageBody): void {
  s.outbox.push(envelope(s, to, body));
}

export function sendAfterSave(s: CoreState, to: MemberId, body: MessageBody): void {
  s.outboxAfterSave.push(envelope(s, to, body));
}

/** Only voters campaign. A member that does not know its group yet is not one. */
export function canCampaign(s: CoreState): boolean {
  return !s.isRemoved && isVoter(s.membership, s.config.id);
}

/** Uniform in [electionTicks, 2 × electionTicks), drawn anew for each wait (Raft §5.2). */
export function restartElectionTimer(s: CoreState): void {
  s.electionElapsed = 0;
  s.electionTimeout =
    s.config.electionTicks + Math.floor(s.config.random() * s.config.electionTicks);
}

/** Campaigns in a row that are retried early. */
const EARLY_RETRIES_MAX = 2;
const EARLY_RETRY_TICKS_MIN = 2;

/**
 * How long a campaign may take before it is tried again. After a split vote nobody leads and no lease is
 * waited for, so the first retries come early; should votes simply be slow, the full timeout follows.
 */
export function restartCampaignTimer(s: CoreState): void {
  restartElectionTimer(s);
  if (s.campaignCount > EARLY_RETRIES_MAX || s.config.electionTicks <= EARLY_RETRY_TICKS_MIN)
    return;
  const spread = s.config.electionTicks - EARLY_RETRY_TICKS_MIN;
  s.electionTimeout = EARLY_RETRY_TICKS_MIN + Math.floor(s.config.random() * spread);
}

/** Steps down or moves to a later term. The vote is kept within a term: it must not be given twice. */
export function becomeFollower(s: CoreState, term: Term, leader: MemberId | undefined): void {
  if (term > s.term) {
    s.term = term;
    s.vote = undefined;
  }
  refuseWaitingReads(s);
  s.role = "follower";
  s.leader = leader;
  s.leadership = undefined;
  s.votes.clear();
  restartElectionTimer(s);
}

function refuseWaitingReads(s: CoreState): void {
  if (s.leadership === undefined) return;
  const waiting = [...s.leadership.readsWaiting, ...(s.leadership.readInFlight?.requests ?? [])];
  for (const read of waiting) if (read.from === s.config.id) s.readsRefused.push(read.requestId);
}

/**
 * Moves the commit index and applies membership entries. A change takes effect when it is known to be
 * committed, not when it is appended. That is safe with one change at a time: the leader logs change k+1 only
 * with commit ≥ k, every append carries that commit, and it is saved in the same frame; so whoever holds
 * change k+1 acts on change k at least, and quorums of neighbouring memberships overlap (dissertation §4.1).
 */
export function commitTo(s: CoreState, index: LogIndex): void {
  const target = minIndex(index, s.log.lastIndex);
  while (s.commit < target) {
    s.commit = indexPlus(s.commit, 1);
    const entry = s.log.entryAt(s.commit);
    if (entry?.kind === "membership") commitChange(s, entry);
  }
}

function commitChange(s: CoreState, entry: Entry): void {
  setMembership(s, applyChange(s.membership, s.config.decodeChange(entry.data)));
}

/** Takes over a membership, tells those removed, and keeps the leader's progress table in step. */
export function setMembership(s: CoreState, next: Membership): void {
  const previous = s.membership;
  s.membership = next;
  s.membershipChanged = true;
  if (isRemoved(next, s.config.id)) s.isRemoved = true;
  const leadership = s.leadership;
  if (leadership === undefined) return;
  for (const member of next.members) {
    if (member.id === s.config.id || leadership.progress.has(member.id)) continue;
    leadership.progress.set(member.id, new Progress(indexPlus(s.log.lastIndex, 1), s.tick));
  }
  for (const member of previous.members) {
    if (next.members.some((kept) => kept.id === member.id)) continue;
    leadership.progress.delete(member.id);
    if (member.id !== s.config.id) send(s, member.id, { kind: "removed" });
    if (leadership.transfer?.to === member.id) leadership.transfer = undefined;
  }
}

/** Raft §5.3, §5.4.2: the highest index on a quorum of voters' disks. */
export function quorumMatch(s: CoreState, leadership: Leadership): LogIndex {
  const matches = voterIds(s.membership).map((id) =>
    id === s.config.id ? s.log.stable : (leadership.progress.get(id)?.match ?? s.log.base),
  );
  matches.sort((a, b) => b - a);
  return matches[quorumOf(matches.length) - 1] ?? s.commit;
}

/** Voters heard from within one election timeout, this one included if it votes. */
export function activeVoterCount(
  s: CoreState,
  leadership: Leadership,
  membership: Membership,
): number {
  return voterIds(membership).filter((id) => {
    if (id === s.config.id) return true;
    const progress = leadership.progress.get(id);
    return progress !== undefined && isRecentlyActive(s, progress);
  }).length;
}

export function isRecentlyActive(s: CoreState, progress: Progress): boolean {
  return s.tick - progress.heardTick < s.config.electionTicks;
}
