/** What another manager tells of its files, and one that does not answer well. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Logger, SystemClock, silentLogger } from "../../base/index.js";
import { entryText, type JournalEntry, type JournalQuery } from "../core/index.js";
import { FileJournal } from "../file/file-journal.js";
import type { JournalPage } from "../page.js";
import { PAGE_ENTRIES, PATIENCE_MS } from "../patience.js";
import { JournalReadError } from "../port.js";
import { describeReading, positions } from "../testing/conformance.js";
import { entries, entry } from "../testing/entries.js";
import { peerOf, readerOf } from "../testing/peer.js";
import { type JournalPeer, PeerEntries } from "./peer-entries.js";

const clock = new SystemClock();
let root: string;
const opened: FileJournal[] = [];

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "peer-entries-"));
});

afterEach(async () => {
  await Promise.all(opened.splice(0).map((files) => files.close()));
  await rm(root, { recursive: true, force: true });
});

async function filesOf(all: readonly JournalEntry[]): Promise<FileJournal> {
  const files = await FileJournal.open({
    rootDir: root,
    clusterId: "c1",
    clock,
    logger: silentLogger,
    // The entries are from 1970.
    limits: { ageMaxMs: Number.POSITIVE_INFINITY },
  });
  opened.push(files);
  files.append(all);
  return files;
}

function open(peer: JournalPeer, logger: Logger = silentLogger): PeerEntries {
  return new PeerEntries({ peer, clock, logger });
}

describe("reading the files of another manager", () => {
  describeReading(async () => open(peerOf(await filesOf(entries(1, 6)))));
});

describe("more than a page", () => {
  const all = entries(1, 400).flatMap((each) => [0, 1].map((seq) => ({ ...each, seq })));
  const whole = all.map(({ index, seq }) => `${index}-${seq}`);

  test.each<{
    readonly name: string;
    readonly query: JournalQuery;
    readonly expected: readonly string[];
    readonly pageCount: number;
  }>([
    { name: "forwards", query: {}, expected: whole, pageCount: 4 },
    { name: "backwards", query: { last: 500 }, expected: whole.slice(-500), pageCount: 2 },
    {
      name: "backwards, with a filter that stays here",
      query: { last: 3, filter: ({ index }) => index < 10 },
      expected: ["8-1", "9-0", "9-1"],
      pageCount: 4,
    },
    {
      name: "needles, which go along",
      query: { needles: ["web-399"], filter: ({ name }) => name === "web-399" },
      expected: ["399-0", "399-1"],
      pageCount: 1,
    },
  ])("$name", async ({ query, expected, pageCount }) => {
    const peer = peerOf(await filesOf(all));
    expect(await positions(open(peer).read(query))).toEqual(expected);
    expect(peer.asked).toHaveLength(pageCount);
  });
});

test("a large journal is read to the end within the patience", async () => {
  const count = 5000;
  const files = await filesOf(entries(1, count + 1));
  expect(await positions(open(peerOf(files)).read({}))).toHaveLength(count);
});

/** Answers these pages one after the other. */
function answering(pages: readonly (Partial<JournalPage> | undefined)[]): JournalPeer {
  let next = 0;
  return {
    name: "m2 (10.0.0.2:2377)",
    page: () => {
      const page = pages[next++];
      return Promise.resolve(page && { entries: [], isEnd: true, ...page });
    },
  };
}

const texts = (...all: readonly JournalEntry[]): readonly string[] => all.map(entryText);

describe("what is no answer is left out, and counted in the log", () => {
  const within: JournalQuery = { after: { index: 3, seq: 0 }, upTo: { index: 9, seq: 0 } };

  test.each<{
    readonly name: string;
    readonly query?: JournalQuery;
    readonly answer: readonly string[];
    readonly expected: readonly string[];
    readonly count: number;
  }>([
    {
      name: "garbage",
      answer: ["{not json", entryText(entry(4)), "", "[]", '{"index":5,"seq":0}'],
      expected: ["4-0"],
      count: 4,
    },
    {
      name: "outside of the question",
      answer: texts(entry(3), entry(4), entry(9), entry(10)),
      expected: ["4-0", "9-0"],
      count: 2,
    },
    {
      name: "out of order, and twice",
      answer: texts(entry(5), entry(5), entry(4), entry(6)),
      expected: ["5-0", "6-0"],
      count: 2,
    },
    {
      name: "out of order, the newest asked for",
      query: { ...within, last: 3 },
      answer: texts(entry(5), entry(4), entry(6), entry(2)),
      expected: ["5-0", "6-0"],
      count: 2,
    },
    {
      name: "of another time",
      query: { ...within, sinceMs: 1_000_006 },
      answer: texts(entry(5), entry(6)),
      expected: ["6-0"],
      count: 1,
    },
  ])("$name", async ({ query = within, answer, expected, count }) => {
    const warned: unknown[] = [];
    const logger: Logger = { ...silentLogger, warn: (fields) => warned.push(fields) };
    const reader = open(answering([{ entries: answer }]), logger);
    expect(await positions(reader.read(query))).toEqual(expected);
    expect(warned).toEqual([{ manager: "m2 (10.0.0.2:2377)", count }]);
  });

  test("pages that go back: what was told is not told again, and that is the end", async () => {
    const page = { entries: texts(entry(4), entry(5)), isEnd: false };
    const seen: string[] = [];
    const reading = (async () => {
      for await (const each of open(answering([page, page])).read(within))
        seen.push(`${each.index}`);
    })();
    await expect(reading).rejects.toThrow("says that there is more, and tells none of it");
    expect(seen).toEqual(["4", "5"]);
  });
});

test("an older version that does not know the question has nothing to tell", async () => {
  expect(await positions(open(answering([undefined])).read({}))).toEqual([]);
});

describe("a manager that does not answer", () => {
  async function failure(reader: PeerEntries, query: JournalQuery = {}) {
    const seen: number[] = [];
    const startMs = clock.nowMs();
    const error: unknown = await (async () => {
      for await (const { index } of reader.read(query)) seen.push(index);
    })().catch((why: unknown) => why);
    return { error, seen, tookMs: clock.nowMs() - startMs };
  }

  const hanging: JournalPeer = { name: "m2 (x:1)", page: () => new Promise(() => undefined) };

  test("hangs: given up, and its call is cancelled", async () => {
    const signals: AbortSignal[] = [];
    const reader = open({
      ...hanging,
      page: (_query, { signal }) => {
        signals.push(signal);
        return new Promise(() => undefined);
      },
    });
    const { error, tookMs } = await failure(reader);
    expect(error).toBeInstanceOf(JournalReadError);
    expect(String(error)).toContain("manager m2 (x:1): did not answer within 1.5 s");
    expect(tookMs).toBeLessThan(PATIENCE_MS + 500);
    expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
  });

  test("hangs in the middle: with what came until then", async () => {
    const all = peerOf(readerOf(entries(1, 1000)));
    const reader = open({
      name: all.name,
      page: (query, call) =>
        all.asked.length < 2 ? all.page(query, call) : new Promise(() => undefined),
    });
    const { error, seen } = await failure(reader);
    expect(String(error)).toContain("did not answer within 1.5 s");
    expect(seen).toEqual(entries(1, 2 * PAGE_ENTRIES + 1).map(({ index }) => index));
  });

  test("slow: given up when its pages take too long in all", async () => {
    const all = peerOf(readerOf(entries(1, 20_000)));
    const reader = open({
      name: all.name,
      page: async (query, call) => {
        await clock.sleep(120);
        return all.page(query, call);
      },
    });
    const { error, seen, tookMs } = await failure(reader);
    expect(String(error)).toContain("did not answer within 1.5 s");
    expect(tookMs).toBeLessThan(2 * PATIENCE_MS);
    expect(seen.length).toBeGreaterThan(PAGE_ENTRIES);
  });

  test.each<{ readonly name: string; readonly page: JournalPeer["page"] }>([
    { name: "rejects", page: () => Promise.reject(new Error("no route")) },
    {
      name: "throws",
      page: () => {
        throw new Error("no route");
      },
    },
  ])("$name: at once, and why is told", async ({ page }) => {
    const { error, tookMs } = await failure(open({ name: "m2 (x:1)", page }));
    expect(error).toBeInstanceOf(JournalReadError);
    expect(String(error)).toContain("manager m2 (x:1): no route");
    expect(tookMs).toBeLessThan(500);
  });

  test("a reader that is closed asks no more, and waits no more", async () => {
    const reader = open(hanging);
    const failing = failure(reader);
    reader.close();
    expect(String((await failing).error)).toContain("the reader is closed");
    expect(String((await failure(reader)).error)).toContain("the reader is closed");
  });
});
