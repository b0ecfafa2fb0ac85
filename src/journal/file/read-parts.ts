/** The files one after the other, and what fills their holes in between: one sequence, each entry once. */
import {
  type Hole,
  type JournalEntry,
  type JournalQuery,
  LAST_MAX,
  matchesQuery,
  queryWithin,
} from "../core/index.js";

export type Item =
  | { readonly kind: "entry"; readonly entry: JournalEntry }
  | { readonly kind: "hole"; readonly hole: Hole };

/** Items in the order of the log; every part is newer than those before it. */
export type Part = () => AsyncIterable<Item>;

/** Entries from elsewhere that match the query, in order. It has `after` and `upTo`. */
export type Fill = (query: JournalQuery) => AsyncIterable<JournalEntry>;

export async function* readParts(
  parts: readonly Part[],
  query: JournalQuery,
  fill: Fill | undefined,
): AsyncGenerator<JournalEntry> {
  if (query.last !== undefined) {
    yield* await newest(parts, query, Math.min(query.last, LAST_MAX), fill);
    return;
  }
  for (const part of parts) {
    for await (const item of part()) {
      if (item.kind === "hole") yield* filled(item.hole, query, fill);
      else if (matchesQuery(item.entry, query)) yield item.entry;
    }
  }
}

/** Newest part first, and no further back than needed. */
async function newest(
  parts: readonly Part[],
  query: JournalQuery,
  count: number,
  fill: Fill | undefined,
): Promise<readonly JournalEntry[]> {
  /** Newest first. */
  const found: JournalEntry[] = [];
  for (const part of [...parts].reverse()) {
    if (found.length >= count) break;
    const items = await newestItems(part, query, count);
    for (const item of [...items].reverse()) {
      const missing = count - found.length;
      if (missing <= 0) break;
      if (item.kind === "entry") {
        found.push(item.entry);
        continue;
      }
      const older: JournalEntry[] = [];
      for await (const entry of filled(item.hole, { ...query, last: missing }, fill))
        older.push(entry);
      found.push(...older.reverse().slice(0, missing));
    }
  }
  return found.reverse();
}

/** At least the `count` newest entries of a part that match, with the holes among them and before them. */
async function newestItems(part: Part, query: JournalQuery, count: number): Promise<Item[]> {
  const items: Item[] = [];
  let entryCount = 0;
  for await (const item of part()) {
    if (item.kind === "entry" && !matchesQuery(item.entry, query)) continue;
    items.push(item);
    if (item.kind === "entry") entryCount++;
    // Twice as many before cutting: the cost of moving is spread over as many entries.
    if (entryCount <= 2 * count) continue;
    let dropped = 0;
    while (entryCount > count) if (items[dropped++]?.kind === "entry") entryCount--;
    items.splice(0, dropped);
  }
  return items;
}

async function* filled(
  hole: Hole,
  query: JournalQuery,
  fill: Fill | undefined,
): AsyncGenerator<JournalEntry> {
  const within = queryWithin(query, hole);
  if (fill === undefined || within === undefined) return;
  let { after } = within;
  for await (const entry of fill(within)) {
    // Whatever is kept elsewhere: order and "once" do not depend on it.
    if (!matchesQuery(entry, { ...within, ...(after !== undefined && { after }) })) continue;
    after = entry;
    yield entry;
  }
}
