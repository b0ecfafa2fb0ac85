import { invariant } from "../errors.js";
import { INDEX_ZERO, indexPlus, maxIndex, minIndex, TERM_ZERO } from "../ids.js";
import type { LogIndex, Term } from "../types.js";
import { type Entry, entrySizeBytes } from "./entry.js";

/**
 * The log since the last compaction, in memory.
 *
 * Positions: base (compacted up to here) ≤ stable (on disk) ≤ handed (given to the disk) ≤ last.
 * A truncation starts a new epoch, so that a late "is on disk" of the old tail cannot vouch for the new one.
 */
export class RaftLog {
  #entries: Entry[] = [];
  #base: LogIndex = INDEX_ZERO;
  #baseTerm: Term = TERM_ZERO;
  #handed: LogIndex = INDEX_ZERO;
  #stable: LogIndex = INDEX_ZERO;
  #epoch = 0;
  #sizeBytes = 0;

  /** A log read from disk: everything in it is stable. */
  constructor(base: LogIndex, baseTerm: Term, entries: readonly Entry[]) {
    this.reset(base, baseTerm);
    for (const entry of entries) this.#push(entry);
    this.#handed = this.lastIndex;
    this.#stable = this.lastIndex;
  }

  get base(): LogIndex {
    return this.#base;
  }
  get firstIndex(): LogIndex {
    return indexPlus(this.#base, 1);
  }
  get lastIndex(): LogIndex {
    return indexPlus(this.#base, this.#entries.length);
  }
  get lastTerm(): Term {
    return this.#entries.at(-1)?.term ?? this.#baseTerm;
  }
  get stable(): LogIndex {
    return this.#stable;
  }
  get epoch(): number {
    return this.#epoch;
  }
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** Term of the entry, or undefined when it is compacted or not there yet. */
  termAt(index: LogIndex): Term | undefined {
    if (index === this.#base) return this.#baseTerm;
    return this.#entries[index - this.#base - 1]?.term;
  }

  entryAt(index: LogIndex): Entry | undefined {
    return this.#entries[index - this.#base - 1];
  }

  matches(index: LogIndex, term: Term): boolean {
    return this.termAt(index) === term;
  }

  /** Raft §5.4.1: the log with the later last term wins; with equal terms, the longer one. */
  isUpToDate(lastIndex: LogIndex, lastTerm: Term): boolean {
    return lastTerm > this.lastTerm || (lastTerm === this.lastTerm && lastIndex >= this.lastIndex);
  }

  /** Entries in [from, to], cut before they exceed maxBytes, but at least one. */
  slice(from: LogIndex, to: LogIndex, maxBytes: number): Entry[] {
    invariant(from > this.#base, `entry ${from} is compacted (base ${this.#base})`);
    const first = from - this.#base - 1;
    const end = Math.min(to, this.lastIndex) - this.#base;
    let bytes = 0;
    let next = first;
    for (; next < end; next++) {
      bytes += entrySizeBytes(this.#at(next));
      if (bytes > maxBytes && next > first) break;
    }
    return this.#entries.slice(first, Math.max(next, first));
  }

  /** Leader: adds an entry at the end. Raft §5.3 "leader append-only". */
  append(entry: Entry): void {
    this.#push(entry);
  }

  /**
   * Follower, Raft §5.3: adds what is new after (prevIndex, prevTerm) and drops a conflicting tail first.
   * Entries already present are skipped, so a repeated or reordered message never shortens the log.
   */
  merge(entries: readonly Entry[], commit: LogIndex): void {
    for (const [at, entry] of entries.entries()) {
      const known = this.termAt(entry.index);
      if (known === entry.term) continue;
      if (known !== undefined) {
        invariant(entry.index > commit, `entry ${entry.index} conflicts with a committed one`);
        this.#truncate(entry.index);
      }
      for (const added of entries.slice(at)) this.#push(added);
      return;
    }
  }

  /** Newest index ≤ `index` whose term is ≤ `term`: a follower or leader can skip the rest (Raft §5.3). */
  newestNotAfter(index: LogIndex, term: Term): { index: LogIndex; term: Term } {
    for (let i = minIndex(index, this.lastIndex); i > this.#base; i = indexPlus(i, -1)) {
      const known = this.termAt(i);
      if (known !== undefined && known <= term) return { index: i, term: known };
    }
    return {
      index: minIndex(index, this.#base),
      term: index >= this.#base ? this.#baseTerm : TERM_ZERO,
    };
  }

  /** What the disk has not been given yet; counts as given from now on. */
  takeUnsaved(): Entry[] {
    const from = maxIndex(this.#handed, this.#base) - this.#base;
    this.#handed = this.lastIndex;
    return from === this.#entries.length ? [] : this.#entries.slice(from);
  }

  get hasUnsaved(): boolean {
    return this.#handed < this.lastIndex;
  }

  /** The disk confirmed everything up to `index` as handed out in `epoch`. */
  saved(index: LogIndex, epoch: number): void {
    if (epoch === this.#epoch && index > this.#stable) this.#stable = index;
  }

  /** Replaced by a snapshot (Raft §7): nothing but its position is left. */
  reset(base: LogIndex, baseTerm: Term): void {
    this.#entries = [];
    this.#sizeBytes = 0;
    this.#base = base;
    this.#baseTerm = baseTerm;
    this.#handed = base;
    this.#stable = base;
    this.#epoch++;
  }

  /** Where to compact to so that at most `count` entries up to `index`, of at most `maxBytes`, stay. */
  keepFrom(index: LogIndex, count: number, maxBytes: number): LogIndex {
    let bytes = 0;
    for (let i = index; i > this.#base && index - i < count; i = indexPlus(i, -1)) {
      const entry = this.entryAt(i);
      if (entry !== undefined) bytes += entrySizeBytes(entry);
      if (bytes > maxBytes) return i;
    }
    return maxIndex(this.#base, indexPlus(index, -Math.min(count, index)));
  }

  /** Forgets entries up to `index`, which a durable snapshot covers. */
  compact(index: LogIndex): void {
    if (index <= this.#base) return;
    const term = this.termAt(index);
    invariant(
      term !== undefined && index <= this.#stable,
      `compact to ${index} past stable ${this.#stable}`,
    );
    const dropped = this.#entries.splice(0, index - this.#base);
    for (const entry of dropped) this.#sizeBytes -= entrySizeBytes(entry);
    this.#base = index;
    this.#baseTerm = term;
  }

  #push(entry: Entry): void {
    invariant(
      entry.index === this.lastIndex + 1,
      `gap in log: ${entry.index} after ${this.lastIndex}`,
    );
    this.#entries.push(entry);
    this.#sizeBytes += entrySizeBytes(entry);
  }

  #truncate(from: LogIndex): void {
    const dropped = this.#entries.splice(from - this.#base - 1);
    for (const entry of dropped) this.#sizeBytes -= entrySizeBytes(entry);
    this.#handed = minIndex(this.#handed, this.lastIndex);
    this.#stable = minIndex(this.#stable, this.lastIndex);
    this.#epoch++;
  }

  #at(position: number): Entry {
    const entry = this.#entries[position];
    invariant(entry !== undefined, `log position ${position} is empty`);
    return entry;
  }
}
