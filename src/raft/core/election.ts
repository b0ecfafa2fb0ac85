import { indexPlus, toTerm } from "../ids.js";
import type { MemberId } from "../types.js";
import type { Entry } from "./entry.js";
import { isVoter, quorumOf, voterIds } from "./membership.js";
import type { PreVote, PreVoteReply, Vote, VoteReply } from "./message.js";
import { Progress } from "./progress.js";
import {
  becomeFollower,
  type CoreState,
  canCampaign,
  envelope,
  type Leadership,
  restartCampaignTimer,
  restartElectionTimer,
  send,
  sendAfterSave,
} from "./state.js";

/**
 * Dissertation §4.2.3, §6.2: who heard a live leader within the minimum election timeout disregards votes,
 * so that a member that lost only its own connections cannot unseat a working leader.
 */
export function hasLease(s: CoreState): boolean {
  return s.leader !== undefined && s.electionElapsed < s.config.electionTicks;
}

/** Dissertation §9.6: asks whether an election could be won, without raising the term. */
export function startPreVote(s: CoreState): void {
  if (!canCampaign(s)) return;
  s.role = "preCandidate";
  s.leader = undefined;
  s.leadership = undefined;
  s.campaignCount++;
  restartCampaignTimer(s);
  s.votes = new Map([[s.config.id, true]]);
  if (countVotes(s) === "won") return startElection(s, false);
  const term = toTerm(s.term + 1);
  for (const id of voterIds(s.membership)) {
    if (id === s.config.id) continue;
    const body = { kind: "preVote", lastIndex: s.log.lastIndex, lastTerm: s.log.lastTerm } as const;
    s.outbox.push(envelope(s, id, body, term));
  }
}

/** Raft §5.2. The own vote counts only once it is on disk: it travels with the messages that wait for that. */
export function startElection(s: CoreState, isForced: boolean): void {
  if (!canCampaign(s)) return;
  s.role = "candidate";
  s.term = toTerm(s.term + 1);
  s.vote = s.config.id;
  s.leader = undefined;
  s.leadership = undefined;
  s.votes = new Map();
  restartCampaignTimer(s);
  sendAfterSave(s, s.config.id, { kind: "voteReply", granted: true });
  for (const id of voterIds(s.membership)) {
    if (id === s.config.id) continue;
    const { lastIndex, lastTerm } = s.log;
    sendAfterSave(s, id, { kind: "vote", lastIndex, lastTerm, force: isForced });
  }
}

export function handlePreVote(s: CoreState, m: PreVote): void {
  const isGranted = m.term > s.term && !hasLease(s) && s.log.isUpToDate(m.lastIndex, m.lastTerm);
  // A grant echoes the asked term, a refusal carries our own: it may tell the asker that it is behind.
  const term = isGranted ? m.term : s.term;
  s.outbox.push(envelope(s, m.from, { kind: "preVoteReply", granted: isGranted }, term));
}

export function handlePreVoteReply(s: CoreState, m: PreVoteReply): void {
  if (s.role !== "preCandidate") return;
  if (m.granted && m.term !== s.term + 1) return; // of an earlier attempt
  s.votes.set(m.from, m.granted);
  const outcome = countVotes(s);
  if (outcome === "won") startElection(s, false);
  else if (outcome === "lost") becomeFollower(s, s.term, undefined);
}

/** One vote per term, first come first served, only for logs at least as good as ours (Raft §5.2, §5.4.1). */
export function handleVote(s: CoreState, m: Vote): void {
  const isFree = s.vote === m.from || (s.vote === undefined && s.leader === undefined);
  const isGranted = isFree && s.log.isUpToDate(m.lastIndex, m.lastTerm);
  if (isGranted) {
    s.vote = m.from;
    s.electionElapsed = 0;
  }
  sendAfterSave(s, m.from, { kind: "voteReply", granted: isGranted });
}

export function handleVoteReply(s: CoreState, m: VoteReply): void {
  if (s.role !== "candidate") return;
  s.votes.set(m.from, m.granted);
  const outcome = countVotes(s);
  if (outcome === "won") becomeLeader(s);
  else if (outcome === "lost") becomeFollower(s, s.term, undefined);
}

/** Dissertation §3.10: the leader judged our log complete and asks us to take over, leases or not. */
export function handleTimeoutNow(s: CoreState): void {
  startElection(s, true);
}

function countVotes(s: CoreState): "won" | "lost" | "open" {
  const voters = voterIds(s.membership);
  const quorum = quorumOf(voters.length);
  const granted = voters.filter((id) => s.votes.get(id) === true).length;
  const denied = voters.filter((id) => s.votes.get(id) === false).length;
  if (granted >= quorum) return "won";
  return denied > voters.length - quorum ? "lost" : "open";
}

function becomeLeader(s: CoreState): void {
  const startIndex = indexPlus(s.log.lastIndex, 1);
  const progress = new Map<MemberId, Progress>();
  for (const member of s.membership.members) {
    if (member.id !== s.config.id) progress.set(member.id, new Progress(startIndex, s.tick));
  }
  s.role = "leader";
  s.leader = s.config.id;
  s.campaignCount = 0;
  s.electionElapsed = 0;
  s.leadership = {
    progress,
    startIndex,
    changeIndex: newestChangeIndex(s),
    transfer: undefined,
    heartbeatElapsed: 0,
    readRound: 0,
    readsWaiting: [],
    readInFlight: undefined,
  } satisfies Leadership;
  // Raft §5.4.2, §8: nothing inherited is known to be committed before an entry of this term is.
  const entry: Entry = { index: startIndex, term: s.term, kind: "empty", data: new Uint8Array(0) };
  s.log.append(entry);
}

function newestChangeIndex(s: CoreState): Leadership["changeIndex"] {
  for (let i = s.log.lastIndex; i > s.commit; i = indexPlus(i, -1)) {
    if (s.log.entryAt(i)?.kind === "membership") return i;
  }
  return s.commit;
}

/** Follower side of the clock: no sign of a leader for the drawn timeout starts a pre-vote (Raft §5.2). */
export function tickElection(s: CoreState): void {
  s.electionElapsed++;
  if (s.electionElapsed < s.electionTimeout) return;
  if (canCampaign(s)) return startPreVote(s);
  s.leader = undefined;
  restartElectionTimer(s);
}

/** True when the connection to our leader broke: the lease ends, so pre-votes are granted (contract of the transport). */
export function forgetLeader(s: CoreState, peer: MemberId): boolean {
  if (s.role !== "follower" || s.leader !== peer) return false;
  s.leader = undefined;
  return isVoter(s.membership, s.config.id);
}

/** Tells a former member that it is out. Any member that knows the committed removal may say so. */
export function sendRemoved(s: CoreState, to: MemberId): void {
  send(s, to, { kind: "removed" });
}
