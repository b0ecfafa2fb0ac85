/** All task logs of the node: watches spools, moves what arrives, hands out readers. */
import { type FSWatcher, watch } from "node:fs";
import type { Clock, Logger } from "../../base/index.js";
import type { LogLimits } from "./log-files.js";
import type { HolePuncher } from "./punch.js";
import { TaskLog, type TaskLogPaths } from "./task-log.js";

/** Spools moved at a time: bounds memory (4 × 256 KiB × 2) and CPU with hundreds of tasks. */
const DRAIN_MAX = 4;
/** Writes arriving within this time are moved together. */
const QUIET_MS = 20;
/** Looks at every spool even when no notification came (some file systems give none). */
const POLL_MS = 5_000;
/** After the container's end the shim may still be copying its last bytes. */
const LAST_BYTES_MS = 100;

export type LogDriverChoice = {
  readonly Name?: string;
  readonly Options?: Readonly<Record<string, string>>;
};

type Entry = {
  readonly log: TaskLog;
  watcher: FSWatcher | undefined;
  isQueued: boolean;
  cancelQuiet: (() => void) | undefined;
};

type Finishing = { readonly done: Promise<void>; readonly hurry: () => void };

export class LogService implements AsyncDisposable {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #puncher: HolePuncher;
  readonly #entries = new Map<string, Entry>();
  readonly #queue: Entry[] = [];
  readonly #running = new Set<Promise<void>>();
  /** By task; these settle by themselves, soon, or sooner when they are hurried. */
  readonly #finishing = new Map<string, Finishing>();
  #cancelPoll: (() => void) | undefined;
  #isClosed = false;

  constructor(options: {
    readonly clock: Clock;
    readonly logger: Logger;
    readonly puncher: HolePuncher;
  }) {
    this.#clock = options.clock;
    this.#logger = options.logger;
    this.#puncher = options.puncher;
  }

  start(): void {
    const poll = (): void => {
      for (const entry of this.#entries.values()) if (!entry.log.isFinished) this.#enqueue(entry);
      this.#cancelPoll = this.#clock.setTimer(POLL_MS, poll);
    };
    this.#cancelPoll = this.#clock.setTimer(POLL_MS, poll);
  }

  get(taskId: string): TaskLog | undefined {
    return this.#entries.get(taskId)?.log;
  }

  /** Makes the task's log known; spool files exist afterwards, and what is being finished is complete. Safe to repeat. */
  async open(taskId: string, paths: TaskLogPaths, driver: LogDriverChoice): Promise<TaskLog> {
    const known = this.#entries.get(taskId);
    if (known !== undefined) {
      await this.#finishing.get(taskId)?.done;
      return known.log;
    }
    const log = new TaskLog({
      paths,
      limits: parseLogLimits(driver.Options ?? {}),
      isDiscarding: driver.Name === "none",
      clock: this.#clock,
      logger: this.#logger.child({ taskId }),
      puncher: this.#puncher,
    });
    const entry: Entry = { log, watcher: undefined, isQueued: false, cancelQuiet: undefined };
    this.#entries.set(taskId, entry);
    await log.prepare();
    return log;
  }

  /** The container is about to run, or runs: follow its spool. */
  follow(taskId: string, spoolDir: string): void {
    const entry = this.#entries.get(taskId);
    if (entry === undefined || entry.watcher !== undefined || this.#isClosed) return;
    entry.log.reopen();
    try {
      entry.watcher = watch(spoolDir, { persistent: false }, () => this.#notice(entry));
      entry.watcher.on("error", (error) => {
        this.#logger.warn({ error, taskId }, "log spool is polled, not watched");
        this.#unwatch(entry);
      });
    } catch (error) {
      // Out of inotify watches: polling goes on.
      this.#logger.warn({ error, taskId }, "log spool is polled, not watched");
    }
    this.#enqueue(entry);
  }

  /** The container has ended: moves the rest, when it has come. Nobody who waits for the end of the task waits for that. */
  finish(taskId: string): void {
    const entry = this.#entries.get(taskId);
    if (entry === undefined || entry.log.isFinished || this.#finishing.has(taskId)) return;
    const waiting = new AbortController();
    const hurry = (): void => {
      waiting.abort();
    };
    const done = this.#moveRest(taskId, entry, waiting.signal).finally(() =>
      this.#finishing.delete(taskId),
    );
    this.#finishing.set(taskId, { done, hurry });
  }

  async #moveRest(taskId: string, entry: Entry, signal: AbortSignal): Promise<void> {
    try {
      while (await entry.log.drain());
      await this.#clock.sleep(LAST_BYTES_MS, signal).catch(() => undefined);
      await entry.log.finish();
    } catch (error) {
      this.#logger.error({ error, taskId }, "cannot write the task's log");
    }
    this.#unwatch(entry);
  }

  /** Forgets the task; its directory can be removed by the caller when this resolves. */
  async close(taskId: string): Promise<void> {
    const finishing = this.#finishing.get(taskId);
    finishing?.hurry();
    await finishing?.done;
    const entry = this.#entries.get(taskId);
    if (entry === undefined) return;
    this.#unwatch(entry);
    this.#entries.delete(taskId);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    this.#cancelPoll?.();
    for (const entry of this.#entries.values()) this.#unwatch(entry);
    const finishing = [...this.#finishing.values()];
    for (const { hurry } of finishing) hurry();
    await Promise.all([...this.#running, ...finishing.map(({ done }) => done)]);
  }

  #unwatch(entry: Entry): void {
    entry.cancelQuiet?.();
    entry.cancelQuiet = undefined;
    entry.watcher?.close();
    entry.watcher = undefined;
  }

  #notice(entry: Entry): void {
    if (entry.isQueued || entry.cancelQuiet !== undefined) return;
    entry.cancelQuiet = this.#clock.setTimer(QUIET_MS, () => {
      entry.cancelQuiet = undefined;
      this.#enqueue(entry);
    });
  }

  #enqueue(entry: Entry): void {
    if (entry.isQueued || this.#isClosed) return;
    entry.isQueued = true;
    this.#queue.push(entry);
    this.#next();
  }

  #next(): void {
    while (this.#running.size < DRAIN_MAX && !this.#isClosed) {
      const entry = this.#queue.shift();
      if (entry === undefined) return;
      entry.isQueued = false;
      const done = this.#drain(entry).finally(() => {
        this.#running.delete(done);
        this.#next();
      });
      this.#running.add(done);
    }
  }

  async #drain(entry: Entry): Promise<void> {
    try {
      if (await entry.log.drain()) this.#enqueue(entry);
    } catch (error) {
      // Disk full and the like: the spool keeps everything, the poll tries again.
      this.#logger.error({ error }, "cannot write a task's log");
    }
  }
}

const DEFAULT_SIZE_MAX_BYTES = 10 * 1024 * 1024;
const DEFAULT_FILE_MAX = 3;
const SIZE = /^(\d+(?:\.\d+)?)\s*([kmg]?)i?b?$/i;
const UNIT_BYTES: Readonly<Record<string, number>> = { "": 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30 };

/** `max-size` (-1 = no limit) and `max-file` of the drivers json-file and local; the managers have checked them. */
export function parseLogLimits(options: Readonly<Record<string, string>>): LogLimits {
  const text = (options["max-size"] ?? "").trim();
  const size = SIZE.exec(text);
  const sizeMaxBytes =
    size === null
      ? text === "-1"
        ? Number.POSITIVE_INFINITY
        : DEFAULT_SIZE_MAX_BYTES
      : Math.round(Number(size[1]) * (UNIT_BYTES[(size[2] ?? "").toLowerCase()] ?? 1));
  const fileMax = Number.parseInt(options["max-file"] ?? "", 10);
  return {
    sizeMaxBytes: Math.max(sizeMaxBytes, 4096),
    fileMax: Number.isInteger(fileMax) && fileMax >= 1 ? fileMax : DEFAULT_FILE_MAX,
  };
}
