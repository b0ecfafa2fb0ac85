/** Reading alone, against a real redis-server of its own. */
import { connect, createServer, type Socket } from "node:net";
import { Redis } from "ioredis";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Logger, SystemClock, silentLogger } from "../../base/index.js";
import { entryText, type JournalEntry, parseJournalUrl } from "../core/index.js";
import { PATIENCE_MS } from "../patience.js";
import { JournalReadError } from "../port.js";
import { describeReading, positions } from "../testing/conformance.js";
import { entries, entry } from "../testing/entries.js";
import { RedisServer } from "../testing/redis-server.js";
import { RedisReader, type RedisReaderParts } from "./reader.js";
import { streamKey } from "./stream.js";

const clock = new SystemClock();
let server: RedisServer;
let admin: Redis;
let clusterId = "";
let count = 0;
const opened: RedisReader[] = [];

beforeAll(async () => {
  server = await RedisServer.start();
  admin = new Redis({ port: server.port });
  admin.on("error", () => undefined);
});

afterAll(async () => {
  admin.disconnect();
  await server[Symbol.asyncDispose]();
});

beforeEach(() => {
  clusterId = `reader${++count}`;
});

afterEach(() => {
  for (const reader of opened.splice(0)) reader.close();
});

function open(set: Partial<RedisReaderParts> = {}): RedisReader {
  const target = parseJournalUrl(`redis://127.0.0.1:${server.port}`);
  const reader = new RedisReader({ target, clusterId, clock, logger: silentLogger, ...set });
  opened.push(reader);
  return reader;
}

async function write(all: readonly JournalEntry[]): Promise<void> {
  const pipeline = admin.pipeline();
  for (const each of all)
    pipeline.xadd(
      streamKey(clusterId),
      `${each.index}-${each.seq}`,
      ...["type", each.type, "action", each.action, "id", each.id, "name", each.name],
      ...["entry", entryText(each)],
    );
  await pipeline.exec();
}

describe("reading a stream", () => {
  describeReading(async () => {
    await write(entries(1, 6));
    return open();
  });
});

test("more entries than a page, in both directions, whole transactions on both sides of a page's end", async () => {
  const all = entries(1, 200).flatMap((each) => [0, 1, 2].map((seq) => ({ ...each, seq })));
  await write(all);
  const reader = open();
  const places = all.map(({ index, seq }) => `${index}-${seq}`);
  expect(await positions(reader.read({}))).toEqual(places);
  expect(await positions(reader.read({ last: 500 }))).toEqual(places.slice(-500));
  expect(await reader.newest()).toEqual({ index: 199, seq: 2 });
});

test("times are found without reading what is older", async () => {
  // A minute between two: far apart beside how much clocks of leaders differ.
  const all = entries(1, 5001).map((each) => ({ ...each, atMs: each.index * 60_000 }));
  await write(all);
  const before = Number(/total_net_output_bytes:(\d+)/.exec(await admin.info("stats"))?.[1]);
  const sinceMs = 4_000 * 60_000;
  const found = await positions(open().read({ sinceMs, untilMs: sinceMs + 120_000 }));
  expect(found).toEqual(["4000-0", "4001-0", "4002-0"]);
  const after = Number(/total_net_output_bytes:(\d+)/.exec(await admin.info("stats"))?.[1]);
  expect(after - before).toBeLessThan(entryText(entry(1)).length * 1500);
});

test("an empty stream", async () => {
  expect(await positions(open().read({ sinceMs: 1 }))).toEqual([]);
  expect(await open().newest()).toEqual({ index: 0, seq: 0 });
});

test("what is no entry is refused one by one, and counted in the log", async () => {
  const key = streamKey(clusterId);
  await write([entry(1)]);
  await admin.xadd(key, "2-0", "entry", "{not json");
  await admin.xadd(key, "3-0", "entry", JSON.stringify({ ...entry(3), who: 7 }));
  await admin.xadd(key, "4-0", "entry", entryText(entry(9)));
  await admin.xadd(key, "5-0", "other", "field");
  await admin.xadd(key, "6-0", "entry", "x".repeat(1024 * 1024));
  await write([entry(7)]);
  const warned: unknown[] = [];
  const logger: Logger = { ...silentLogger, warn: (fields) => warned.push(fields) };
  expect(await positions(open({ logger }).read({}))).toEqual(["1-0", "7-0"]);
  expect(warned).toEqual([expect.objectContaining({ count: 5 })]);
});

test("an object that is called as a field is", async () => {
  await write([entry(1, { name: "entry", id: "entry" })]);
  expect(await positions(open().read({}))).toEqual(["1-0"]);
});

test("a key that holds something else is an error that says so", async () => {
  await admin.set(streamKey(clusterId), "text");
  await expect(positions(open().read({}))).rejects.toThrow(/^redis 127.*WRONGTYPE/);
});

describe("a Redis that does not answer", () => {
  async function failure(
    reader: RedisReader,
  ): Promise<{ readonly error: unknown; tookMs: number }> {
    const startMs = clock.nowMs();
    const error: unknown = await positions(reader.read({})).catch((why: unknown) => why);
    return { error, tookMs: clock.nowMs() - startMs };
  }

  test("nobody listens: at once", async () => {
    const { error } = await failure(
      open({ target: parseJournalUrl("redis://:s3cret@127.0.0.1:1") }),
    );
    expect(error).toBeInstanceOf(JournalReadError);
    expect(String(error)).toMatch(/ECONNREFUSED/);
    expect(String(error)).not.toContain("s3cret");
  });

  test.each(["redis", "redis-sentinel", "redis-cluster"])(
    "takes connections and says nothing: given up (%s)",
    async (scheme) => {
      const silent = createServer(() => undefined);
      await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
      const { port } = silent.address() as { port: number };
      const path = scheme === "redis-sentinel" ? "/name" : "";
      try {
        const target = parseJournalUrl(`${scheme}://127.0.0.1:${port}${path}`);
        const { error, tookMs } = await failure(open({ target }));
        expect(String(error)).toMatch(/did not answer within 1\.5 s/);
        expect(tookMs).toBeLessThan(PATIENCE_MS + 1000);
      } finally {
        silent.close();
      }
    },
  );

  test("slow: given up when its answers take too long in all, with what came until then", async () => {
    await write(entries(1, 20_001));
    await using slow = await slowDoor(server.port, 120);
    const seen: number[] = [];
    const startMs = clock.nowMs();
    const reading = (async () => {
      const target = parseJournalUrl(`redis://127.0.0.1:${slow.port}`);
      for await (const each of open({ target }).read({})) seen.push(each.index);
    })();
    await expect(reading).rejects.toThrow(/did not answer within 1\.5 s/);
    expect(clock.nowMs() - startMs).toBeLessThan(2 * PATIENCE_MS + 1000);
    expect(seen.length).toBeGreaterThan(0);
    expect(seen).toEqual(entries(1, seen.length + 1).map(({ index }) => index));
  });

  test("frozen in the middle: what was read is kept, the rest is an error; thawed, the next read works", async () => {
    await using own = await RedisServer.start();
    const control = new Redis({ port: own.port });
    const target = parseJournalUrl(`redis://127.0.0.1:${own.port}`);
    const shared = admin;
    try {
      admin = control;
      await write(entries(1, 1001));
      const reader = open({ target });
      const seen: number[] = [];
      const reading = (async () => {
        for await (const each of reader.read({})) {
          if (each.index === 1) own.signal("SIGSTOP");
          seen.push(each.index);
        }
      })();
      await expect(reading).rejects.toThrow(/did not answer/);
      expect(seen).toEqual(entries(1, 257).map(({ index }) => index));
      own.signal("SIGCONT");
      expect(await positions(reader.read({ last: 2 }))).toEqual(["999-0", "1000-0"]);
    } finally {
      admin = shared;
      control.disconnect();
    }
  });
});

/** Passes on to a port of this host, every answer late by so much. */
async function slowDoor(
  port: number,
  delayMs: number,
): Promise<AsyncDisposable & { readonly port: number }> {
  const sockets = new Set<Socket>();
  const door = createServer((client) => {
    const server = connect(port, "127.0.0.1");
    for (const socket of [client, server]) {
      sockets.add(socket);
      socket.on("error", () => undefined);
    }
    client.pipe(server);
    server.on("data", (bytes: Buffer) => {
      server.pause();
      void clock.sleep(delayMs).then(() => {
        client.write(bytes);
        server.resume();
      });
    });
  });
  await new Promise<void>((resolve) => door.listen(0, "127.0.0.1", resolve));
  return {
    port: (door.address() as { port: number }).port,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => door.close(resolve));
    },
  };
}
