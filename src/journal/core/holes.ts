/** Where files hold nothing: found while their records are read in order, and asked for elsewhere. */
import {
  comparePositions,
  END,
  earlierOf,
  isAfter,
  type JournalEntry,
  justBefore,
  laterOf,
  ORIGIN,
  type Position,
} from "./entry.js";
import type { Note } from "./note.js";
import { CLOCK_SLACK_MS, type JournalQuery } from "./query.js";

export type Hole = {
  /** Excluded. */
  readonly after: Position;
  /** Included. */
  readonly upTo: Position;
  /** Unix ms of what comes behind it; Infinity: nothing is known to. */
  readonly endMs: number;
};

type Stretch = {
  readonly after: Position;
  /** Absent: up to the next entry. */
  readonly upTo?: Position;
};

/**
 * Holes of one file, each told right before the entry that ends it. While `isOpen` every entry must be shown to it, otherwise none
 * needs to be.
 */
export class HoleFinder {
  #open: readonly Stretch[];
  /** Everything up to here is read or told. */
  #position: Position = ORIGIN;

  /** Nothing is older than the oldest file: what comes before its first entry is a hole, unless the file says that it is the beginning. */
  constructor(isOldest: boolean) {
    this.#open = isOldest ? [{ after: ORIGIN }] : [];
  }

  get isOpen(): boolean {
    return this.#open.length > 0;
  }

  take(note: Note): void {
    if (note.kind === "begin") this.#open = [];
    if (note.kind === "gap") this.#open = [...this.#open, { after: note.after, upTo: note.upTo }];
  }

  /** What comes next, up to an entry that can be read, is damaged. */
  damaged(after: Position): void {
    this.#open = [...this.#open, { after }];
  }

  /** What is missing before that entry. */
  before(entry: Pick<JournalEntry, "index" | "seq" | "atMs">): readonly Hole[] {
    const end = justBefore(entry);
    const [over, later] = [this.#open.filter(isBefore(entry)), this.#open.filter(isBehind(entry))];
    const holes = this.#told(over, end, entry.atMs);
    // A stretch that goes on behind this entry was cut by it.
    const rests = over.flatMap(({ upTo }) =>
      upTo !== undefined && isAfter(upTo, entry) ? [{ after: entry, upTo }] : [],
    );
    this.#open = [...rests, ...later];
    this.#position = laterOf(this.#position, entry);
    return holes;
  }

  /** What is missing between the last entry shown and `next`, the first of the file behind this one. */
  rest(next: { readonly first: Position; readonly atMs: number } | undefined): readonly Hole[] {
    const end = next === undefined ? END : justBefore(next.first);
    // One that begins behind `next` was noted too early to be told in order.
    const open = this.#open.flatMap(({ after, upTo = end }) =>
      isAfter(end, after) ? [{ after, upTo }] : [],
    );
    this.#open = [];
    return this.#told(open, END, next?.atMs ?? Number.POSITIVE_INFINITY);
  }

  #told(stretches: readonly Stretch[], end: Position, endMs: number): readonly Hole[] {
    const holes: Hole[] = [];
    const inOrder = [...stretches].sort((a, b) => comparePositions(a.after, b.after));
    for (const stretch of inOrder) {
      const after = laterOf(stretch.after, this.#position);
      const upTo = earlierOf(stretch.upTo ?? end, end);
      if (!isAfter(upTo, after)) continue;
      this.#position = upTo;
      holes.push({ after, upTo, endMs });
    }
    return holes;
  }
}

function isBefore(entry: Position): (stretch: Stretch) => boolean {
  return ({ after }) => isAfter(entry, after);
}

function isBehind(entry: Position): (stretch: Stretch) => boolean {
  return ({ after }) => !isAfter(entry, after);
}

/** What of the query lies within the hole; undefined: nothing. */
export function queryWithin(query: JournalQuery, hole: Hole): JournalQuery | undefined {
  const { sinceMs } = query;
  const after = laterOf(query.after ?? ORIGIN, hole.after);
  const upTo = earlierOf(query.upTo ?? END, hole.upTo);
  if (!isAfter(upTo, after)) return undefined;
  if (sinceMs !== undefined && hole.endMs + CLOCK_SLACK_MS < sinceMs) return undefined;
  return { ...query, after, upTo };
}
