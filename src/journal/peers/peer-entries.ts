/** Reads what another manager's files hold, page by page. Never waits long: a manager that is slow or does not answer is given up. */
import type { Clock, Logger } from "../../base/index.js";
import {
  END,
  isAfter,
  type JournalEntry,
  type JournalQuery,
  justBefore,
  LAST_MAX,
  matchesQuery,
  ORIGIN,
  type Position,
  parseEntry,
} from "../core/index.js";
import type { JournalPage } from "../page.js";
import { LOOKED_AT_MAX, PAGE_ENTRIES, Patience } from "../patience.js";
import { JournalReadError, type JournalReader } from "../port.js";

/** Another manager. */
export type JournalPeer = {
  /** For users: "m3 (10.0.0.3:2377)". */
  readonly name: string;
  /**
   * What `pageOf` makes there of the query, without its filter. Undefined: an older version that does not know the question. Rejects when it
   * cannot be had, with a message for users.
   */
  page(
    query: JournalQuery,
    call: { readonly timeoutMs: number; readonly signal: AbortSignal },
  ): Promise<JournalPage | undefined>;
};

export type PeerEntriesParts = {
  readonly peer: JournalPeer;
  readonly clock: Clock;
  readonly logger: Logger;
};

type Bounds = { readonly after: Position; readonly upTo: Position };
type CheckedPage = { readonly entries: readonly JournalEntry[]; readonly isEnd: boolean };

export class PeerEntries implements JournalReader {
  readonly #parts: PeerEntriesParts;
  readonly #closing = new AbortController();
  readonly #patience: Patience;
  #refusedCount = 0;

  constructor(parts: PeerEntriesParts) {
    this.#parts = parts;
    this.#patience = new Patience(parts.clock);
  }

  /** What the peer says beside the question, out of order, or in another form than an entry's is left out, and counted in the log. */
  async *read(query: JournalQuery): AsyncGenerator<JournalEntry> {
    if (query.last === 0) return;
    try {
      if (query.last === undefined) {
        yield* this.#matching(query, false);
        return;
      }
      const count = Math.min(query.last, LAST_MAX);
      const found: JournalEntry[] = [];
      for await (const entry of this.#matching(query, true)) {
        found.push(entry);
        if (found.length >= count) break;
      }
      yield* found.reverse();
    } finally {
      this.#tellRefused();
    }
  }

  /** Pages on their way reject; no more are asked for. */
  close(): void {
    this.#closing.abort(new Error("the reader is closed"));
  }

  async *#matching(query: JournalQuery, isNewestFirst: boolean): AsyncGenerator<JournalEntry> {
    let { after = ORIGIN, upTo = END } = query;
    let seenCount = 0;
    while (isAfter(upTo, after)) {
      const page = await this.#page(query, { after, upTo }, isNewestFirst);
      const { entries } = page;
      const wanted = entries.filter((entry) => matchesQuery(entry, query));
      yield* isNewestFirst ? wanted.reverse() : wanted;
      if (page.isEnd) return;
      const edge = isNewestFirst ? entries[0] : entries.at(-1);
      if (edge === undefined) throw this.#error("says that there is more, and tells none of it");
      if (isNewestFirst) upTo = justBefore(edge);
      else after = edge;
      seenCount += entries.length;
      if (seenCount >= LOOKED_AT_MAX)
        throw this.#error(
          `holds more than the ${LOOKED_AT_MAX} entries looked at for one question`,
        );
    }
  }

  /** The filter stays here, so with `last` whole pages are asked for. An older version, which does not know the question, has nothing. */
  async #page(query: JournalQuery, bounds: Bounds, isNewestFirst: boolean): Promise<CheckedPage> {
    const { needles, sinceMs, untilMs } = query;
    const question: JournalQuery = {
      ...bounds,
      ...(needles !== undefined && { needles }),
      ...(sinceMs !== undefined && { sinceMs }),
      ...(untilMs !== undefined && { untilMs }),
      ...(isNewestFirst && { last: PAGE_ENTRIES }),
    };
    const page = await this.#ask(question);
    if (page === undefined) {
      const { peer, logger } = this.#parts;
      logger.debug({ manager: peer.name }, "journal: an older manager tells nothing of its files");
      return { entries: [], isEnd: true };
    }
    return { entries: this.#checked(page, question), isEnd: page.isEnd };
  }

  #checked(page: JournalPage, question: JournalQuery): readonly JournalEntry[] {
    const entries: JournalEntry[] = [];
    for (const text of page.entries) {
      const entry = parseEntry(text);
      const before = entries.at(-1);
      const isInOrder = entry !== undefined && (before === undefined || isAfter(entry, before));
      if (isInOrder && matchesQuery(entry, question)) entries.push(entry);
      else this.#refusedCount++;
    }
    return entries;
  }

  /** One question and its answer, within what is left of the patience. */
  async #ask(question: JournalQuery): Promise<JournalPage | undefined> {
    const { peer } = this.#parts;
    const timeoutMs = this.#patience.leftMs;
    try {
      return await this.#patience.wait(
        (signal) => peer.page(question, { timeoutMs, signal }),
        this.#closing.signal,
      );
    } catch (error) {
      throw this.#error(error instanceof Error ? error.message : String(error), error);
    }
  }

  #tellRefused(): void {
    const { peer, logger } = this.#parts;
    if (this.#refusedCount > 0)
      logger.warn(
        { manager: peer.name, count: this.#refusedCount },
        "journal: what another manager tells beside the question is left out",
      );
    this.#refusedCount = 0;
  }

  #error(what: string, cause?: unknown): JournalReadError {
    return new JournalReadError(`manager ${this.#parts.peer.name}: ${what}`, { cause });
  }
}
