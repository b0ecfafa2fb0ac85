/** Files that hold a part, and a real Redis that holds the whole. */
import { mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { SystemClock, silentLogger } from "../base/index.js";
import { entryText, type JournalQuery, ORIGIN, parseJournalUrl } from "./core/index.js";
import { FileJournal } from "./file/file-journal.js";
import type { FileJournalLimits } from "./file/limits.js";
import { History, type OlderEntries } from "./history.js";
import { RedisReader } from "./redis/reader.js";
import { streamKey } from "./redis/stream.js";
import { describeReading, positions } from "./testing/conformance.js";
import { entries, entry } from "./testing/entries.js";
import { RedisServer } from "./testing/redis-server.js";

const clock = new SystemClock();
let server: RedisServer;
let admin: Redis;
let root: string;
let clusterId = "";
let count = 0;
const opened: FileJournal[] = [];

beforeAll(async () => {
  server = await RedisServer.start();
  admin = new Redis({ port: server.port });
  admin.on("error", () => undefined);
});

afterAll(async () => {
  admin.disconnect();
  await server[Symbol.asyncDispose]();
});

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "history-"));
  clusterId = `history${++count}`;
});

afterEach(async () => {
  await Promise.all(opened.splice(0).map((files) => files.close()));
  await rm(root, { recursive: true, force: true });
});

async function openFiles(limits: Partial<FileJournalLimits> = {}): Promise<FileJournal> {
  const files = await FileJournal.open({
    rootDir: root,
    clusterId,
    clock,
    logger: silentLogger,
    // The entries are from 1970.
    limits: { ageMaxMs: Number.POSITIVE_INFINITY, ...limits },
  });
  opened.push(files);
  return files;
}

/** Five entries or so a segment, some 20 in all. */
const SMALL = { segmentBytesMax: 1500, journalBytesMax: 6000 };

async function appendEach(files: FileJournal, from: number, to: number): Promise<void> {
  for (const each of entries(from, to)) {
    files.append([each]);
    await positions(files.read({ last: 0 }));
  }
}

async function inRedis(from: number, to: number): Promise<void> {
  const pipeline = admin.pipeline();
  for (const each of entries(from, to))
    pipeline.xadd(streamKey(clusterId), `${each.index}-0`, "entry", entryText(each));
  await pipeline.exec();
}

function openOlder(): OlderEntries {
  const target = parseJournalUrl(`redis://127.0.0.1:${server.port}`);
  return new RedisReader({ target, clusterId, clock, logger: silentLogger });
}

function historyOf(files: FileJournal, older: () => OlderEntries | undefined = openOlder) {
  return new History({ files, openOlder: older, logger: silentLogger });
}

const places = (from: number, to: number): string[] =>
  entries(from, to).map(({ index }) => `${index}-0`);

async function told(history: History, query: JournalQuery = {}) {
  const notices: string[] = [];
  const found = await positions(history.read(query, (text) => notices.push(text)));
  return { found, notices };
}

describe("a history half in files, half in Redis", () => {
  describeReading(async () => {
    await inRedis(1, 5);
    const files = await openFiles();
    files.restored(3);
    files.append(entries(4, 6));
    return historyOf(files);
  });
});

test("what the files have trimmed comes from Redis, what Redis has not yet from the files", async () => {
  const files = await openFiles(SMALL);
  await appendEach(files, 1, 100);
  const own = await positions(files.read({}));
  expect(own.length).toBeLessThan(40);
  await inRedis(1, 95);
  const history = historyOf(files);
  expect(await told(history)).toEqual({ found: places(1, 100), notices: [] });
  expect(await told(history, { last: 60 })).toEqual({ found: places(40, 100), notices: [] });
  expect(await told(history, { after: { index: 7, seq: 0 }, upTo: { index: 12, seq: 0 } })).toEqual(
    {
      found: places(8, 13),
      notices: [],
    },
  );
});

test("a manager that joined tells what was before it, also before anything has changed since", async () => {
  await inRedis(1, 50);
  const files = await openFiles();
  files.restored(49);
  expect(files.tail).toMatchObject({ index: 49 });
  expect(await told(historyOf(files), { upTo: files.tail })).toEqual({
    found: places(1, 50),
    notices: [],
  });
});

test("what is damaged in a file comes from Redis", async () => {
  const files = await openFiles(SMALL);
  await appendEach(files, 1, 20);
  await files.close();
  const [, second = ""] = (await readdir(join(root, clusterId))).sort();
  const path = join(root, clusterId, second);
  await writeFile(path, Buffer.alloc((await stat(path)).size, "garbage"));
  await inRedis(1, 20);
  const again = await openFiles(SMALL);
  expect((await positions(again.read({}))).length).toBeLessThan(19);
  expect(await told(historyOf(again))).toEqual({ found: places(1, 20), notices: [] });
});

test("a file that is trimmed while it is waited for comes from Redis", async () => {
  const files = await openFiles(SMALL);
  await appendEach(files, 1, 20);
  await inRedis(1, 20);
  const found: number[] = [];
  for await (const each of historyOf(files).read({ upTo: { index: 19, seq: 0 } })) {
    if (each.index === 1) await appendEach(files, 20, 100);
    found.push(each.index);
  }
  expect((await positions(files.read({ upTo: { index: 19, seq: 0 } }))).length).toBe(0);
  expect(found).toEqual(entries(1, 20).map(({ index }) => index));
});

test("Redis is not asked for what the files have", async () => {
  const files = await openFiles(SMALL);
  await appendEach(files, 1, 100);
  const never = () => {
    throw new Error("asked");
  };
  expect(await told(historyOf(files, never), { last: 5 })).toEqual({
    found: places(95, 100),
    notices: [],
  });
  const young = await openFiles();
  await young.close();
  await rm(root, { recursive: true, force: true });
  const whole = await openFiles();
  whole.append(entries(1, 6));
  expect(await told(historyOf(whole, never))).toEqual({ found: places(1, 6), notices: [] });
  await whole.close();
  const again = await openFiles();
  again.append(entries(6, 8));
  expect(await told(historyOf(again, never))).toEqual({ found: places(1, 8), notices: [] });
});

test("of a time that the files reach back to, Redis is not asked", async () => {
  const files = await openFiles();
  files.restored(3);
  files.append([4, 5, 6].map((index) => entry(index, { atMs: index * 1_000_000 })));
  const never = () => {
    throw new Error("asked");
  };
  expect(await told(historyOf(files, never), { sinceMs: 4_500_000 })).toEqual({
    found: places(5, 7),
    notices: [],
  });
});

test("without a Redis the files are all there is, and nothing is said of it", async () => {
  const files = await openFiles();
  files.restored(3);
  files.append(entries(4, 6));
  expect(await told(historyOf(files, () => undefined))).toEqual({
    found: places(4, 6),
    notices: [],
  });
});

test("a stream that is still being filled is told", async () => {
  await inRedis(1, 3);
  const files = await openFiles();
  files.restored(9);
  files.append(entries(10, 12));
  const { found, notices } = await told(historyOf(files));
  expect(found).toEqual([...places(1, 3), ...places(10, 12)]);
  expect(notices).toEqual([expect.stringContaining("has come to 2-0 only")]);
});

describe("a Redis that fails", () => {
  const failing = (when: "at once" | "in the middle"): OlderEntries => ({
    newest: () =>
      when === "at once"
        ? Promise.reject(new Error("frozen"))
        : Promise.resolve({ index: 99, seq: 0 }),
    read: async function* () {
      yield* entries(1, 3);
      await Promise.resolve();
      throw new Error("frozen");
    },
    close: () => undefined,
  });

  test.each([
    { when: "at once", query: {}, expected: places(4, 6) },
    { when: "in the middle", query: {}, expected: [...places(1, 3), ...places(4, 6)] },
    { when: "at once", query: { last: 4 }, expected: places(4, 6) },
    {
      when: "in the middle",
      query: { last: 4 },
      expected: [...places(1, 3), ...places(4, 6)],
    },
  ] as const)(
    "$when ($query): the files are told, and one notice",
    async ({ when, query, expected }) => {
      const files = await openFiles();
      files.restored(3);
      files.append(entries(4, 6));
      const { found, notices } = await told(
        historyOf(files, () => failing(when)),
        query,
      );
      expect(found).toEqual(expected);
      expect(notices).toEqual([expect.stringMatching(/^changes up to .* may be missing: frozen$/)]);
    },
  );

  test("it is asked once for all holes of a query, and closed", async () => {
    let openCount = 0;
    let closeCount = 0;
    const files = await openFiles();
    files.restored(3);
    files.append(entries(4, 6));
    files.restored(9);
    files.append(entries(10, 12));
    const older = (): OlderEntries => {
      openCount++;
      return { ...failing("at once"), close: () => closeCount++ };
    };
    const { found, notices } = await told(historyOf(files, older));
    expect(found).toEqual([...places(4, 6), ...places(10, 12)]);
    expect([notices.length, openCount, closeCount]).toEqual([1, 1, 1]);
  });

  test("what it answers beside the question is left out", async () => {
    const files = await openFiles();
    files.restored(3);
    files.append(entries(4, 6));
    const liar: OlderEntries = {
      newest: () => Promise.resolve({ index: 99, seq: 0 }),
      read: async function* () {
        await Promise.resolve();
        yield* [entry(2), entry(1), entry(2), entry(5), entry(3), { ...entry(0), ...ORIGIN }];
      },
      close: () => undefined,
    };
    expect(await told(historyOf(files, () => liar))).toEqual({
      found: ["2-0", "3-0", ...places(4, 6)],
      notices: [],
    });
  });
});
