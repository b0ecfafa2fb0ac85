/** The journal as a Redis Stream. What Redis cannot take at the moment stays in the spill: nothing in the cluster waits for it. */
import type { Clock, Logger } from "../../base/index.js";
import {
  comparePositions,
  isAfter,
  type JournalEntry,
  type JournalQuery,
  ORIGIN,
  type Position,
  positionText,
  type RedisTarget,
  targetText,
} from "../core/index.js";
import type { FileJournal } from "../file/file-journal.js";
import type { Fill } from "../file/read-parts.js";
import type { Journal, JournalLag } from "../port.js";
import { connectClient, createClient, type RedisClient } from "./client.js";
import { RedisReader } from "./reader.js";
import { appendAfter, lastPosition, STREAM_ENTRIES_MAX, streamKey } from "./stream.js";

/** One write to Redis. */
export const BATCH_ENTRIES_MAX = 256;
/** What comes within this time is written together. */
export const BATCH_DELAY_MS = 5;
/** After a failure, doubled each time up to the maximum. */
export const RETRY_MIN_MS = 200;
export const RETRY_MAX_MS = 10_000;
/** Followers of the stream look this often; followers of the cluster use the files. */
const FOLLOW_POLL_MS = 200;

export type RedisJournalParts = {
  readonly target: RedisTarget;
  readonly caPem?: string;
  readonly clusterId: string;
  readonly entriesMax?: number;
  /** Holds every entry until it is in the stream, within its own bounds. Not closed by this journal. */
  readonly spill: FileJournal;
  /**
   * Asked for what the spill lacks, before what comes behind it is copied. When it rejects, copying is tried again later. Absent: what
   * the spill lacks is left out.
   */
  readonly fill?: Fill;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly retryMinMs?: number;
};

/** What the spill lacks cannot be had at the moment; nothing is wrong with Redis. */
class HoleError extends Error {
  override readonly name = "HoleError";
}

export class RedisJournal implements Journal {
  readonly #parts: RedisJournalParts;
  readonly #key: string;
  readonly #closing = new AbortController();
  readonly #pumping: Promise<void>;
  #stored: Position = ORIGIN;
  #problem = "not connected yet";
  /** Why what the spill lacks is waited for. */
  #holeProblem = "";
  readonly #reader: RedisReader;

  private constructor(parts: RedisJournalParts) {
    this.#parts = parts;
    this.#key = streamKey(parts.clusterId);
    this.#reader = new RedisReader(parts);
    this.#pumping = this.#pump(this.#closing.signal);
  }

  /** Begins to copy the spill into the stream, from the stream's last entry on. Only one at a time should: the leader's. */
  static open(parts: RedisJournalParts): RedisJournal {
    return new RedisJournal(parts);
  }

  append(entries: readonly JournalEntry[]): void {
    this.#parts.spill.append(entries);
  }

  lag(): JournalLag {
    const { last, droppedCount } = this.#parts.spill.lag();
    const isBehind = isAfter(last, this.#stored);
    const problem = this.#problem === "" ? this.#holeProblem : this.#problem;
    return {
      state: problem === "" ? "ok" : "failing",
      problem,
      last,
      stored: this.#stored,
      // The distance in log indexes: an upper bound, but for transactions with many changes.
      waitingCount: isBehind ? Math.max(1, last.index - this.#stored.index) : 0,
      droppedCount,
    };
  }

  read(query: JournalQuery): AsyncIterable<JournalEntry> {
    return this.#reader.read(query);
  }

  async *follow(after: Position, signal: AbortSignal): AsyncGenerator<JournalEntry> {
    const either = AbortSignal.any([signal, this.#closing.signal]);
    let position = after;
    while (!either.aborted) {
      try {
        for await (const entry of this.#reader.read({ after: position })) {
          if (either.aborted) return;
          position = entry;
          yield entry;
        }
      } catch (error) {
        // The end of the connection is then its end.
        if (!either.aborted) throw error;
      }
      await this.#parts.clock.sleep(FOLLOW_POLL_MS, either).catch(() => undefined);
    }
  }

  async close(): Promise<void> {
    this.#closing.abort(new Error("the journal is closed"));
    this.#reader.close();
    await this.#pumping;
  }

  async #pump(signal: AbortSignal): Promise<void> {
    const { clock, logger, target, retryMinMs = RETRY_MIN_MS } = this.#parts;
    let delayMs = retryMinMs;
    while (!signal.aborted) {
      const client = createClient(target, this.#parts.caPem);
      const before = this.#stored;
      // A connection that fails rejects with "closed" alone; why is told here. Of errors only the message is used: they carry the command.
      let why: unknown;
      client.on("error", (error: unknown) => {
        why = error;
      });
      try {
        const copying = connectClient(client).then(() =>
          this.#copy(client, signal, () => {
            if (this.#holeProblem === "") delayMs = retryMinMs;
            if (this.#problem !== "")
              logger.info({ redis: targetText(target) }, "journal: Redis takes entries");
            this.#problem = "";
          }),
        );
        // A Redis that does not answer must not hold up the end: the next leader's loops wait for it.
        await unlessAborted(copying, signal);
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof HoleError) this.#waits(error);
        else this.#failed(why ?? error);
      } finally {
        client.disconnect();
      }
      if (isAfter(this.#stored, before)) delayMs = retryMinMs;
      await clock.sleep(delayMs, signal).catch(() => undefined);
      delayMs = Math.min(2 * delayMs, RETRY_MAX_MS);
    }
  }

  /** Copies until the connection ends, which rejects, or the signal aborts. */
  async #copy(client: RedisClient, signal: AbortSignal, onSuccess: () => void): Promise<void> {
    const lost = new AbortController();
    client.once("close", () => {
      lost.abort(new Error("the connection was closed"));
    });
    const either = AbortSignal.any([signal, lost.signal]);
    let last = await lastPosition(client, this.#key);
    while (!either.aborted) {
      this.#stored = last;
      onSuccess();
      this.#checkAhead(last);
      last = await this.#copyFrom(client, last, either);
    }
    lost.signal.throwIfAborted();
  }

  /** Resolves with the stream's last position when it is not where this copying left it, or once aborted. */
  async #copyFrom(client: RedisClient, from: Position, signal: AbortSignal): Promise<Position> {
    const { spill, clock, entriesMax = STREAM_ENTRIES_MAX } = this.#parts;
    let last = from;
    const done = new AbortController();
    const entries = spill.follow(from, AbortSignal.any([signal, done.signal]), this.#fill());
    try {
      for await (const batch of batches(entries, clock)) {
        const newest = batch.at(-1);
        if (newest === undefined) continue;
        const now = await appendAfter(client, this.#key, last, batch, entriesMax);
        if (comparePositions(now, newest) !== 0) return now;
        last = { index: newest.index, seq: newest.seq };
        this.#stored = last;
        this.#problem = "";
        this.#holeProblem = "";
      }
      return last;
    } finally {
      done.abort();
    }
  }

  /** Indexes never go back, unless the cluster was founded again from an older state. */
  #checkAhead(last: Position): void {
    const { spill } = this.#parts;
    const own = spill.lag().last;
    if (own.index === 0 || !isAfter(last, own)) return;
    this.#problem = `the stream holds entries up to ${positionText(last)}, this cluster has come to ${positionText(own)} only: entries until then are taken as written`;
    this.#parts.logger.warn({ problem: this.#problem }, "journal: the stream is ahead");
  }

  #fill(): Fill | undefined {
    const { fill } = this.#parts;
    if (fill === undefined) return undefined;
    const checked = async function* (this: RedisJournal, within: JournalQuery) {
      try {
        yield* fill(within);
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        throw new HoleError(`waiting for changes that this manager's files lack: ${why}`, {
          cause: error,
        });
      }
      this.#holeProblem = "";
    };
    return checked.bind(this);
  }

  #waits({ message: problem }: HoleError): void {
    if (problem !== this.#holeProblem)
      this.#parts.logger.warn(
        { problem },
        "journal: the stream waits for what another manager has; entries stay in the files meanwhile",
      );
    this.#holeProblem = problem;
  }

  #failed(error: unknown): void {
    const { logger, target } = this.#parts;
    const problem = error instanceof Error ? error.message : String(error);
    if (problem !== this.#problem)
      logger.warn(
        { redis: targetText(target), problem },
        "journal: Redis takes no entries; they stay in the files meanwhile",
      );
    this.#problem = problem;
  }
}

/** As `work` ends, or rejects once the signal aborts. */
function unlessAborted(work: Promise<void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      reject(new Error("the journal is closed"));
    };
    signal.addEventListener("abort", onAbort, { once: true });
    work.then(resolve, reject).finally(() => {
      signal.removeEventListener("abort", onAbort);
    });
    if (signal.aborted) onAbort();
  });
}

type Next =
  | { readonly kind: "next"; readonly result: IteratorResult<JournalEntry> }
  | { readonly kind: "failed"; readonly error: unknown };

/** What is there at once, or comes within a moment, as one list. Rejects as the source does, behind what came before. */
async function* batches(
  source: AsyncIterable<JournalEntry>,
  clock: Clock,
): AsyncGenerator<readonly JournalEntry[]> {
  const iterator = source[Symbol.asyncIterator]();
  // A failure is kept until its turn: meanwhile nobody waits for it.
  const fetchNext = (): Promise<Next> =>
    iterator.next().then(
      (result) => ({ kind: "next", result }),
      (error: unknown) => ({ kind: "failed", error }),
    );
  let next = fetchNext();
  for (;;) {
    const first = await next;
    if (first.kind === "failed") throw first.error;
    if (first.result.done) return;
    const batch = [first.result.value];
    next = fetchNext();
    const pause = new AbortController();
    const isOver = clock.sleep(BATCH_DELAY_MS, pause.signal).then(
      () => undefined,
      () => undefined,
    );
    while (batch.length < BATCH_ENTRIES_MAX) {
      const more = await Promise.race([next, isOver]);
      if (more === undefined || more.kind === "failed" || more.result.done) break;
      batch.push(more.result.value);
      next = fetchNext();
    }
    pause.abort();
    yield batch;
  }
}
