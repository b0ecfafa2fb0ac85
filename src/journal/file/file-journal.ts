/** The journal of one manager: bounded segment files. No failure of the disk reaches its caller. */
import { join } from "node:path";
import { type Clock, invariant, type Logger } from "../../base/index.js";
import {
  CLOCK_SLACK_MS,
  comparePositions,
  endOf,
  entryText,
  HoleFinder,
  isAfter,
  type JournalEntry,
  type JournalQuery,
  ORIGIN,
  type Position,
  parseNote,
  positionText,
} from "../core/index.js";
import type { Journal, JournalLag } from "../port.js";
import { RecentEntries } from "../recent.js";
import {
  FILE_JOURNAL_LIMITS,
  type FileJournalLimits,
  GAPS_MAX,
  RETRY_DELAY_MS,
  SYNC_DELAY_MS,
  WRITE_DELAY_MS,
  WRITE_ENTRIES_MAX,
} from "./limits.js";
import { type Fill, type Item, type Part, readParts } from "./read-parts.js";
import { encodeRecord } from "./record.js";
import { scanSegment } from "./segment.js";
import { type OpenFile, removeOtherClusters, type Segment, SegmentSet } from "./segment-set.js";

export type FileJournalParts = {
  /** Holds one directory per cluster, of which only the one of `clusterId` stays. */
  readonly rootDir: string;
  readonly clusterId: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly limits?: Partial<FileJournalLimits>;
  readonly openFile?: OpenFile;
};

/** A note, and the place behind which it is written. */
type PlacedNote = { readonly text: string; readonly after: Position };

/** Entries given up, both included. */
type Loss = { readonly from: string; readonly to: string; readonly count: number };

export class FileJournal implements Journal {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #limits: FileJournalLimits;
  readonly #segments: SegmentSet;
  readonly #recent = new RecentEntries();
  readonly #closing = new AbortController();
  #isLoaded = false;
  #queue: JournalEntry[] = [];
  /** Of the queue. */
  #overflow: Loss | undefined;
  /** Changes that never came to be entries. */
  #unmade: Loss | undefined;
  #notes: readonly PlacedNote[] = [];
  #last: Position = ORIGIN;
  #seenIndex = 0;
  /** Ends of stretches that no entry came of, as far as no entry behind them has come. */
  #gapEnds: readonly Position[] = [];
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
    // Nothing was there before: what follows is the log from its beginning, or a note says what is missing of it.
    if (this.#segments.list().length === 0) this.#note(JSON.stringify({ begin: true }));
    const { last, seenIndex } = this.#segments;
    this.#isLoaded = true;
    this.#queue = this.#queue.filter((entry) => isAfter(entry, last));
    if (isAfter(last, this.#last)) this.#last = last;
    this.#seenIndex = Math.max(this.#seenIndex, last.index, seenIndex);
    if (this.#queue.length === 0) this.#recent.startAfter(last);
    // Whether a gap was noted there is not looked for: who follows reads the files once more.
    if (this.#seenIndex > last.index) this.#gapEndsAt(this.#seenIndex);
  }

  append(entries: readonly JournalEntry[]): void {
    if (this.#closing.signal.aborted) return;
    let isNews = false;
    for (const entry of entries) {
      if (!isAfter(entry, this.#last)) continue;
      this.#last = { index: entry.index, seq: entry.seq };
      this.#passGaps(entry);
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

  /** Changes of the transaction `index` were given up before they came to be entries. */
  unmade(index: number, count: number): void {
    this.#seenIndex = Math.max(this.#seenIndex, index);
    this.#unmade = {
      from: this.#unmade?.from ?? positionText({ index, seq: 0 }),
      to: positionText(endOf(index)),
      count: (this.#unmade?.count ?? 0) + count,
    };
    this.#gapEndsAt(index);
  }

  /** State was taken over as of `index`: changes in between were never seen here. */
  restored(index: number): void {
    const from = this.#seenIndex + 1;
    this.#seenIndex = Math.max(this.#seenIndex, index);
    if (index < from) return;
    const gap = { from, to: index, why: "restored from a snapshot" };
    this.#note(JSON.stringify({ gap }));
    this.#gapEndsAt(index);
    this.#writeSoon(WRITE_DELAY_MS);
  }

  /** `fill` is asked for what the files do not hold, in order, wherever entries are missing. */
  async *read(query: JournalQuery, fill?: Fill): AsyncGenerator<JournalEntry> {
    await this.#write();
    yield* readParts(this.#parts(query), query, fill);
  }

  /** Nothing up to here comes any more; to be asked when nothing is on its way. */
  get tail(): Position {
    return this.#seenIndex > this.#last.index ? endOf(this.#seenIndex) : this.#last;
  }

  /**
   * `fill` is asked for what is missing before an entry when that entry's turn has come, never for what may still come here. Rejects as
   * it does.
   */
  async *follow(after: Position, signal: AbortSignal, fill?: Fill): AsyncGenerator<JournalEntry> {
    const either = AbortSignal.any([signal, this.#closing.signal]);
    let position = after;
    // Memory knows nothing of holes.
    let areFilesFirst = fill !== undefined;
    while (!either.aborted) {
      const next = areFilesFirst ? undefined : this.#recent.after(position);
      areFilesFirst = false;
      if (next === undefined) {
        const floor = this.#recent.floor;
        const upTo = fill === undefined ? undefined : this.#last;
        const query = { after: position, ...(upTo !== undefined && { upTo }) };
        for await (const entry of this.read(query, fill)) {
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
      this.#note(JSON.stringify({ seen: this.#seenIndex }), this.#last);
      await this.#write();
    }
    await this.#segments.close().catch((error: unknown) => {
      this.#failed(error);
    });
  }

  #note(text: string, after?: Position): void {
    const note = parseNote(text);
    if (note?.kind === "gap")
      this.#logger.warn({ note: text }, "journal: changes are missing here");
    const place = after ?? (note?.kind === "gap" ? note.after : ORIGIN);
    this.#notes = [...this.#notes, { text, after: place }];
  }

  #gapEndsAt(index: number): void {
    // Of too many at once the last ones are taken together: who follows then misses what lies between.
    this.#gapEnds = [...this.#gapEnds.slice(0, GAPS_MAX - 1), endOf(index)];
  }

  /** Who follows and is not behind a gap yet goes on in the files, which know of it. */
  #passGaps(entry: JournalEntry): void {
    const passed = this.#gapEnds.filter((end) => isAfter(entry, end));
    const newest = passed.at(-1);
    if (newest === undefined) return;
    this.#gapEnds = this.#gapEnds.slice(passed.length);
    this.#recent.startAfter(newest);
  }

  #lossNotes(): readonly string[] {
    const losses = [
      { loss: this.#overflow, why: "too many entries waited" },
      { loss: this.#unmade, why: "too many changes waited" },
    ];
    return losses.flatMap(({ loss, why }) =>
      loss === undefined ? [] : [JSON.stringify({ gap: { ...loss, why } })],
    );
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
    for (const text of this.#lossNotes()) this.#note(text);
    this.#overflow = undefined;
    this.#unmade = undefined;
    const entries = this.#queue.slice(0, WRITE_ENTRIES_MAX);
    const [first] = entries;
    const newest = entries.at(-1);
    const isAll = entries.length === this.#queue.length;
    // In the order of the log, so that what is missing is found at its place.
    const notes = this.#notes.filter(({ after }) => isAll || (newest && !isAfter(after, newest)));
    await this.#segments.write(
      Buffer.concat(inOrder(notes, entries).map(encodeRecord)),
      first ?? { index: this.#seenIndex, seq: 0 },
      first?.atMs ?? this.#clock.wallMs(),
      newest,
    );
    this.#notes = this.#notes.filter((note) => !notes.includes(note));
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

  /** The segments that the query may concern, and what cannot be stored at the moment: that is in memory. */
  #parts(query: JournalQuery): readonly Part[] {
    const stored = this.#segments.last;
    const unstored = this.#queue.filter((entry) => isAfter(entry, stored));
    const notes = [...this.#notes.map(({ text }) => text), ...this.#lossNotes()];
    const all = this.#segments.list();
    const [newest] = unstored;
    const segments = this.#wanted(all, query).map((segment): Part => {
      const follower = all[all.indexOf(segment) + 1];
      return () =>
        scanSegment({
          ...segment,
          isOldest: segment === all[0],
          next: follower === undefined ? newest && firstOf(newest) : firstOf(follower),
          query,
          onDamage: (from, to) => {
            const { path } = segment;
            this.#logger.warn({ path, from, to }, "journal: damaged entries are left out");
          },
          // The others are still worth reading.
          onUnreadable: (err) => {
            const { path } = segment;
            this.#logger.warn({ path, err }, "journal: segment cannot be read");
          },
        });
    });
    const memory = () => memoryItems(notes, unstored, all.length === 0);
    return [...segments, memory];
  }

  /** By position and time of their first entries. */
  #wanted(all: readonly Segment[], query: JournalQuery): readonly Segment[] {
    return all.filter((segment, i) => {
      const next = all[i + 1];
      // What is missing before a segment is told by it: the first one behind the query's end is looked at too.
      const before = all[i - 1];
      if (query.upTo !== undefined && before !== undefined && isAfter(before.first, query.upTo))
        return false;
      if (query.after !== undefined && next !== undefined && !isAfter(next.first, query.after))
        return false;
      const endMs = next?.firstMs ?? 0;
      return query.sinceMs === undefined || endMs === 0 || endMs + CLOCK_SLACK_MS >= query.sinceMs;
    });
  }
}

function inOrder(
  notes: readonly PlacedNote[],
  entries: readonly JournalEntry[],
): readonly string[] {
  const rest = [...notes].sort((a, b) => comparePositions(a.after, b.after));
  const texts: string[] = [];
  for (const entry of entries) {
    while (rest[0] !== undefined && isAfter(entry, rest[0].after))
      texts.push(rest.shift()?.text ?? "");
    texts.push(entryText(entry));
  }
  return [...texts, ...rest.map(({ text }) => text)];
}

type First = { readonly first: Position; readonly atMs: number };

function firstOf(next: Segment | JournalEntry): First {
  if ("first" in next) return { first: next.first, atMs: next.firstMs || Number.POSITIVE_INFINITY };
  return { first: next, atMs: next.atMs };
}

async function* memoryItems(
  notes: readonly string[],
  entries: readonly JournalEntry[],
  isOldest: boolean,
): AsyncGenerator<Item> {
  const holes = new HoleFinder(isOldest);
  for (const text of notes) {
    const note = parseNote(text);
    if (note !== undefined) holes.take(note);
  }
  for (const entry of entries) {
    for (const hole of holes.before(entry)) yield { kind: "hole", hole };
    yield { kind: "entry", entry };
  }
  for (const hole of holes.rest(undefined)) yield { kind: "hole", hole };
}
