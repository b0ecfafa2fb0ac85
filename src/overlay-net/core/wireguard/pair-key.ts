/**
 * Which key a pair of nodes shares besides WireGuard's own. Each node has one or, while it changes them, two key pairs for that purpose and
 * publishes their public parts; a pair's key is computed from one of either side, so it is known to these two nodes alone and never travels.
 * WireGuard mixes it into a handshake; a session that is up goes on until the next one, at most 180 s (REJECT_AFTER_TIME).
 *
 * Both sides take the newest parts that the managers have told of. When one of them has not heard of a change (it is cut off from the
 * managers), no handshake succeeds any more: then older parts are tried as well, in time before the session ends.
 */

/** A handshake is made anew after 120 s, at the latest with the next keepalive: without one for so long, something is wrong. */
export const HANDSHAKE_FRESH_MS = 145_000;
/** Seconds; keeps sessions and their age known without any traffic. */
export const KEEPALIVE_SEC = 20;
/** The patient side of a pair leaves the first call to the other one for so long. */
const CALL_AFTER_MS = 500;
/** How long one choice is tried; WireGuard repeats a handshake every 5 s. */
export const TRY_MS = 10_000;
/** Most public parts that a node publishes: the one in use and its successor. */
export const PAIR_KEYS_MAX = 2;
/** A handshake that began before its key was set may end so much later. */
const HANDSHAKE_MAX_MS = 10_000;

/** Public parts. */
export type PairChoice = { readonly own: string; readonly theirs: string };

/** What is in use with one peer. Times are wall-clock ms, as WireGuard gives them. */
export type PairUse = {
  readonly choices: readonly PairChoice[];
  readonly place: number;
  readonly sinceMs: number;
};

export function choiceOf({ choices, place }: PairUse): PairChoice | undefined {
  return choices[place];
}

/** Newest first. Lists are oldest first. */
export function pairChoices(
  own: readonly string[],
  theirs: readonly string[],
): readonly PairChoice[] {
  const newest = own.toReversed();
  return newest.flatMap((mine) =>
    theirs.toReversed().map((other) => ({ own: mine, theirs: other })),
  );
}

export type PairFacts = {
  readonly choices: readonly PairChoice[];
  /** Last handshake; 0 = none since the peer was set. */
  readonly handshakeMs: number;
  readonly nowMs: number;
  /** One of a pair is: it lets the other call first, and stays with a choice so long that the other can go through all of them. */
  readonly isPatient: boolean;
};

export function stepPair(use: PairUse | undefined, facts: PairFacts): PairUse {
  const { choices, handshakeMs, nowMs, isPatient } = facts;
  if (use === undefined || !sameChoices(use.choices, choices))
    return { choices, place: 0, sinceMs: nowMs };
  if (choices.length < 2 || nowMs - handshakeMs < HANDSHAKE_FRESH_MS) return use;
  const tryMs = isPatient ? choices.length * TRY_MS : TRY_MS;
  if (nowMs - use.sinceMs < tryMs) return use;
  return { choices, place: (use.place + 1) % choices.length, sinceMs: nowMs };
}

/**
 * This side is to call the other one by itself. Two calls that cross make no session: both sides answer, neither takes the answer, and WireGuard
 * calls again after 5 s. Managers tell both at the same moment, so they would cross often; who is told last must call, so each
 * side does in the end.
 */
export function mayCall(
  { sinceMs }: PairUse,
  { handshakeMs, nowMs, isPatient }: Omit<PairFacts, "choices">,
): boolean {
  return !isPatient || handshakeMs > 0 || nowMs < sinceMs || nowMs >= sinceMs + CALL_AFTER_MS;
}

/** The other side uses this choice too. */
export function isConfirmed({ sinceMs }: PairUse, handshakeMs: number): boolean {
  return handshakeMs >= sinceMs + HANDSHAKE_MAX_MS;
}

function sameChoices(a: readonly PairChoice[], b: readonly PairChoice[]): boolean {
  return (
    a.length === b.length &&
    a.every(({ own, theirs }, i) => own === b[i]?.own && theirs === b[i]?.theirs)
  );
}
