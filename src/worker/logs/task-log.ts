/**
 * From spool to log for one task. The engine's shim appends to two plain files, with or without an agent; the agent reads
 * behind it, stamps the time, writes the rotating log and punches holes into what it has read. Nothing is lost by an agent
 * restart: the spool is read again from the last offset that reached the log.
 */
import { mkdir, open, stat } from "node:fs/promises";
import type { Clock, Logger } from "../../base/index.js";
import { LogFiles, type LogLimits, type Offsets } from "./log-files.js";
import { type HolePuncher, PUNCH_BYTES } from "./punch.js";
import { cutLines, encodeRecords, type LogStream, PAYLOAD_MAX_BYTES, Stamper } from "./record.js";

const NEWLINE = 0x0a;

/** Most bytes read from one stream before other tasks get their turn. */
export const READ_MAX_BYTES = 256 * 1024;

/** A backlog below this is never skipped. */
export const BACKLOG_MIN_BYTES = 16 * 1024 * 1024;

export type TaskLogPaths = {
  /** Directory of the spool files `out` and `err`. */
  readonly spoolDir: string;
  readonly logDir: string;
};

export class TaskLog {
  readonly files: LogFiles;
  readonly #paths: TaskLogPaths;
  readonly #isDiscarding: boolean;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #puncher: HolePuncher;
  readonly #stamper = new Stamper();
  readonly #listeners = new Set<() => void>();
  #offsets: { stdout: number; stderr: number } | undefined;
  readonly #punched = { stdout: 0, stderr: 0 };
  /** One operation at a time: draining, rotating, opening files for reading. */
  #tail: Promise<unknown> = Promise.resolve();
  #isFinished = false;

  constructor(options: {
    readonly paths: TaskLogPaths;
    readonly limits: LogLimits;
    /** Driver "none": read and forget. */
    readonly isDiscarding: boolean;
    readonly clock: Clock;
    readonly logger: Logger;
    readonly puncher: HolePuncher;
  }) {
    this.#paths = options.paths;
    this.files = new LogFiles(options.paths.logDir, options.limits);
    this.#isDiscarding = options.isDiscarding;
    this.#clock = options.clock;
    this.#logger = options.logger;
    this.#puncher = options.puncher;
  }

  get isDiscarding(): boolean {
    return this.#isDiscarding;
  }

  /** The container has ended and all it wrote is in the log. */
  get isFinished(): boolean {
    return this.#isFinished;
  }

  spoolPath(stream: LogStream): string {
    return `${this.#paths.spoolDir}/${stream === "stdout" ? "out" : "err"}`;
  }

  /** Makes directories and the empty spool files that the shim appends to. */
  async prepare(): Promise<void> {
    await mkdir(this.#paths.spoolDir, { recursive: true, mode: 0o700 });
    await mkdir(this.#paths.logDir, { recursive: true, mode: 0o700 });
    for (const stream of ["stdout", "stderr"] as const) {
      const file = await open(this.spoolPath(stream), "a", 0o600);
      await file.close();
    }
  }

  /** Moves one portion from spool to log; true if there is more. */
  drain(isFinal = false): Promise<boolean> {
    return this.exclusive(async () => {
      this.#offsets ??= { ...(await this.files.recover()) };
      let hasMore = false;
      let hasNew = false;
      for (const stream of ["stdout", "stderr"] as const) {
        const moved = await this.#move(stream, this.#offsets, isFinal);
        hasMore ||= moved.hasMore;
        hasNew ||= moved.bytes > 0;
      }
      if (hasNew) this.#notify();
      return hasMore;
    });
  }

  /** All of the spool; called when the container has ended. */
  async finish(): Promise<void> {
    while (await this.drain(true));
    this.#isFinished = true;
    this.#notify();
  }

  /** The container runs again from the log's view (agent restarted while it ran). */
  reopen(): void {
    this.#isFinished = false;
  }

  /** Calls back after every append and at the end. Returns the way to stop. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Runs when nothing else works on the files. */
  exclusive<T>(action: () => Promise<T>): Promise<T> {
    const done = this.#tail.then(action, action);
    this.#tail = done.catch(() => undefined);
    return done;
  }

  #notify(): void {
    for (const listener of [...this.#listeners]) listener();
  }

  async #move(
    stream: LogStream,
    offsets: { stdout: number; stderr: number },
    isFinal: boolean,
  ): Promise<{ bytes: number; hasMore: boolean }> {
    const from = offsets[stream];
    const read = await readFrom(this.spoolPath(stream), from);
    if (read.bytes.length === 0) return { bytes: 0, hasMore: false };
    if (await this.#skipBacklog(stream, offsets, read.sizeBytes))
      return { bytes: 0, hasMore: true };
    const chunks = cutLines(read.bytes, from, isFinal && !read.hasMore);
    const last = chunks.at(-1);
    if (last === undefined) return { bytes: 0, hasMore: false };
    const after: Offsets = { ...offsets, [stream]: last.endOffset };
    if (!this.#isDiscarding) {
      const records = encodeRecords(stream, chunks, () => this.#stamper.next(this.#clock.wallMs()));
      await this.files.append(records, after);
    }
    offsets[stream] = last.endOffset;
    await this.#punch(stream, offsets);
    return { bytes: last.endOffset - from, hasMore: read.hasMore };
  }

  /**
   * After an outage of the agent, or behind a container that writes faster than it is read, the beginning of a backlog would be
   * copied only to be rotated away. It is freed at once instead: what is left in the log is the same.
   */
  async #skipBacklog(
    stream: LogStream,
    offsets: { stdout: number; stderr: number },
    sizeBytes: number,
  ): Promise<boolean> {
    // A file may be larger than its limit by the portion that made it so.
    const keptBytes = this.#isDiscarding
      ? 0
      : this.files.sizeMaxBytes + this.files.fileMax * 2 * READ_MAX_BYTES;
    const backlogBytes = sizeBytes - offsets[stream];
    if (backlogBytes <= Math.max(2 * keptBytes, BACKLOG_MIN_BYTES)) return false;
    const to = await lineStart(this.spoolPath(stream), sizeBytes - keptBytes);
    const droppedBytes = to - offsets[stream];
    offsets[stream] = to;
    await this.#punch(stream, offsets);
    this.#logger.warn({ stream, droppedBytes }, "log backlog larger than the log: oldest dropped");
    return true;
  }

  async #punch(stream: LogStream, offsets: Offsets): Promise<void> {
    const from = this.#punched[stream];
    const to = offsets[stream];
    if (to - from < PUNCH_BYTES) return;
    try {
      if (!this.#isDiscarding) await this.files.sync();
      await this.files.checkpoint(offsets);
      await this.#puncher.punch(this.spoolPath(stream), from, to - from);
      this.#punched[stream] = to;
    } catch (error) {
      // The spool only stays larger; the next portion tries again.
      this.#logger.warn({ error, spool: this.spoolPath(stream) }, "cannot free read log spool");
    }
  }
}

/** The beginning of the first line after `offset`; `offset` itself in the middle of a line without end. */
async function lineStart(path: string, offset: number): Promise<number> {
  const file = await open(path, "r");
  try {
    const bytes = Buffer.alloc(PAYLOAD_MAX_BYTES);
    const { bytesRead } = await file.read(bytes, 0, bytes.length, offset);
    return offset + bytes.subarray(0, bytesRead).indexOf(NEWLINE) + 1;
  } finally {
    await file.close();
  }
}

async function readFrom(
  path: string,
  offset: number,
): Promise<{ readonly bytes: Buffer; readonly hasMore: boolean; readonly sizeBytes: number }> {
  const nothing = { bytes: Buffer.alloc(0), hasMore: false, sizeBytes: offset };
  let file: Awaited<ReturnType<typeof open>>;
  try {
    // Most looks find nothing new: one call instead of three.
    if ((await stat(path)).size <= offset) return nothing;
    file = await open(path, "r");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return nothing;
    throw error;
  }
  try {
    const { size } = await file.stat();
    const length = Math.min(READ_MAX_BYTES, Math.max(0, size - offset));
    const bytes = Buffer.allocUnsafe(length);
    const { bytesRead } =
      length === 0 ? { bytesRead: 0 } : await file.read(bytes, 0, length, offset);
    const hasMore = offset + bytesRead < size;
    return { bytes: bytes.subarray(0, bytesRead), hasMore, sizeBytes: size };
  } finally {
    await file.close();
  }
}
