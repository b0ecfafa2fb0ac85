import { RaftError } from "../errors.js";
import { indexPlus, minIndex } from "../ids.js";
import type { LogIndex, MemberId } from "../types.js";
import { entrySizeBytes } from "./entry.js";
import { findMember } from "./membership.js";
import type { Append, AppendReject, AppendReply, Heartbeat, HeartbeatReply } from "./message.js";
import type { Progress } from "./progress.js";
import { acknowledgeRound } from "./reads.js";
import {
  becomeFollower,
  type CoreState,
  commitTo,
  type Leadership,
  quorumMatch,
  restartElectionTimer,
  send,
  sendAfterSave,
} from "./state.js";
import { continueTransfer } from "./transfer.js";

const NO_CONTEXT = new Uint8Array(0);

// ---- follower ----

/** The term is ours, so the sender is its one leader (Raft §5.2). */
function acceptLeader(s: CoreState, from: MemberId): void {
  if (s.role !== "follower") becomeFollower(s, s.term, from);
  s.leader = from;
  s.campaignCount = 0;
  restartElectionTimer(s);
}

export function handleAppend(s: CoreState, m: Append): void {
  acceptLeader(s, m.from);
  if (m.prevIndex < s.commit) {
    // Overtaken: what is committed matches by definition.
    const last = m.entries.at(-1)?.index ?? m.prevIndex;
    if (last <= s.commit) {
      sendAfterSave(s, m.from, { kind: "appendReply", match: s.commit });
      return;
    }
  } else if (!s.log.matches(m.prevIndex, m.prevTerm)) {
    const hint = s.log.newestNotAfter(m.prevIndex, m.prevTerm);
    sendAfterSave(s, m.from, {
      kind: "appendReject",
      prevIndex: m.prevIndex,
      hintIndex: hint.index,
      hintTerm: hint.term,
    });
    return;
  }
  s.log.merge(
    m.entries.filter((entry) => entry.index > s.commit),
    s.commit,
  );
  const match = indexPlus(m.prevIndex, m.entries.length);
  commitTo(s, minIndex(m.commit, match));
  sendAfterSave(s, m.from, { kind: "appendReply", match });
}

/** Throws RaftError DAMAGED when the heartbeat proves that our disk lost what we acknowledged. */
export function handleHeartbeat(s: CoreState, m: Heartbeat): void {
  acceptLeader(s, m.from);
  refuseLostEntries(s, m);
  commitTo(s, m.commit);
  send(s, m.from, { kind: "heartbeatReply", round: m.round });
}

/**
 * The leader never sends more than we acknowledged, so a shorter log has lost its end after that. A damaged last frame
 * looks like one torn by a crash: this is where the two differ. Going on would wait for those entries for good, and
 * could elect a leader without them.
 */
function refuseLostEntries(s: CoreState, m: Heartbeat): void {
  if (m.commit <= s.log.lastIndex) return;
  throw new RaftError(
    "DAMAGED",
    `the log ends with entry ${s.log.lastIndex}, but this member acknowledged entries up to ${m.commit}: the disk lost them`,
  );
}

// ---- leader ----

export function handleAppendReply(s: CoreState, l: Leadership, m: AppendReply): void {
  const progress = l.progress.get(m.from);
  if (progress === undefined) return;
  progress.heardTick = s.tick;
  const isNews = progress.acknowledged(m.match);
  if (progress.state === "probe") progress.toReplicate();
  else if (progress.state === "snapshot" && progress.match >= progress.pendingSnapshot) {
    progress.toReplicate();
  }
  if (isNews) advanceCommit(s, l);
  continueTransfer(s, l);
}

export function handleAppendReject(s: CoreState, l: Leadership, m: AppendReject): void {
  const progress = l.progress.get(m.from);
  if (progress === undefined) return;
  progress.heardTick = s.tick;
  // Raft §5.3: skip whole terms. Below the hint's term nothing of ours above it can match.
  const retry = s.log.newestNotAfter(m.hintIndex, m.hintTerm);
  progress.rejected(m.prevIndex, retry.index);
}

export function handleHeartbeatReply(s: CoreState, l: Leadership, m: HeartbeatReply): void {
  const progress = l.progress.get(m.from);
  if (progress === undefined) return;
  progress.heardTick = s.tick;
  progress.probeSent = false;
  // Appends may have been lost with nothing after them to show the gap: an empty one asks.
  if (progress.state === "replicate" && progress.match < s.log.lastIndex)
    sendEmpty(s, m.from, progress);
  acknowledgeRound(s, l, m.from, m.round);
}

/** Raft §5.4.2: only entries of the current term commit by counting; earlier ones follow with them. */
export function advanceCommit(s: CoreState, l: Leadership): void {
  // Again after each step: a committed removal makes the quorum smaller, which may commit more.
  for (;;) {
    const index = quorumMatch(s, l);
    if (index <= s.commit || s.log.termAt(index) !== s.term) return;
    commitTo(s, index);
  }
}

/** Whether `sendAppends` would send something. */
export function hasAppendsToSend(s: CoreState, l: Leadership): boolean {
  for (const progress of l.progress.values()) {
    if (progress.canSend && (progress.next <= s.log.lastIndex || progress.state === "probe"))
      return true;
    if (isCommitNews(s, progress)) return true;
  }
  return false;
}

function isCommitNews(s: CoreState, progress: Progress): boolean {
  return progress.state === "replicate" && progress.sentCommit < minIndex(s.commit, progress.match);
}

/** Sends to every peer what its window allows; called once per loop turn, so proposals share messages. */
export function sendAppends(s: CoreState, l: Leadership): void {
  for (const [id, progress] of l.progress) {
    while (progress.canSend && (progress.next <= s.log.lastIndex || progress.state === "probe")) {
      if (!sendEntries(s, id, progress)) break;
    }
    if (isCommitNews(s, progress)) sendEmpty(s, id, progress);
  }
}

function sendEntries(s: CoreState, id: MemberId, progress: Progress): boolean {
  const prevIndex = indexPlus(progress.next, -1);
  const prevTerm = s.log.termAt(prevIndex);
  if (prevTerm === undefined) {
    startSnapshot(s, id, progress);
    return false;
  }
  const entries = s.log.slice(progress.next, s.log.lastIndex, s.config.appendMaxBytes);
  send(s, id, {
    kind: "append",
    prevIndex,
    prevTerm,
    commit: s.commit,
    entries,
    context: contextFor(s, progress),
  });
  const bytes = entries.reduce((sum, entry) => sum + entrySizeBytes(entry), 0);
  progress.sent(indexPlus(prevIndex, entries.length), bytes);
  progress.sentCommit = s.commit;
  return true;
}

function sendEmpty(s: CoreState, id: MemberId, progress: Progress): void {
  const prevIndex = indexPlus(progress.next, -1);
  const prevTerm = s.log.termAt(prevIndex);
  if (prevTerm === undefined) return;
  const context = contextFor(s, progress);
  send(s, id, { kind: "append", prevIndex, prevTerm, commit: s.commit, entries: [], context });
  progress.sentCommit = s.commit;
}

/** A peer that has none of the log does not know how to reach us either. */
function contextFor(s: CoreState, progress: Progress): Uint8Array {
  if (progress.match > 0) return NO_CONTEXT;
  return findMember(s.membership, s.config.id)?.context ?? NO_CONTEXT;
}

/** Raft §7: the peer needs entries that are compacted. */
function startSnapshot(s: CoreState, id: MemberId, progress: Progress): void {
  progress.toSnapshot(s.snapshot.index);
  s.snapshotSends.push({ to: id, meta: s.snapshot });
}

export function sendHeartbeats(s: CoreState, l: Leadership): void {
  l.heartbeatElapsed = 0;
  for (const [id, progress] of l.progress) {
    send(s, id, {
      kind: "heartbeat",
      commit: minIndex(s.commit, progress.match),
      round: l.readRound,
      context: contextFor(s, progress),
    });
  }
}

/** The lowest index a transfer under way still builds on; compaction stops there. */
export function snapshotFloor(l: Leadership): LogIndex | undefined {
  let floor: LogIndex | undefined;
  for (const progress of l.progress.values()) {
    if (progress.state !== "snapshot") continue;
    if (floor === undefined || progress.pendingSnapshot < floor) floor = progress.pendingSnapshot;
  }
  return floor;
}
