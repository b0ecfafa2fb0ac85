import type { LogIndex, Term } from "./types.js";

/** Checks and brands a log index. Throws RangeError outside [0, 2^53). */
export function toLogIndex(raw: number): LogIndex {
  if (!Number.isSafeInteger(raw) || raw < 0) throw new RangeError(`bad log index: ${raw}`);
  return raw as LogIndex;
}

/** Checks and brands a term. Throws RangeError outside [0, 2^53). */
export function toTerm(raw: number): Term {
  if (!Number.isSafeInteger(raw) || raw < 0) throw new RangeError(`bad term: ${raw}`);
  return raw as Term;
}

export const INDEX_ZERO = toLogIndex(0);
export const TERM_ZERO = toTerm(0);

/** Index arithmetic without losing the brand; callers stay within range by construction. */
export function indexPlus(index: LogIndex, delta: number): LogIndex {
  return (index + delta) as LogIndex;
}

export function minIndex(a: LogIndex, b: LogIndex): LogIndex {
  return a < b ? a : b;
}

export function maxIndex(a: LogIndex, b: LogIndex): LogIndex {
  return a > b ? a : b;
}
