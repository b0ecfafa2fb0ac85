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
import { type JournalPage, PAGE_ENTRIES } from "../page.js";
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

/** Entries looked at for one query. */
export const PEER_ENTRIES_MAX = 1_000_000;
/** Until the first answer, connecting included; and what all further ones may take beyond their PAGE_MS. */
export const PEER_PATIENCE_MS = 1500;
/** A manager that takes no longer than this for a page can be read to the end. */
const PAGE_MS = 20;

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
  /** Time that may still be spent on waiting for it. */
  #patienceMs = PEER_PATIENCE_MS;
  #refusedCount = 0;

  constructor(parts: PeerEntriesParts) {
    this.#parts = parts;
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
      if (seenCount >= PEER_ENTRIES_MAX)
        throw this.#error(
          `holds more than the ${PEER_ENTRIES_MAX} entries looked at for one question`,
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
    const { peer, clock } = this.#parts;
    const startMs = clock.nowMs();
    const timeoutMs = Math.max(1, this.#patienceMs);
    const over = new AbortController();
    const signal = AbortSignal.any([over.signal, this.#closing.signal]);
    const tooLate = clock.sleep(timeoutMs, signal).then(() => {
      throw new Error(`did not answer within ${PEER_PATIENCE_MS / 1000} s`);
    });
    try {
      this.#closing.signal.throwIfAborted();
      const page = await Promise.race([peer.page(question, { timeoutMs, signal }), tooLate]);
      const waitedMs = clock.nowMs() - startMs;
      this.#patienceMs = Math.min(PEER_PATIENCE_MS, this.#patienceMs - waitedMs + PAGE_MS);
      return page;
    } catch (error) {
      throw this.#error(error instanceof Error ? error.message : String(error), error);
    } finally {
      over.abort();
      // It rejects with the abort, whoever won.
      tooLate.catch(() => undefined);
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
