/** Files that hold a part, and a real Redis that holds the whole. */
import { mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { SystemClock, silentLogger } from "../base/index.js";
import {
  endOf,
  entryText,
  type JournalQuery,
  ORIGIN,
  parseJournalUrl,
  positionText,
} from "./core/index.js";
import { FileJournal } from "./file/file-journal.js";
import type { FileJournalLimits } from "./file/limits.js";
import { History, type OlderEntries, type OlderStream } from "./history.js";
import { type JournalPeer, PeerEntries } from "./peers/peer-entries.js";
import { RedisReader } from "./redis/reader.js";
import { streamKey } from "./redis/stream.js";
import { describeReading, positions } from "./testing/conformance.js";
import { entries, entry } from "./testing/entries.js";
import { peerOf, readerOf } from "./testing/peer.js";
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

function openStream(): OlderStream {
  const target = parseJournalUrl(`redis://127.0.0.1:${server.port}`);
  return new RedisReader({ target, clusterId, clock, logger: silentLogger });
}

function historyOf(
  files: FileJournal,
  stream: () => OlderStream | undefined = openStream,
  peers: readonly OlderEntries[] = [],
) {
  return new History({ files, openStream: stream, openPeers: () => peers, logger: silentLogger });
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
  const failing = (when: "at once" | "in the middle"): OlderStream => ({
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
    const older = (): OlderStream => {
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
    const liar: OlderStream = {
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

describe("other managers", () => {
  const open = (peer: JournalPeer): OlderEntries =>
    new PeerEntries({ peer, clock, logger: silentLogger });
  const m2 = (from: number, to: number) =>
    peerOf(readerOf(entries(from, to)), "m2 (10.0.0.2:2377)");
  const m3 = (from: number, to: number) =>
    peerOf(readerOf(entries(from, to)), "m3 (10.0.0.3:2377)");
  const none = () => undefined;

  /** Files that lack 1–9 and 13–20. */
  async function holed(): Promise<FileJournal> {
    const files = await openFiles();
    files.restored(9);
    files.append(entries(10, 13));
    files.restored(20);
    files.append(entries(21, 23));
    return files;
  }

  test.each<{ readonly name: string; readonly query: JournalQuery; readonly expected: string[] }>([
    { name: "all", query: {}, expected: places(1, 23) },
    { name: "the newest", query: { last: 15 }, expected: places(8, 23) },
    { name: "a stretch", query: { after: entry(4), upTo: entry(15) }, expected: places(5, 16) },
    {
      name: "by name",
      query: { needles: ["web-7", "web-14"], filter: ({ name }) => /-(7|14)$/.test(name) },
      expected: ["7-0", "14-0"],
    },
  ])("without a Redis they fill the holes: $name", async ({ query, expected }) => {
    const peers = [m2(1, 6), m3(3, 23)].map(open);
    expect(await told(historyOf(await holed(), none, peers), query)).toEqual({
      found: expected,
      notices: [],
    });
  });

  test("they and Redis together, however far the stream has come", async () => {
    await inRedis(1, 6);
    const peers = [m2(5, 15), m3(14, 23)].map(open);
    expect(await told(historyOf(await holed(), openStream, peers))).toEqual({
      found: places(1, 23),
      notices: [],
    });
  });

  test("they are not asked for what the files have", async () => {
    const peer = m2(1, 30);
    const files = await openFiles();
    files.append(entries(1, 6));
    expect(await told(historyOf(files, none, [open(peer)]))).toEqual({
      found: places(1, 6),
      notices: [],
    });
    expect(peer.asked).toEqual([]);
  });

  test("one that fails is told once, and asked no more; the others go on", async () => {
    const lost = m3(1, 23);
    lost.failure = "no route";
    const peers = [m2(1, 16), lost].map(open);
    expect(await told(historyOf(await holed(), none, peers))).toEqual({
      found: [...places(1, 16), ...places(21, 23)],
      notices: [
        `changes up to ${positionText(endOf(9))} may be missing: manager m3 (10.0.0.3:2377): no route`,
      ],
    });
    expect(lost.asked).toHaveLength(1);
  });

  test("one that hangs costs 1.5 s for all holes, beside a Redis that fails", async () => {
    const hanging = { ...m3(1, 23), page: () => new Promise<never>(() => undefined) };
    const frozen: OlderStream = {
      newest: () => Promise.reject(new Error("frozen")),
      read: async function* () {
        yield* entries(1, 3);
        await clock.sleep(10);
        throw new Error("frozen");
      },
      close: () => undefined,
    };
    const startMs = clock.nowMs();
    const peers = [m2(2, 23), hanging].map(open);
    const { found, notices } = await told(historyOf(await holed(), () => frozen, peers));
    expect(clock.nowMs() - startMs).toBeLessThan(2500);
    expect(found).toEqual(places(1, 23));
    expect(notices).toEqual([
      expect.stringMatching(/ manager m3 \(10\.0\.0\.3:2377\): did not answer within 1\.5 s$/),
    ]);
  });

  test("an older version says nothing, and nothing is said of it", async () => {
    const older = { ...m2(1, 23), page: () => Promise.resolve(undefined) };
    expect(await told(historyOf(await holed(), none, [open(older)]))).toEqual({
      found: [...places(10, 13), ...places(21, 23)],
      notices: [],
    });
  });

  test("who leaves waits for nobody", async () => {
    const hanging = { ...m3(1, 23), page: () => new Promise<never>(() => undefined) };
    const left = new AbortController();
    const history = historyOf(await holed(), none, [open(hanging)]);
    const startMs = clock.nowMs();
    const reading = positions(history.read({}, undefined, left.signal));
    await clock.sleep(10);
    left.abort();
    expect(await reading).toEqual([...places(10, 13), ...places(21, 23)]);
    expect(clock.nowMs() - startMs).toBeLessThan(1000);
  });
});

test("who follows is told what a snapshot replaced in its place, as far as others have it", async () => {
  await inRedis(1, 41);
  const files = await openFiles();
  files.append(entries(1, 21));
  const ended = new AbortController();
  const found: string[] = [];
  const following = (async () => {
    const after = { index: 15, seq: 0 };
    for await (const each of historyOf(files).follow(after, ended.signal)) {
      found.push(positionText(each));
      if (each.index === 60) ended.abort();
    }
  })();
  await vi.waitFor(() => expect(found).toEqual(places(16, 21)));
  files.restored(50);
  files.append(entries(51, 56));
  await vi.waitFor(() => expect(found.at(-1)).toBe("55-0"));
  files.append(entries(56, 61));
  await following;
  expect(found).toEqual([...places(16, 41), ...places(51, 61)]);
});

test("who has followed to where the files begin asks nobody", async () => {
  const files = await openFiles();
  files.restored(50);
  files.append(entries(51, 54));
  const history = historyOf(files, () => {
    throw new Error("asked");
  });
  const ended = new AbortController();
  const found: string[] = [];
  for await (const each of history.follow({ index: 51, seq: 0 }, ended.signal)) {
    found.push(positionText(each));
    if (found.length === 2) break;
  }
  expect(found).toEqual(places(52, 54));
});
