import { expect, test } from "vitest";
import { entryText, type JournalEntry, type JournalQuery, matchesQuery } from "./core/index.js";
import { PAGE_BYTES, pageOf } from "./page.js";
import { PAGE_ENTRIES } from "./patience.js";
import type { JournalReader } from "./port.js";
import { entries, entry } from "./testing/entries.js";

/** What has these entries; counts what was taken of it. */
function reader(all: readonly JournalEntry[]): JournalReader & { takenCount: number } {
  return {
    takenCount: 0,
    async *read(query: JournalQuery) {
      await Promise.resolve();
      const matching = all.filter((each) => matchesQuery(each, query));
      const { last = matching.length } = query;
      for (const each of last === 0 ? [] : matching.slice(-last)) {
        this.takenCount++;
        yield each;
      }
    },
  };
}

const indexesOf = (texts: readonly string[]): number[] =>
  texts.map((text) => (JSON.parse(text) as JournalEntry).index);

test.each<{
  readonly name: string;
  readonly count: number;
  readonly query: JournalQuery;
  readonly expected: readonly [from: number, to: number];
  readonly isEnd: boolean;
}>([
  { name: "nothing", count: 0, query: {}, expected: [1, 1], isEnd: true },
  { name: "all", count: 10, query: {}, expected: [1, 11], isEnd: true },
  {
    name: "exactly a page",
    count: PAGE_ENTRIES,
    query: {},
    expected: [1, PAGE_ENTRIES + 1],
    isEnd: true,
  },
  { name: "more", count: 300, query: {}, expected: [1, PAGE_ENTRIES + 1], isEnd: false },
  { name: "the newest", count: 300, query: { last: 5 }, expected: [296, 301], isEnd: false },
  { name: "the newest are all", count: 5, query: { last: 5 }, expected: [1, 6], isEnd: true },
  {
    name: "no more than a page of the newest",
    count: 300,
    query: { last: 1000 },
    expected: [301 - PAGE_ENTRIES, 301],
    isEnd: false,
  },
  {
    name: "the newest up to a place",
    count: 300,
    query: { last: 2, upTo: { index: 9, seq: 0 } },
    expected: [8, 10],
    isEnd: false,
  },
])("$name", async ({ count, query, expected, isEnd }) => {
  const page = await pageOf(reader(entries(1, count + 1)), query);
  expect(indexesOf(page.entries)).toEqual(entries(...expected).map(({ index }) => index));
  expect(page.isEnd).toBe(isEnd);
});

const LARGE = entries(1, 20).map((each) => ({ ...each, outcome: "x".repeat(200_000) }));

test.each([
  { name: "forwards", query: {}, expected: [1, 2, 3, 4, 5] },
  { name: "backwards", query: { last: 256 }, expected: [15, 16, 17, 18, 19] },
])("no more than its bytes, $name", async ({ query, expected }) => {
  const page = await pageOf(reader(LARGE), query);
  expect(indexesOf(page.entries)).toEqual(expected);
  expect(page.entries.join("\n").length).toBeLessThanOrEqual(PAGE_BYTES);
  expect(page.isEnd).toBe(false);
});

test("one that is longer than a page comes alone", async () => {
  const long = entry(1, { outcome: "x".repeat(2 * PAGE_BYTES) });
  const page = await pageOf(reader([long, entry(2)]), {});
  expect(page).toEqual({ entries: [entryText(long)], isEnd: false });
});

test("nothing is read behind a page, nor for who is gone", async () => {
  const all = reader(entries(1, 1000));
  await pageOf(all, {});
  expect(all.takenCount).toBe(PAGE_ENTRIES + 1);
  const gone = reader(entries(1, 1000));
  await pageOf(gone, {}, AbortSignal.abort());
  expect(gone.takenCount).toBe(1);
});
