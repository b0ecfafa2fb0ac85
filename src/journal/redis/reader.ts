/** Reads the stream, and writes nothing. Never waits long: a Redis that is slow or does not answer is given up. */
import type { Clock, Logger } from "../../base/index.js";
import {
  CLOCK_SLACK_MS,
  END,
  endOf,
  type JournalEntry,
  type JournalQuery,
  justBefore,
  LAST_MAX,
  matchesQuery,
  ORIGIN,
  type Position,
  parsePosition,
  positionText,
  type RedisTarget,
  targetText,
} from "../core/index.js";
import { LOOKED_AT_MAX, PAGE_ENTRIES, Patience } from "../patience.js";
import { JournalReadError, type JournalReader } from "../port.js";
import { connectClient, createClient, type RedisClient } from "./client.js";
import { type Sample, seekTime } from "./seek.js";
import { rowEntry, rowText, type StreamRow, streamKey } from "./stream.js";

/** Entries of which one should be readable, when a time is looked for. */
const SAMPLE_ENTRIES = 4;

export type RedisReaderParts = {
  readonly target: RedisTarget;
  readonly caPem?: string;
  readonly clusterId: string;
  readonly clock: Clock;
  readonly logger: Logger;
};

type Bounds = { readonly after: Position; readonly upTo: Position };

export class RedisReader implements JournalReader {
  readonly #parts: RedisReaderParts;
  readonly #key: string;
  #client: RedisClient | undefined;
  #isClosed = false;
  #connecting: Promise<RedisClient> | undefined;
  /** What the connection said of its own. */
  #problem: unknown;
  readonly #patience: Patience;

  /** Connects with the first question. */
  constructor(parts: RedisReaderParts) {
    this.#parts = parts;
    this.#key = streamKey(parts.clusterId);
    this.#patience = new Patience(parts.clock);
  }

  async *read(query: JournalQuery): AsyncGenerator<JournalEntry> {
    const bounds = await this.#bounds(query);
    if (bounds === undefined || query.last === 0) return;
    if (query.last === undefined) {
      yield* this.#matching(query, bounds, false);
      return;
    }
    const count = Math.min(query.last, LAST_MAX);
    const found: JournalEntry[] = [];
    for await (const entry of this.#matching(query, bounds, true)) {
      found.push(entry);
      if (found.length >= count) break;
    }
    yield* found.reverse();
  }

  /** Place of the newest entry in the stream; ORIGIN when it is empty. */
  async newest(): Promise<Position> {
    return placeOf(await this.#rows({ after: ORIGIN, upTo: END }, 1, true)) ?? ORIGIN;
  }

  /** Ends the connection for good; reads on their way reject. */
  close(): void {
    this.#isClosed = true;
    this.#disconnect();
  }

  #disconnect(): void {
    this.#client?.disconnect();
    this.#client = undefined;
  }

  async *#matching(
    query: JournalQuery,
    bounds: Bounds,
    isNewestFirst: boolean,
  ): AsyncGenerator<JournalEntry> {
    let { after, upTo } = bounds;
    let seenCount = 0;
    let refusedCount = 0;
    try {
      for (;;) {
        const page = await this.#rows({ after, upTo }, PAGE_ENTRIES, isNewestFirst);
        for (const row of page) {
          if (!mayHold(row, query.needles)) continue;
          const entry = rowEntry(row);
          if (entry === undefined) refusedCount++;
          else if (matchesQuery(entry, query)) yield entry;
        }
        const place = placeOf(page.slice(-1));
        if (place === undefined || page.length < PAGE_ENTRIES) return;
        if (isNewestFirst) upTo = justBefore(place);
        else after = place;
        seenCount += page.length;
        if (seenCount >= LOOKED_AT_MAX)
          throw this.#error(
            `holds more than the ${LOOKED_AT_MAX} entries looked at for one question`,
          );
      }
    } finally {
      if (refusedCount > 0)
        this.#parts.logger.warn(
          { redis: targetText(this.#parts.target), count: refusedCount },
          "journal: what is no entry of this cluster's in the stream is left out",
        );
    }
  }

  /** Ids are places in the log, not times: those of the query's times are looked for. Undefined: the stream holds nothing of them. */
  async #bounds({
    after = ORIGIN,
    upTo = END,
    sinceMs,
    untilMs,
  }: JournalQuery): Promise<Bounds | undefined> {
    const whole = { after, upTo };
    if (sinceMs === undefined && untilMs === undefined) return whole;
    const from = placeOf(await this.#rows(whole, 1, false));
    const to = placeOf(await this.#rows(whole, 1, true));
    if (from === undefined || to === undefined) return undefined;
    const range = { from: from.index, to: to.index };
    const sampleFrom = async (index: number): Promise<Sample | undefined> => {
      const bounds = { after: justBefore({ index, seq: 0 }), upTo: to };
      const rows = await this.#rows(bounds, SAMPLE_ENTRIES, false);
      return rows.map(rowEntry).find((entry) => entry !== undefined);
    };
    const [oldestMs, newestMs] = [(sinceMs ?? 0) - CLOCK_SLACK_MS, (untilMs ?? 0) + CLOCK_SLACK_MS];
    const lo = sinceMs === undefined ? undefined : await seekTime(oldestMs, range, sampleFrom);
    const hi = untilMs === undefined ? undefined : await seekTime(newestMs + 1, range, sampleFrom);
    return {
      after: lo === undefined || lo.olderIndex < range.from ? after : endOf(lo.olderIndex),
      upTo: hi === undefined || hi.newerIndex > range.to ? upTo : endOf(hi.newerIndex),
    };
  }

  async #rows(
    { after, upTo }: Bounds,
    count: number,
    isNewestFirst: boolean,
  ): Promise<readonly StreamRow[]> {
    const [lo, hi] = [`(${positionText(after)}`, positionText(upTo)];
    return this.#ask((client) =>
      isNewestFirst
        ? client.xrevrange(this.#key, hi, lo, "COUNT", count)
        : client.xrange(this.#key, lo, hi, "COUNT", count),
    );
  }

  /** One question and its answer, within what is left of the patience. A connection that failed is not used again. */
  async #ask<T>(question: (client: RedisClient) => Promise<T>): Promise<T> {
    try {
      return await this.#patience.wait(() => this.#connected().then(question));
    } catch (error) {
      const why = this.#problem ?? error;
      this.#disconnect();
      throw this.#error(why instanceof Error ? why.message : String(why), error);
    }
  }

  #connected(): Promise<RedisClient> {
    if (this.#isClosed) return Promise.reject(new Error("the reader is closed"));
    if (this.#client === undefined || this.#client.status === "end") {
      const client = createClient(this.#parts.target, this.#parts.caPem);
      this.#client = client;
      this.#patience.renew();
      this.#problem = undefined;
      // A connection that fails rejects with "closed" alone; why is told here. Of errors only the message is used: they carry the command.
      client.on("error", (error: unknown) => {
        this.#problem = error;
      });
      this.#connecting = connectClient(client).then(() => client);
    }
    return this.#connecting ?? Promise.reject(new Error("not connected"));
  }

  #error(what: string, cause?: unknown): JournalReadError {
    return new JournalReadError(`${targetText(this.#parts.target)}: ${what}`, { cause });
  }
}

function placeOf([row]: readonly StreamRow[]): Position | undefined {
  return row === undefined ? undefined : parsePosition(row[0]);
}

function mayHold(row: StreamRow, needles: readonly string[] | undefined): boolean {
  const text = rowText(row);
  // What has no text is looked at, to be refused and counted.
  return (
    text === undefined || needles === undefined || needles.some((needle) => text.includes(needle))
  );
}
