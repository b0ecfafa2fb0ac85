/** A part of what a reader has, of a bounded size: what managers send each other. */
import { entryText, type JournalEntry, type JournalQuery } from "./core/index.js";
import { PAGE_ENTRIES } from "./patience.js";
import type { JournalReader } from "./port.js";

/** Their JSON; a first entry that is longer comes all the same. */
export const PAGE_BYTES = 1024 * 1024;

export type JournalPage = {
  /** As JSON, in their order. */
  readonly entries: readonly string[];
  /** Nothing that matches comes behind them; with `last`: nothing before them. */
  readonly isEnd: boolean;
};

/**
 * The oldest entries that match; with `last` the newest, at most so many. Rejects JournalReadError as the reader does. An aborted signal
 * ends it early: the answer is of no use then.
 */
export async function pageOf(
  reader: JournalReader,
  query: JournalQuery,
  signal?: AbortSignal,
): Promise<JournalPage> {
  const { last } = query;
  if (last === undefined) return collect(reader.read(query), PAGE_ENTRIES, signal);
  const count = Math.min(last, PAGE_ENTRIES);
  // One more than is told: whether there is more.
  const entries: JournalEntry[] = [];
  for await (const entry of reader.read({ ...query, last: count + 1 })) entries.push(entry);
  const page = await collect(entries.reverse(), count, signal);
  return { ...page, entries: page.entries.toReversed() };
}

async function collect(
  entries: AsyncIterable<JournalEntry> | Iterable<JournalEntry>,
  count: number,
  signal: AbortSignal | undefined,
): Promise<JournalPage> {
  const texts: string[] = [];
  let byteCount = 0;
  for await (const entry of entries) {
    const text = entryText(entry);
    byteCount += Buffer.byteLength(text) + 1;
    const isFull = texts.length >= count || (texts.length > 0 && byteCount > PAGE_BYTES);
    if (isFull || signal?.aborted) return { entries: texts, isEnd: false };
    texts.push(text);
  }
  return { entries: texts, isEnd: true };
}
