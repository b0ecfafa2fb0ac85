import type { LogIndex, MemberId } from "../types.js";
import { quorumOf, voterIds } from "./membership.js";
import type { ReadIndex, ReadIndexReply } from "./message.js";
import { type CoreState, type Leadership, type ReadRequest, send } from "./state.js";

/** Reads waiting at the leader for a round; more are refused. */
export const READS_WAITING_MAX = 65_536;

/** Asks for a read index (dissertation §6.4). False: there is no leader to ask. */
export function requestRead(s: CoreState, requestId: number): boolean {
  if (s.leadership !== undefined) {
    return waitForRound(s.leadership, { from: s.config.id, requestId });
  }
  if (s.leader === undefined) return false;
  send(s, s.leader, { kind: "readIndex", requestId });
  return true;
}

export function handleReadIndex(l: Leadership, m: ReadIndex): void {
  waitForRound(l, { from: m.from, requestId: m.requestId });
}

export function handleReadIndexReply(s: CoreState, m: ReadIndexReply): void {
  s.readStates.push({ requestId: m.requestId, index: m.index });
}

function waitForRound(l: Leadership, read: ReadRequest): boolean {
  if (l.readsWaiting.length >= READS_WAITING_MAX) return false;
  l.readsWaiting.push(read);
  return true;
}

/**
 * Starts a round for all waiting reads, one round at a time, so that reads arriving meanwhile share the next.
 * Returns whether heartbeats must go out. The commit index is a valid read point only once an entry of this
 * term is committed: before that, a former leader may have acknowledged more (dissertation §6.4, step 1).
 */
export function startReadRound(s: CoreState, l: Leadership): boolean {
  if (!canStartReadRound(s, l)) return false;
  l.readRound++;
  const requests = l.readsWaiting;
  l.readsWaiting = [];
  l.readInFlight = { round: l.readRound, index: s.commit, requests, acks: new Set([s.config.id]) };
  if (isConfirmed(s, l.readInFlight.acks)) {
    finishRound(s, l);
    return false;
  }
  return true;
}

export function canStartReadRound(s: CoreState, l: Leadership): boolean {
  return l.readInFlight === undefined && l.readsWaiting.length > 0 && s.commit >= l.startIndex;
}

/** A heartbeat reply: the peer still followed us after the round began. */
export function acknowledgeRound(s: CoreState, l: Leadership, from: MemberId, round: number): void {
  if (l.readInFlight === undefined || round !== l.readInFlight.round) return;
  l.readInFlight.acks.add(from);
  if (isConfirmed(s, l.readInFlight.acks)) finishRound(s, l);
}

function isConfirmed(s: CoreState, acks: ReadonlySet<MemberId>): boolean {
  const voters = voterIds(s.membership);
  return voters.filter((id) => acks.has(id)).length >= quorumOf(voters.length);
}

function finishRound(s: CoreState, l: Leadership): void {
  const done = l.readInFlight;
  l.readInFlight = undefined;
  if (done === undefined) return;
  for (const read of done.requests) answer(s, read, done.index);
}

function answer(s: CoreState, read: ReadRequest, index: LogIndex): void {
  if (read.from === s.config.id) s.readStates.push({ requestId: read.requestId, index });
  else send(s, read.from, { kind: "readIndexReply", requestId: read.requestId, index });
}
