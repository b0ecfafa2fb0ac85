/**
 * What a file of the journal says beside its entries, as JSON:
 *
 *   {"begin":true}                             the cluster's first change is in this file, or noted as missing
 *   {"gap":{"from":4,"to":90,"why":"…"}}       log indexes, both included, whose changes were never seen here
 *   {"gap":{"from":"4-0","to":"9-1",…}}        places, both included, of entries that were given up
 *   {"seen":95}                                the log was followed up to here
 */
import { endOf, justBefore, type Position, parsePosition } from "./entry.js";

export type Note =
  | { readonly kind: "begin" }
  /** Nothing is stored behind `after` up to and with `upTo`. */
  | { readonly kind: "gap"; readonly after: Position; readonly upTo: Position }
  | { readonly kind: "seen"; readonly index: number };

/** Longest note that is read. */
const NOTE_LENGTH_MAX = 1024;

/** By its beginning, which no entry has: spares parsing entries. */
export function isNoteText(start: string): boolean {
  return /^\{"(?:begin|gap|seen)":/.test(start);
}

/** Undefined for any other text. */
export function parseNote(text: string): Note | undefined {
  if (text.length > NOTE_LENGTH_MAX || !isNoteText(text)) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isRecord(value)) return undefined;
  const { begin, gap, seen } = value;
  if (begin === true) return { kind: "begin" };
  if (isIndex(seen)) return { kind: "seen", index: seen };
  if (!isRecord(gap)) return undefined;
  const { from, to } = gap;
  const first = placeOf(from, (index) => ({ index, seq: 0 }));
  const upTo = placeOf(to, endOf);
  return first === undefined || upTo === undefined
    ? undefined
    : { kind: "gap", after: justBefore(first), upTo };
}

function placeOf(value: unknown, ofIndex: (index: number) => Position): Position | undefined {
  if (typeof value === "string") return parsePosition(value);
  return isIndex(value) ? ofIndex(value) : undefined;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

function isIndex(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}
