/** One segment file, read from its beginning in pieces. */
import { open } from "node:fs/promises";
import {
  HoleFinder,
  isAfter,
  isNoteText,
  type JournalQuery,
  justBefore,
  PLACE_LENGTH,
  type Position,
  parseEntry,
  parseNote,
  placeOfText,
} from "../core/index.js";
import type { Item } from "./read-parts.js";
import { HEADER_BYTES, nextMagic, RECORD_BYTES_MAX, recordAt } from "./record.js";

/** Bytes read and parsed between two turns of the event loop: about 2 ms. */
const PIECE_BYTES = 256 * 1024;

const SUFFIX = ".journal";
const NAME = /^(\d{16})-(\d{8})\.journal$/;

/** Sorts like the position of the first entry. */
export function segmentName({ index, seq }: Position): string {
  return `${String(index).padStart(16, "0")}-${String(seq).padStart(8, "0")}${SUFFIX}`;
}

/** Undefined for a file that is no segment. */
export function segmentStart(name: string): Position | undefined {
  const match = NAME.exec(name);
  return match === null ? undefined : { index: Number(match[1]), seq: Number(match[2]) };
}

export type SegmentItem =
  | { readonly kind: "payload"; readonly payload: Buffer; readonly end: number }
  /** Bytes that hold no intact record. `isTail`: nothing intact follows. */
  | {
      readonly kind: "damaged";
      readonly from: number;
      readonly to: number;
      readonly isTail: boolean;
    };

/** Records up to `sizeBytes`, damage in between told and skipped. Rejects with the system's errors. */
export async function* readSegment(path: string, sizeBytes: number): AsyncGenerator<SegmentItem> {
  const file = await open(path, "r");
  try {
    let held: Buffer = Buffer.alloc(0);
    /** Place of `held` in the file. */
    let base = 0;
    let damagedFrom: number | undefined;
    for (;;) {
      const wanted = Math.min(PIECE_BYTES, sizeBytes - base - held.length);
      const piece = Buffer.allocUnsafe(Math.max(0, wanted));
      const { bytesRead } = await file.read(piece, 0, piece.length, base + held.length);
      held = Buffer.concat([held, piece.subarray(0, bytesRead)]);
      const isEnd = bytesRead === 0;
      let at = 0;
      while (at < held.length) {
        const found = recordAt(held, at);
        if (found.kind === "record") {
          if (damagedFrom !== undefined)
            yield { kind: "damaged", from: damagedFrom, to: base + at, isTail: false };
          damagedFrom = undefined;
          yield { kind: "payload", payload: found.payload, end: base + found.end };
          at = found.end;
          continue;
        }
        // A short record at the end of the file is damage like any other: an intact one may hide behind its length.
        if (found.kind === "short" && !isEnd) break;
        damagedFrom ??= base + at;
        at = nextMagic(held, at + 1);
      }
      if (isEnd) break;
      held = held.subarray(Math.min(at, held.length));
      base += at;
      if (held.length > HEADER_BYTES + RECORD_BYTES_MAX + PIECE_BYTES) break;
    }
    if (damagedFrom !== undefined)
      yield { kind: "damaged", from: damagedFrom, to: sizeBytes, isTail: true };
  } finally {
    await file.close();
  }
}

export type SegmentScan = {
  readonly path: string;
  readonly sizeBytes: number;
  /** Place that its name says: no entry in it is older. */
  readonly first: Position;
  readonly isOldest: boolean;
  /** Of the file behind it. */
  readonly next: { readonly first: Position; readonly atMs: number } | undefined;
  /** What cannot match by its place or its text is left out. */
  readonly query: JournalQuery;
  readonly onDamage: (from: number, to: number) => void;
  readonly onUnreadable: (error: unknown) => void;
};

/** Entries and holes of a segment in their order. One that cannot be read, or is removed for its age meanwhile, is a hole. */
export async function* scanSegment(scan: SegmentScan): AsyncGenerator<Item> {
  const { path, sizeBytes, first, isOldest, next, query } = scan;
  const holes = new HoleFinder(isOldest);
  /** The record before, parsed only if damage follows it. */
  let before: Buffer | undefined;
  try {
    for await (const item of readSegment(path, sizeBytes)) {
      if (item.kind === "damaged") {
        scan.onDamage(item.from, item.to);
        holes.damaged(placeOf(before) ?? justBefore(first));
        continue;
      }
      const { payload } = item;
      const start = payload.toString("latin1", 0, PLACE_LENGTH);
      if (isNoteText(start)) {
        const note = parseNote(payload.toString("utf8"));
        if (note !== undefined) holes.take(note);
        continue;
      }
      before = payload;
      const isWanted = mayMatch(payload, start, query);
      if (!isWanted && !holes.isOpen) continue;
      const entry = parseEntry(payload.toString("utf8"));
      if (entry === undefined) continue;
      for (const hole of holes.before(entry)) yield { kind: "hole", hole };
      if (isWanted) yield { kind: "entry", entry };
    }
  } catch (error) {
    scan.onUnreadable(error);
    holes.damaged(placeOf(before) ?? justBefore(first));
  }
  for (const hole of holes.rest(next)) yield { kind: "hole", hole };
}

/** Spares parsing what is none of the query's: pages of a long history are read from the middle of a file. */
function mayMatch(payload: Buffer, start: string, { after, upTo, needles }: JournalQuery): boolean {
  const place = placeOfText(start);
  if (place !== undefined && after !== undefined && !isAfter(place, after)) return false;
  if (place !== undefined && upTo !== undefined && isAfter(place, upTo)) return false;
  return needles === undefined || needles.some((needle) => payload.includes(needle));
}

function placeOf(payload: Buffer | undefined): Position | undefined {
  return payload === undefined ? undefined : parseEntry(payload.toString("utf8"));
}
