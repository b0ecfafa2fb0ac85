import { isAfter, type JournalEntry, laterOf, ORIGIN, type Position } from "./core/index.js";

/** Entries kept in memory for those who follow; who is further behind reads what is stored. */
export const RECENT_MAX = 1024;
/** A follower takes this many at a time. */
const BATCH_MAX = 128;

/** The newest entries, and a way to wait for the next. */
export class RecentEntries {
  #entries: JournalEntry[] = [];
  /** Everything after this is in `#entries`. */
  #floor: Position = ORIGIN;
  readonly #waiting = new Set<() => void>();

  get floor(): Position {
    return this.#floor;
  }

  /** Who has not come so far does not go on from memory: what is before is stored, or missing. */
  startAfter(floor: Position): void {
    this.#floor = floor;
  }

  push(entry: JournalEntry): void {
    this.#entries.push(entry);
    // Twice the limit before cutting: the cost of moving is spread over as many pushes.
    if (this.#entries.length >= 2 * RECENT_MAX) {
      const kept = this.#entries.slice(-RECENT_MAX);
      const [first] = kept;
      const evicted = this.#entries[this.#entries.length - kept.length - 1];
      if (first !== undefined && evicted !== undefined) this.#floor = laterOf(this.#floor, evicted);
      this.#entries = kept;
    }
  }

  /** Those next after `position`; undefined when memory does not reach back so far. */
  after(position: Position): readonly JournalEntry[] | undefined {
    if (isAfter(this.#floor, position)) return undefined;
    let lo = 0;
    let hi = this.#entries.length;
    while (lo < hi) {
      const middle = (lo + hi) >>> 1;
      const entry = this.#entries[middle];
      if (entry !== undefined && isAfter(entry, position)) hi = middle;
      else lo = middle + 1;
    }
    return this.#entries.slice(lo, lo + BATCH_MAX);
  }

  /** Wakes who waits: once for all entries of one append. */
  announce(): void {
    for (const wake of [...this.#waiting]) wake();
  }

  /** Resolves at the next announcement or once aborted. */
  wait(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        this.#waiting.delete(done);
        signal.removeEventListener("abort", done);
        resolve();
      };
      this.#waiting.add(done);
      signal.addEventListener("abort", done, { once: true });
      if (signal.aborted) done();
    });
  }
}
