import { invariant, unreachable } from "../errors.js";
import { indexPlus, maxIndex, minIndex, toTerm } from "../ids.js";
import type { LogIndex, MemberId, Term } from "../types.js";
import {
  forgetLeader,
  handlePreVote,
  handlePreVoteReply,
  handleTimeoutNow,
  handleVote,
  handleVoteReply,
  hasLease,
  sendRemoved,
  startPreVote,
  tickElection,
} from "./election.js";
import type { Entry, HardState, Membership, SnapshotMeta } from "./entry.js";
import { RaftLog } from "./log.js";
import {
  applyChange,
  findMember,
  isRemoved,
  type LoggedChange,
  membershipObjection,
  quorumOf,
  voterIds,
} from "./membership.js";
import type { CoreMessage } from "./message.js";
import type { Progress } from "./progress.js";
import {
  canStartReadRound,
  handleReadIndex,
  handleReadIndexReply,
  requestRead,
  startReadRound,
} from "./reads.js";
import {
  advanceCommit,
  handleAppend,
  handleAppendReject,
  handleAppendReply,
  handleHeartbeat,
  handleHeartbeatReply,
  hasAppendsToSend,
  sendAppends,
  sendHeartbeats,
  snapshotFloor,
} from "./replication.js";
import {
  activeVoterCount,
  becomeFollower,
  type CoreConfig,
  type CoreRole,
  type CoreState,
  commitTo,
  isRecentlyActive,
  type Leadership,
  sendAfterSave,
  setMembership,
} from "./state.js";
import { continueTransfer, startTransfer, tickTransfer } from "./transfer.js";

/** A learner may be promoted once it is this close to the leader's commit index. */
export const PROMOTE_LAG_MAX = 1_000;

/** Bytes of compacted entries kept in memory for slow followers. */
export const KEEP_MAX_BYTES = 32 * 1024 * 1024;

/** What a member knows when it starts. `entries` follow the snapshot or begin at `base + 1` before it. */
export type StoredState = {
  readonly hardState: HardState;
  readonly snapshot: SnapshotMeta;
  readonly base: LogIndex;
  readonly baseTerm: Term;
  readonly entries: readonly Entry[];
};

/**
 * Work for the shell, in this order: save `entries` and `hardState` (with `snapshot`'s position before them),
 * send `messagesAfterSave`, then call `advance`. `messages` may leave at once, also before the save.
 */
export type Ready = {
  readonly entries: readonly Entry[];
  /** Present when it changed; `mustSync` says whether it must be durable before `advance`. */
  readonly hardState: HardState | undefined;
  readonly mustSync: boolean;
  readonly snapshot: SnapshotMeta | undefined;
  readonly messages: readonly CoreMessage[];
  readonly messagesAfterSave: readonly CoreMessage[];
  readonly committedEntries: readonly Entry[];
  readonly readStates: readonly { readonly requestId: number; readonly index: LogIndex }[];
  readonly readsRefused: readonly number[];
  readonly snapshotSends: readonly { readonly to: MemberId; readonly meta: SnapshotMeta }[];
  readonly membership: Membership | undefined;
  /** For `advance`: where the log stood. */
  readonly logEpoch: number;
};

export type ProposeOutcome =
  | { readonly kind: "appended"; readonly index: LogIndex; readonly term: Term }
  | { readonly kind: "notLeader" }
  | { readonly kind: "refused"; readonly why: string };

/**
 * One member's Raft state machine: synchronous and deterministic. Messages, ticks and proposals go in;
 * `ready()` hands out what they caused. Several `Ready`s may be under way; `advance` them in order.
 */
export class RaftCore {
  readonly #s: CoreState;

  constructor(config: CoreConfig, stored: StoredState) {
    const { hardState, snapshot } = stored;
    const s: CoreState = {
      config,
      log: new RaftLog(stored.base, stored.baseTerm, stored.entries),
      term: hardState.term,
      vote: hardState.vote,
      commit: snapshot.index,
      applyNext: indexPlus(snapshot.index, 1),
      membership: snapshot.membership,
      membershipChanged: true,
      snapshot,
      restoring: undefined,
      role: "follower",
      leader: undefined,
      isRemoved: isRemoved(snapshot.membership, config.id),
      tick: 0,
      electionElapsed: 0,
      electionTimeout: config.electionTicks,
      campaignCount: 0,
      votes: new Map(),
      leadership: undefined,
      savedHardState: hardState,
      outbox: [],
      outboxAfterSave: [],
      snapshotSends: [],
      readStates: [],
      readsRefused: [],
    };
    this.#s = s;
    commitTo(s, hardState.commit);
    becomeFollower(s, s.term, undefined);
  }

  // ---- what others may know ----

  get id(): MemberId {
    return this.#s.config.id;
  }
  get role(): CoreRole {
    return this.#s.role;
  }
  get term(): Term {
    return this.#s.term;
  }
  get leader(): MemberId | undefined {
    return this.#s.leader;
  }
  get commit(): LogIndex {
    return this.#s.commit;
  }
  get lastIndex(): LogIndex {
    return this.#s.log.lastIndex;
  }
  get firstIndex(): LogIndex {
    return this.#s.log.firstIndex;
  }
  get logSizeBytes(): number {
    return this.#s.log.sizeBytes;
  }
  get membership(): Membership {
    return this.#s.membership;
  }
  get isRemoved(): boolean {
    return this.#s.isRemoved;
  }
  /** Leader only: index of the entry its term began with; it knows all earlier commits once this is committed. */
  get termStartIndex(): LogIndex | undefined {
    return this.#s.leadership?.startIndex;
  }
  get transferTarget(): MemberId | undefined {
    return this.#s.leadership?.transfer?.to;
  }
  termAt(index: LogIndex): Term | undefined {
    return this.#s.log.termAt(index);
  }
  entryAt(index: LogIndex): Entry | undefined {
    return this.#s.log.entryAt(index);
  }
  progress(): Map<
    MemberId,
    { match: LogIndex; recentlyActive: boolean; state: Progress["state"] }
  > {
    const found = new Map<
      MemberId,
      { match: LogIndex; recentlyActive: boolean; state: Progress["state"] }
    >();
    for (const [id, progress] of this.#s.leadership?.progress ?? []) {
      const recentlyActive = isRecentlyActive(this.#s, progress);
      found.set(id, { match: progress.match, recentlyActive, state: progress.state });
    }
    return found;
  }

  // ---- inputs ----

  tick(): void {
    const s = this.#s;
    s.tick++;
    if (s.isRemoved) return;
    const l = s.leadership;
    if (l === undefined) return tickElection(s);
    // Dissertation §6.2: a leader that no longer hears a quorum steps down, so clients look elsewhere.
    if (activeVoterCount(s, l, s.membership) < quorumOf(voterIds(s.membership).length)) {
      return becomeFollower(s, s.term, undefined);
    }
    tickTransfer(s, l);
    l.heartbeatElapsed++;
    if (l.heartbeatElapsed >= s.config.heartbeatTicks) sendHeartbeats(s, l);
  }

  step(m: CoreMessage): void {
    const s = this.#s;
    if (m.kind === "removed") return this.#leaveGroup(m.from);
    if (s.isRemoved) return;
    if (isRemoved(s.membership, m.from)) return sendRemoved(s, m.from);
    if (m.term > s.term && !this.#acceptLaterTerm(m)) return;
    if (m.term < s.term) return this.#answerEarlierTerm(m);
    this.#dispatch(m);
  }

  /** Leader: appends an entry; it leaves with the next `ready()`. */
  propose(data: Uint8Array): ProposeOutcome {
    const l = this.#s.leadership;
    if (l === undefined || l.transfer !== undefined) return { kind: "notLeader" };
    return this.#append("data", data);
  }

  /** Leader: one change at a time, and only after an entry of this term committed (dissertation §4.1 and its erratum). */
  proposeChange(change: LoggedChange): ProposeOutcome {
    const s = this.#s;
    const l = s.leadership;
    if (l === undefined || l.transfer !== undefined) return { kind: "notLeader" };
    const why = this.#objection(change);
    if (why !== undefined) return { kind: "refused", why };
    const outcome = this.#append("membership", s.config.encodeChange(change));
    if (outcome.kind === "appended") l.changeIndex = outcome.index;
    return outcome;
  }

  /** Asks for a linearizable read point; answered by a readState with this id. False: no leader is known. */
  requestRead(requestId: number): boolean {
    return !this.#s.isRemoved && requestRead(this.#s, requestId);
  }

  /** Leader: begins handing over. Returns the successor, or undefined when there is none. */
  transferLeadership(to: MemberId | undefined): MemberId | undefined {
    const l = this.#s.leadership;
    return l === undefined ? undefined : startTransfer(this.#s, l, to);
  }

  /** The connection to a peer broke. True: it was the leader, call `campaign` after a short random wait. */
  peerLost(peer: MemberId): boolean {
    this.peerUnreachable(peer);
    return forgetLeader(this.#s, peer);
  }

  /** A message to the peer was not taken: stop running ahead until it answers. */
  peerUnreachable(peer: MemberId): void {
    const progress = this.#s.leadership?.progress.get(peer);
    if (progress?.state !== "replicate") return;
    progress.toProbe();
    progress.probeSent = true;
  }

  /** Starts a pre-vote now, unless a leader turned up meanwhile. */
  campaign(): void {
    if (this.#s.leader === undefined && this.#s.role === "follower") startPreVote(this.#s);
  }

  /** A transfer to the peer ended; its acknowledgement of the snapshot's index comes as an appendReply. */
  snapshotSent(peer: MemberId, isInstalled: boolean): void {
    const progress = this.#s.leadership?.progress.get(peer);
    if (progress?.state !== "snapshot") return;
    if (!isInstalled) progress.pendingSnapshot = progress.match;
    progress.toProbe();
    // Not at once: a peer that refuses would be asked in a tight loop. The next heartbeat reply goes on.
    progress.probeSent = true;
  }

  /**
   * A snapshot from a leader is complete and durable here. It is committed state, so its term does not matter.
   * Returns whether it replaces the log (Raft §7).
   */
  installSnapshot(meta: SnapshotMeta): boolean {
    const s = this.#s;
    const isNeeded = meta.index > s.commit && s.leadership === undefined;
    if (isNeeded) this.#install(meta);
    if (s.leader !== undefined && s.leadership === undefined) {
      sendAfterSave(s, s.leader, {
        kind: "appendReply",
        match: minIndex(s.commit, s.log.lastIndex),
      });
    }
    return isNeeded;
  }

  /**
   * Our own snapshot is durable: the log it covers can go, except `keepEntries` for slow followers (as far as
   * they fit KEEP_MAX_BYTES) and what a transfer under way still builds on.
   */
  snapshotSaved(meta: SnapshotMeta, keepEntries: number): void {
    const s = this.#s;
    if (meta.index > s.snapshot.index) s.snapshot = meta;
    const wanted = s.log.keepFrom(s.snapshot.index, keepEntries, KEEP_MAX_BYTES);
    const floor = s.leadership === undefined ? undefined : snapshotFloor(s.leadership);
    const limit = minIndex(wanted, s.log.stable);
    s.log.compact(floor === undefined ? limit : minIndex(limit, floor));
  }

  // ---- outputs ----

  hasReady(): boolean {
    const s = this.#s;
    return (
      s.outbox.length > 0 ||
      s.outboxAfterSave.length > 0 ||
      s.log.hasUnsaved ||
      s.restoring !== undefined ||
      s.membershipChanged ||
      s.snapshotSends.length > 0 ||
      s.readStates.length > 0 ||
      s.readsRefused.length > 0 ||
      this.#applyEnd() >= s.applyNext ||
      s.term !== s.savedHardState.term ||
      s.vote !== s.savedHardState.vote ||
      (s.leadership !== undefined && hasLeaderWork(s, s.leadership))
    );
  }

  ready(): Ready {
    const s = this.#s;
    if (s.leadership !== undefined) this.#flushLeader();
    const entries = s.log.takeUnsaved();
    const hardState = this.#takeHardState();
    const ready: Ready = {
      entries,
      hardState: hardState.changed ? hardState.now : undefined,
      mustSync: entries.length > 0 || hardState.mustSync || s.restoring !== undefined,
      snapshot: s.restoring,
      messages: s.outbox,
      messagesAfterSave: s.outboxAfterSave,
      committedEntries: this.#takeCommitted(),
      readStates: s.readStates,
      readsRefused: s.readsRefused,
      snapshotSends: s.snapshotSends,
      membership: s.membershipChanged ? s.membership : undefined,
      logEpoch: s.log.epoch,
    };
    s.restoring = undefined;
    s.outbox = [];
    s.outboxAfterSave = [];
    s.readStates = [];
    s.readsRefused = [];
    s.snapshotSends = [];
    s.membershipChanged = false;
    // A leader that removed itself has now told the others (dissertation §4.2.2).
    if (s.isRemoved && s.leadership !== undefined) becomeFollower(s, s.term, undefined);
    return ready;
  }

  /** Everything `ready` asked to save is durable. Messages to ourselves (our own vote) take effect now. */
  advance(ready: Ready): void {
    const s = this.#s;
    const last = ready.entries.at(-1);
    if (last !== undefined) s.log.saved(last.index, ready.logEpoch);
    for (const m of ready.messagesAfterSave) if (m.to === s.config.id) this.step(m);
    const l = s.leadership;
    if (l === undefined || last === undefined) return;
    advanceCommit(s, l);
    continueTransfer(s, l);
  }

  // ---- steps ----

  #dispatch(m: CoreMessage): void {
    const s = this.#s;
    const l = s.leadership;
    switch (m.kind) {
      case "preVote":
        return handlePreVote(s, m);
      case "preVoteReply":
        return handlePreVoteReply(s, m);
      case "vote":
        return handleVote(s, m);
      case "voteReply":
        return handleVoteReply(s, m);
      case "append":
        invariant(l === undefined, `two leaders in term ${s.term}: ${m.from} and ${s.config.id}`);
        return handleAppend(s, m);
      case "heartbeat":
        invariant(l === undefined, `two leaders in term ${s.term}: ${m.from} and ${s.config.id}`);
        return handleHeartbeat(s, m);
      case "appendReply":
        return l === undefined ? undefined : handleAppendReply(s, l, m);
      case "appendReject":
        return l === undefined ? undefined : handleAppendReject(s, l, m);
      case "heartbeatReply":
        return l === undefined ? undefined : handleHeartbeatReply(s, l, m);
      case "timeoutNow":
        return l === undefined ? handleTimeoutNow(s) : undefined;
      case "readIndex":
        return l === undefined ? undefined : handleReadIndex(l, m);
      case "readIndexReply":
        return handleReadIndexReply(s, m);
      case "removed":
        return;
      default:
        return unreachable(m, "step");
    }
  }

  /** Raft §5.1: a later term turns us into a follower, except where the sender only asks or the lease holds. */
  #acceptLaterTerm(m: CoreMessage): boolean {
    const s = this.#s;
    if (m.kind === "preVote") return true;
    if (m.kind === "preVoteReply" && m.granted) return true;
    if (m.kind === "vote" && !m.force && hasLease(s)) return false;
    const isFromLeader = m.kind === "append" || m.kind === "heartbeat";
    becomeFollower(s, m.term, isFromLeader ? m.from : undefined);
    return true;
  }

  /** A sender of an earlier term is told ours: a stale leader steps down, a stale candidate stops. */
  #answerEarlierTerm(m: CoreMessage): void {
    const s = this.#s;
    if (m.kind === "append" || m.kind === "heartbeat") {
      sendAfterSave(s, m.from, { kind: "heartbeatReply", round: 0 });
    } else if (m.kind === "preVote") {
      sendAfterSave(s, m.from, { kind: "preVoteReply", granted: false });
    }
  }

  #leaveGroup(from: MemberId): void {
    const s = this.#s;
    // Only someone who is, for all we know, in the group can tell us that we are not.
    const isKnown =
      findMember(s.membership, from) !== undefined ||
      s.membership.members.length === 0 ||
      s.leader === from;
    if (!isKnown || s.leadership !== undefined || s.isRemoved) return;
    s.isRemoved = true;
    becomeFollower(s, s.term, undefined);
    s.membershipChanged = true;
  }

  #append(kind: Entry["kind"], data: Uint8Array): ProposeOutcome {
    const s = this.#s;
    const index = indexPlus(s.log.lastIndex, 1);
    s.log.append({ index, term: s.term, kind, data });
    return { kind: "appended", index, term: s.term };
  }

  #objection(change: LoggedChange): string | undefined {
    const s = this.#s;
    const l = s.leadership;
    if (l === undefined) return "not the leader";
    if (s.commit < l.startIndex) return "no entry of this term is committed yet";
    if (l.changeIndex > s.commit) return `the change at index ${l.changeIndex} is in flight`;
    const nonsense = membershipObjection(s.membership, change);
    if (nonsense !== undefined) return nonsense;
    if (change.kind === "promote") {
      const progress = l.progress.get(change.id);
      const lag = s.commit - (progress?.match ?? 0);
      if (progress === undefined || !isRecentlyActive(s, progress))
        return `${change.id} is not reachable`;
      if (lag > PROMOTE_LAG_MAX) return `${change.id} lags ${lag} entries behind`;
    }
    return this.#quorumObjection(change);
  }

  /** A change after which the reachable voters are no quorum would stop the group for good. */
  #quorumObjection(change: LoggedChange): string | undefined {
    const s = this.#s;
    const l = s.leadership;
    if (l === undefined || change.kind !== "remove") return undefined;
    const next = applyChange(s.membership, change);
    const needed = quorumOf(voterIds(next).length);
    const active = activeVoterCount(s, l, next);
    return active >= needed
      ? undefined
      : `only ${active} of the ${needed} voters needed would be reachable`;
  }

  #install(meta: SnapshotMeta): void {
    const s = this.#s;
    s.snapshot = meta;
    if (s.log.matches(meta.index, meta.term)) {
      // The log has it all; the snapshot only proves that it is committed.
      commitTo(s, meta.index);
      return;
    }
    s.log.reset(meta.index, meta.term);
    s.commit = meta.index;
    s.applyNext = indexPlus(meta.index, 1);
    s.restoring = meta;
    setMembership(s, meta.membership);
  }

  #flushLeader(): void {
    const s = this.#s;
    const l = s.leadership;
    if (l === undefined) return;
    // Alone: our own disk is the quorum, and there is nobody to hear from.
    if (startReadRound(s, l)) sendHeartbeats(s, l);
    sendAppends(s, l);
  }

  #applyEnd(): LogIndex {
    return minIndex(this.#s.commit, this.#s.log.stable);
  }

  #takeCommitted(): Entry[] {
    const s = this.#s;
    const end = this.#applyEnd();
    if (end < s.applyNext) return [];
    const entries = s.log.slice(s.applyNext, end, Number.POSITIVE_INFINITY);
    s.applyNext = indexPlus(end, 1);
    return entries;
  }

  #takeHardState(): { now: HardState; changed: boolean; mustSync: boolean } {
    const s = this.#s;
    const before = s.savedHardState;
    const mustSync = s.term !== before.term || s.vote !== before.vote;
    if (!mustSync && s.commit === before.commit) return { now: before, changed: false, mustSync };
    s.savedHardState = { term: s.term, vote: s.vote, commit: s.commit };
    return { now: s.savedHardState, changed: true, mustSync };
  }
}

function hasLeaderWork(s: CoreState, l: Leadership): boolean {
  return canStartReadRound(s, l) || hasAppendsToSend(s, l);
}

/** Highest term and commit of two hard states; used when a snapshot is newer than the log. */
export function raiseHardState(state: HardState, meta: SnapshotMeta): HardState {
  const isLater = meta.term > state.term;
  return {
    term: isLater ? toTerm(meta.term) : state.term,
    vote: isLater ? undefined : state.vote,
    commit: maxIndex(state.commit, meta.index),
  };
}
