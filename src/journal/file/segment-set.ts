/** The segment files of a directory: found at the start, appended to, rotated, removed. One writer at a time. */
import { type FileHandle, mkdir, open, readdir, rm, truncate } from "node:fs/promises";
import { join } from "node:path";
import type { Logger } from "../../base/index.js";
import { ORIGIN, type Position, parseEntry, parseNote } from "../core/index.js";
import type { FileJournalLimits } from "./limits.js";
import { readSegment, segmentName, segmentStart } from "./segment.js";

export type Segment = {
  readonly path: string;
  readonly first: Position;
  /** Time of the first entry written or found; 0: unknown. */
  firstMs: number;
  sizeBytes: number;
};

/** As of node:fs/promises; replaced by tests of a full disk. */
export type OpenFile = (path: string, flags: string, mode: number) => Promise<FileHandle>;

export class SegmentSet {
  readonly #dir: string;
  readonly #limits: FileJournalLimits;
  readonly #logger: Logger;
  readonly #openFile: OpenFile;
  #segments: Segment[] = [];
  #active: FileHandle | undefined;
  /** Newest entry stored, and the highest log index that was noted as seen. */
  last: Position = ORIGIN;
  seenIndex = 0;

  constructor(dir: string, limits: FileJournalLimits, logger: Logger, openFile: OpenFile = open) {
    this.#dir = dir;
    this.#limits = limits;
    this.#logger = logger;
    this.#openFile = openFile;
  }

  /** Oldest first; sizes as of the call. */
  list(): readonly Segment[] {
    return this.#segments.map((segment) => ({ ...segment }));
  }

  get sizeBytes(): number {
    return this.#segments.reduce((sum, segment) => sum + segment.sizeBytes, 0);
  }

  /** Looks at what is there and cuts a torn tail. Rejects with the system's errors. */
  async load(): Promise<void> {
    await mkdir(this.#dir, { recursive: true, mode: 0o700 });
    const names = (await readdir(this.#dir)).filter((name) => segmentStart(name)).sort();
    this.#segments = [];
    for (const name of names) {
      const path = join(this.#dir, name);
      const file = await open(path, "r");
      try {
        const { size, mtimeMs } = await file.stat();
        const first = segmentStart(name) ?? ORIGIN;
        this.#segments.push({ path, first, firstMs: mtimeMs, sizeBytes: size });
      } finally {
        await file.close();
      }
    }
    await this.#findEnd();
  }

  /**
   * Writes whole records, `newest` being the last entry among them. When it rejects nothing of them counts: the next write begins
   * at the same place.
   */
  async write(
    bytes: Buffer,
    first: Position,
    firstMs: number,
    newest: Position | undefined,
  ): Promise<void> {
    const active = await this.#activeFor(first, firstMs);
    const segment = this.#segments.at(-1);
    if (segment === undefined) throw new Error("no segment is open");
    let done = 0;
    while (done < bytes.length) {
      const at = segment.sizeBytes + done;
      const { bytesWritten } = await active.write(bytes, done, bytes.length - done, at);
      done += bytesWritten;
    }
    segment.sizeBytes += bytes.length;
    if (newest !== undefined) this.last = { index: newest.index, seq: newest.seq };
  }

  async sync(): Promise<void> {
    await this.#active?.datasync();
  }

  /** Removes the oldest beyond size and age; never the one that is written to. */
  async trim(nowMs: number): Promise<void> {
    const { journalBytesMax, ageMaxMs } = this.#limits;
    for (;;) {
      const [oldest, next] = this.#segments;
      if (oldest === undefined || next === undefined) return;
      const isOld = next.firstMs !== 0 && next.firstMs < nowMs - ageMaxMs;
      if (this.sizeBytes <= journalBytesMax && !isOld) return;
      await rm(oldest.path, { force: true });
      this.#segments.shift();
    }
  }

  async close(): Promise<void> {
    const active = this.#active;
    this.#active = undefined;
    if (active === undefined) return;
    try {
      await active.datasync();
    } finally {
      await active.close();
    }
  }

  /** The end is in the last segment that holds an entry; only a tail with nothing intact behind it is cut. */
  async #findEnd(): Promise<void> {
    for (const segment of [...this.#segments].reverse()) {
      const isNewest = segment === this.#segments.at(-1);
      if (await this.#scan(segment, isNewest)) return;
    }
  }

  /** Whether it holds an entry. */
  async #scan(segment: Segment, mayCut: boolean): Promise<boolean> {
    let hasEntry = false;
    for await (const item of readSegment(segment.path, segment.sizeBytes)) {
      if (item.kind === "damaged") {
        const { from, to, isTail } = item;
        this.#logger.warn({ path: segment.path, from, to }, "journal segment is damaged here");
        if (!isTail || !mayCut) continue;
        await truncate(segment.path, from);
        segment.sizeBytes = from;
        continue;
      }
      const text = item.payload.toString("utf8");
      const entry = parseEntry(text);
      if (entry === undefined) {
        const note = parseNote(text);
        if (note?.kind === "seen") this.seenIndex = Math.max(this.seenIndex, note.index);
        continue;
      }
      hasEntry = true;
      this.last = { index: entry.index, seq: entry.seq };
    }
    return hasEntry;
  }

  async #activeFor(first: Position, firstMs: number): Promise<FileHandle> {
    const newest = this.#segments.at(-1);
    const hasRoom = newest !== undefined && newest.sizeBytes < this.#limits.segmentBytesMax;
    if (this.#active !== undefined && hasRoom) return this.#active;
    await this.close();
    if (newest !== undefined && hasRoom) {
      this.#active = await this.#openFile(newest.path, "r+", 0o600);
      return this.#active;
    }
    const path = join(this.#dir, segmentName(first));
    this.#active = await this.#openFile(path, "w", 0o600);
    this.#segments.push({ path, first, firstMs, sizeBytes: 0 });
    await syncDirectory(this.#dir);
    return this.#active;
  }
}

/** Makes a new name durable. */
async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

/** The directory of a journal belongs to one cluster: positions of another one mean nothing here. */
export async function removeOtherClusters(rootDir: string, clusterId: string): Promise<void> {
  await mkdir(rootDir, { recursive: true, mode: 0o700 });
  for (const name of await readdir(rootDir)) {
    if (name !== clusterId) await rm(join(rootDir, name), { recursive: true, force: true });
  }
}
