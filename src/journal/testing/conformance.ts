/** What every implementation of the port must hold. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type JournalEntry, ORIGIN, positionText } from "../core/index.js";
import type { Journal, JournalReader } from "../port.js";
import { entries, entry } from "./entries.js";

export type JournalUnderTest = AsyncDisposable & {
  readonly journal: Journal;
  /** Closes it and opens it again on what it stored. */
  reopen(): Promise<Journal>;
  /** Resolves when what was appended is stored. */
  stored(): Promise<void>;
};

export async function positions(entriesOf: AsyncIterable<JournalEntry>): Promise<string[]> {
  const found: string[] = [];
  for await (const each of entriesOf) found.push(positionText(each));
  return found;
}

export function describeJournal(name: string, make: () => Promise<JournalUnderTest>): void {
  describe(`journal (${name})`, () => {
    let subject: JournalUnderTest;
    let journal: Journal;

    beforeEach(async () => {
      subject = await make();
      journal = subject.journal;
    });

    afterEach(async () => {
      await subject[Symbol.asyncDispose]();
    });

    test("gives back what was appended, whole and in order", async () => {
      const appended = [entry(3), entry(3, { seq: 1, name: "naïve \u{1F41D}" }), entry(7)];
      journal.append(appended);
      await subject.stored();
      const found: JournalEntry[] = [];
      for await (const each of journal.read({})) found.push(each);
      expect(found).toEqual(appended);
      expect(journal.lag()).toMatchObject({ state: "ok", waitingCount: 0, droppedCount: 0 });
      expect(journal.lag()).toMatchObject({ last: { index: 7 }, stored: { index: 7, seq: 0 } });
    });

    test("takes each entry once, also after it was opened again", async () => {
      journal.append(entries(1, 6));
      journal.append(entries(3, 8));
      await subject.stored();
      journal = await subject.reopen();
      journal.append(entries(1, 10));
      await subject.stored();
      expect(await positions(journal.read({}))).toEqual(
        [1, 2, 3, 4, 5, 6, 7, 8, 9].map((index) => `${index}-0`),
      );
    });

    describeReading(async () => {
      journal.append(entries(1, 6));
      await subject.stored();
      return journal;
    });

    test("a follower gets what is stored and then what comes, each once", async () => {
      journal.append(entries(1, 4));
      await subject.stored();
      const end = new AbortController();
      const seen: string[] = [];
      const following = (async () => {
        for await (const each of journal.follow(ORIGIN, end.signal)) {
          seen.push(positionText(each));
          if (seen.length === 3) journal.append(entries(4, 6));
          if (seen.length === 5) end.abort();
        }
      })();
      await following;
      expect(seen).toEqual(["1-0", "2-0", "3-0", "4-0", "5-0"]);
    });

    test("a follower ends when the journal is closed", async () => {
      const following = positions(journal.follow(ORIGIN, new AbortController().signal));
      journal.append(entries(1, 2));
      await subject.stored();
      await journal.close();
      await expect(following).resolves.toEqual(expect.any(Array));
    });
  });
}

/** What everybody who has the entries 1 to 5 must tell of them. */
export function describeReading(make: () => Promise<JournalReader>): void {
  test.each([
    { name: "since", query: { sinceMs: 1_000_003 }, expected: [3, 4, 5] },
    { name: "until", query: { untilMs: 1_000_002 }, expected: [1, 2] },
    { name: "after", query: { after: { index: 2, seq: 0 } }, expected: [3, 4, 5] },
    { name: "up to", query: { upTo: { index: 2, seq: 9 } }, expected: [1, 2] },
    { name: "last", query: { last: 2 }, expected: [4, 5] },
    { name: "none", query: { last: 0 }, expected: [] },
    {
      name: "between two times",
      query: { sinceMs: 1_000_002, untilMs: 1_000_003 },
      expected: [2, 3],
    },
    { name: "last until", query: { untilMs: 1_000_004, last: 2 }, expected: [3, 4] },
    {
      name: "last between two places",
      query: { after: { index: 1, seq: 0 }, upTo: { index: 4, seq: 0 }, last: 2 },
      expected: [3, 4],
    },
    { name: "nothing before the first", query: { upTo: { index: 0, seq: 9 } }, expected: [] },
    { name: "nothing behind the last", query: { after: { index: 5, seq: 0 } }, expected: [] },
    {
      name: "filter",
      query: { filter: (e: JournalEntry) => e.index % 2 === 0 },
      expected: [2, 4],
    },
    {
      name: "filter and last",
      query: { filter: (e: JournalEntry) => e.index < 4, last: 1 },
      expected: [3],
    },
    {
      name: "needles",
      query: { needles: ["web-4"], filter: (e: JournalEntry) => e.name === "web-4" },
      expected: [4],
    },
  ])("reads $name", async ({ query, expected }) => {
    const reader = await make();
    expect(await positions(reader.read(query))).toEqual(expected.map((index) => `${index}-0`));
  });

  test("reads the same again, and side by side", async () => {
    const reader = await make();
    const all = [1, 2, 3, 4, 5].map((index) => `${index}-0`);
    const both = await Promise.all([positions(reader.read({})), positions(reader.read({}))]);
    expect([...both, await positions(reader.read({}))]).toEqual([all, all, all]);
  });

  test("a reader may leave in the middle", async () => {
    const reader = await make();
    for await (const each of reader.read({})) if (each.index === 2) break;
    expect(await positions(reader.read({ last: 1 }))).toEqual(["5-0"]);
  });
}
