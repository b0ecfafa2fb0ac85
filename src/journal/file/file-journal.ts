/** The journal of one manager: bounded segment files. No failure of the disk reaches its caller. */
import { join } from "node:path";
import { type Clock, invariant, type Logger } from "../../base/index.js";
import {
  entryText,
  isAfter,
  type JournalEntry,
  type JournalQuery,
  LAST_MAX,
  matchesQuery,
  ORIGIN,
  type Position,
  positionText,
} from "../core/index.js";
import type { Journal, JournalLag } from "../port.js";
import { RecentEntries } from "../recent.js";
import {
  FILE_JOURNAL_LIMITS,
  type FileJournalLimits,
  RETRY_DELAY_MS,
  SYNC_DELAY_MS,
  WRITE_DELAY_MS,
  WRITE_ENTRIES_MAX,
} from "./limits.js";
import { encodeRecord } from "./record.js";
import { readEntries } from "./segment.js";
import { type OpenFile, removeOtherClusters, type Segment, SegmentSet } from "./segment-set.js";

/** Clocks of leaders differ: a segment is left unread for its time only by this margin. */
const CLOCK_SLACK_MS = 60_000;

export type FileJournalParts = {
  /** Holds one directory per cluster, of which only the one of `clusterId` stays. */
  readonly rootDir: string;
  readonly clusterId: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly limits?: Partial<FileJournalLimits>;
  readonly openFile?: OpenFile;
};

type Overflow = { readonly from: string; readonly to: string; readonly count: number };

export class FileJournal implements Journal {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #limits: FileJournalLimits;
  readonly #segments: SegmentSet;
  readonly #recent = new RecentEntries();
  readonly #closing = new AbortController();
  #isLoaded = false;
  #queue: JournalEntry[] = [];
  #overflow: Overflow | undefined;
  /** Notes go before the queue. */
  #notes: string[] = [];
  #last: Position = ORIGIN;
  #seenIndex = 0;
  #droppedCount = 0;
  #problem = "";
  #writing: Promise<void> | undefined;
  #cancelTimer: (() => void) | undefined;
  #cancelSync: (() => void) | undefined;

  private constructor(parts: FileJournalParts) {
    this.#clock = parts.clock;
    this.#logger = parts.logger;
    this.#limits = { ...FILE_JOURNAL_LIMITS, ...parts.limits };
    invariant(/^[\w-]+$/.test(parts.clusterId), `"${parts.clusterId}" is no cluster id`);
    const dir = join(parts.rootDir, parts.clusterId);
    this.#segments = new SegmentSet(dir, this.#limits, parts.logger, parts.openFile);
  }

  /** Never rejects: a disk that cannot be read is a problem of the journal alone, and is tried again with each write. */
  static async open(parts: FileJournalParts): Promise<FileJournal> {
    const journal = new FileJournal(parts);
    try {
      await removeOtherClusters(parts.rootDir, parts.clusterId);
      await journal.#load();
      await journal.#segments.trim(parts.clock.wallMs());
    } catch (error) {
      journal.#failed(error);
    }
    return journal;
  }

  /** Also later, when the directory could not be read at first: what came meanwhile may be stored already. */
  async #load(): Promise<void> {
    await this.#segments.load();
    const { last, seenIndex } = this.#segments;
    this.#isLoaded = true;
    this.#queue = this.#queue.filter((entry) => isAfter(entry, last));
    if (isAfter(last, this.#last)) this.#last = last;
    this.#seenIndex = Math.max(this.#seenIndex, last.index, seenIndex);
    if (this.#queue.length === 0) this.#recent.startAfter(last);
  }

  append(entries: readonly JournalEntry[]): void {
    if (this.#closing.signal.aborted) return;
    let isNews = false;
    for (const entry of entries) {
      if (!isAfter(entry, this.#last)) continue;
      this.#last = { index: entry.index, seq: entry.seq };
      this.#queue.push(entry);
      this.#recent.push(entry);
      isNews = true;
    }
    if (!isNews) return;
    this.#seenIndex = Math.max(this.#seenIndex, this.#last.index);
    this.#dropOverflow();
    this.#recent.announce();
    this.#writeSoon(WRITE_DELAY_MS);
  }

  /** The log was followed up to here: what a later start does not find between was no change. */
  seen(index: number): void {
    this.#seenIndex = Math.max(this.#seenIndex, index);
  }

  /** State was taken over as of `index`: changes in between were never seen here. */
  restored(index: number): void {
    const from = this.#seenIndex + 1;
    this.#seenIndex = Math.max(this.#seenIndex, index);
    if (index < from) return;
    this.#note({ gap: { from, to: index, why: "restored from a snapshot" } });
    this.#writeSoon(WRITE_DELAY_MS);
  }

  async *read(query: JournalQuery): AsyncGenerator<JournalEntry> {
    await this.#write();
    // What cannot be stored at the moment is in memory.
    const stored = this.#segments.last;
    const unstored = this.#queue.filter((entry) => isAfter(entry, stored));
    if (query.last === undefined) {
      for (const segment of this.#wanted(query)) yield* this.#matching(segment, query);
      for (const entry of unstored) if (matchesQuery(entry, query)) yield entry;
      return;
    }
    const count = Math.min(query.last, LAST_MAX);
    let found = unstored.filter((entry) => matchesQuery(entry, query));
    for (const segment of [...this.#wanted(query)].reverse()) {
      if (found.length >= count) break;
      const older: JournalEntry[] = [];
      for await (const entry of this.#matching(segment, query)) {
        older.push(entry);
        if (older.length > 2 * count) older.splice(0, older.length - count);
      }
      found = [...older, ...found];
    }
    yield* count === 0 ? [] : found.slice(-count);
  }

  async *follow(after: Position, signal: AbortSignal): AsyncGenerator<JournalEntry> {
    const either = AbortSignal.any([signal, this.#closing.signal]);
    let position = after;
    while (!either.aborted) {
      const next = this.#recent.after(position);
      if (next === undefined) {
        const floor = this.#recent.floor;
        for await (const entry of this.read({ after: position })) {
          if (either.aborted) return;
          position = entry;
          yield entry;
        }
        // What is neither stored nor in memory any more was given up.
        if (isAfter(floor, position)) position = floor;
        continue;
      }
      if (next.length === 0) await this.#recent.wait(either);
      for (const entry of next) {
        if (either.aborted) return;
        position = entry;
        yield entry;
      }
    }
  }

  lag(): JournalLag {
    return {
      state: this.#problem === "" ? "ok" : "failing",
      problem: this.#problem,
      last: this.#last,
      stored: this.#segments.last,
      waitingCount: this.#queue.length,
      droppedCount: this.#droppedCount,
    };
  }

  get sizeBytes(): number {
    return this.#segments.sizeBytes;
  }

  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort(new Error("the journal is closed"));
    this.#cancelTimer?.();
    this.#cancelSync?.();
    await this.#write();
    if (this.#seenIndex > this.#segments.last.index) {
      this.#note({ seen: this.#seenIndex });
      await this.#write();
    }
    await this.#segments.close().catch((error: unknown) => {
      this.#failed(error);
    });
  }

  #note(note: object): void {
    this.#notes.push(JSON.stringify(note));
    if ("gap" in note) this.#logger.warn(note, "journal: changes are missing here");
  }

  #dropOverflow(): void {
    const overflow = this.#queue.length - this.#limits.queueEntriesMax;
    if (overflow <= 0) return;
    const dropped = this.#queue.splice(0, overflow);
    const [first, last] = [dropped[0], dropped.at(-1)];
    if (first === undefined || last === undefined) return;
    this.#overflow = {
      from: this.#overflow?.from ?? positionText(first),
      to: positionText(last),
      count: (this.#overflow?.count ?? 0) + dropped.length,
    };
    if (this.#droppedCount === 0)
      this.#logger.error(
        { count: overflow },
        "journal: too many entries wait for the disk; the oldest are given up",
      );
    this.#droppedCount += dropped.length;
  }

  #writeSoon(delayMs: number): void {
    this.#cancelTimer ??= this.#clock.setTimer(delayMs, () => {
      this.#cancelTimer = undefined;
      void this.#write(); // never rejects
    });
  }

  /** Writes what waits. Resolves when that is done or failed; one at a time. */
  async #write(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing;
    if (this.#queue.length === 0 && this.#notes.length === 0) return;
    this.#writing = this.#drain().finally(() => {
      this.#writing = undefined;
    });
    await this.#writing;
  }

  async #drain(): Promise<void> {
    try {
      if (!this.#isLoaded) await this.#load();
      while (this.#queue.length > 0 || this.#notes.length > 0) await this.#writeSome();
      await this.#segments.trim(this.#clock.wallMs());
    } catch (error) {
      this.#failed(error);
      if (!this.#closing.signal.aborted) this.#writeSoon(RETRY_DELAY_MS);
      return;
    }
    if (this.#problem !== "") this.#logger.info({}, "journal: entries are stored again");
    this.#problem = "";
    if (!this.#closing.signal.aborted) this.#syncSoon();
  }

  async #writeSome(): Promise<void> {
    if (this.#overflow !== undefined) {
      this.#note({ gap: { ...this.#overflow, why: "too many entries waited" } });
      this.#overflow = undefined;
    }
    const notes = [...this.#notes];
    const entries = this.#queue.slice(0, WRITE_ENTRIES_MAX);
    const [first] = entries;
    const newest = entries.at(-1);
    const texts = [...notes, ...entries.map(entryText)];
    await this.#segments.write(
      Buffer.concat(texts.map(encodeRecord)),
      first ?? { index: this.#seenIndex, seq: 0 },
      first?.atMs ?? this.#clock.wallMs(),
      newest,
    );
    this.#notes = this.#notes.slice(notes.length);
    if (newest === undefined) return;
    // Some of them may have been given up meanwhile: counted from the end of what was written.
    const rest = this.#queue.findIndex((entry) => isAfter(entry, newest));
    this.#queue = rest === -1 ? [] : this.#queue.slice(rest);
  }

  #syncSoon(): void {
    this.#cancelSync ??= this.#clock.setTimer(SYNC_DELAY_MS, () => {
      this.#cancelSync = undefined;
      this.#segments.sync().catch((error: unknown) => {
        this.#failed(error);
      });
    });
  }

  #failed(error: unknown): void {
    const problem = error instanceof Error ? error.message : String(error);
    if (this.#problem === "")
      this.#logger.error({ err: error }, "journal: entries cannot be stored; they wait, bounded");
    this.#problem = problem;
  }

  /** By position and time of their first entries. */
  #wanted(query: JournalQuery): readonly Segment[] {
    const all = this.#segments.list();
    return all.filter((segment, i) => {
      const next = all[i + 1];
      if (query.upTo !== undefined && isAfter(segment.first, query.upTo)) return false;
      if (query.after !== undefined && next !== undefined && !isAfter(next.first, query.after))
        return false;
      const endMs = next?.firstMs ?? 0;
      return query.sinceMs === undefined || endMs === 0 || endMs + CLOCK_SLACK_MS >= query.sinceMs;
    });
  }

  async *#matching(segment: Segment, query: JournalQuery): AsyncGenerator<JournalEntry> {
    const onDamage = (from: number, to: number): void => {
      this.#logger.warn({ path: segment.path, from, to }, "journal: damaged entries are left out");
    };
    try {
      const entries = readEntries(segment.path, segment.sizeBytes, onDamage, query.needles);
      for await (const entry of entries) if (matchesQuery(entry, query)) yield entry;
    } catch (error) {
      // Removed for its age meanwhile, or unreadable: the others are still worth reading.
      this.#logger.warn({ path: segment.path, err: error }, "journal: segment cannot be read");
    }
  }
}
