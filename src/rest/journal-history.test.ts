/** `GET /journal` and `GET /events` of a manager whose files hold the end, beside a real Redis that holds the whole. */
import { request } from "node:http";
import { Redis } from "ioredis";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { SeededRandom, SystemClock, silentLogger } from "../base/index.js";
import { type JournalEntry, streamKey } from "../journal/index.js";
import { RedisServer } from "../journal/testing/redis-server.js";
import { makeWorld, type World } from "./testing/world.js";

const COUNT = 40;
const SMALL = { segmentBytesMax: 1500, journalBytesMax: 6000 };
const NOTICE = "swarm-journal-notice";
const SWARM_ONLY = encodeURIComponent('{"scope":["swarm"]}');

const clock = new SystemClock();
let world: World;
let redis: RedisServer;
let admin: Redis;

beforeEach(async () => {
  redis = await RedisServer.start();
  admin = new Redis({ port: redis.port });
  admin.on("error", () => undefined);
  world = await makeWorld({ journalLimits: SMALL });
  await fill();
});

afterEach(async () => {
  admin.disconnect();
  await world[Symbol.asyncDispose]();
  await redis[Symbol.asyncDispose]();
});

/** Changes one by one, copied by the leader's loop while the files drop the older ones. */
async function fill(): Promise<void> {
  const { cluster } = world;
  const current = cluster.store.cluster();
  if (current === undefined) throw new Error("no cluster");
  const spec = { ...current.spec, Journal: { URL: `redis://127.0.0.1:${redis.port}` } };
  await cluster.write([{ kind: "putCluster", cluster: { ...current, spec } }]);
  const end = new AbortController();
  const leading = cluster.journal.lead({
    store: cluster.store,
    proposer: cluster.proposer,
    clock,
    random: new SeededRandom(1),
    logger: silentLogger,
    signal: end.signal,
  });
  const key = streamKey("cluster");
  for (let i = 0; i < COUNT; i++) {
    await create(i);
    const { index } = await cluster.journal.tail();
    await until(async () => {
      const [[id] = [""]] = await admin.xrevrange(key, "+", "-", "COUNT", 1);
      return id.startsWith(`${index}-`);
    });
  }
  end.abort();
  await leading;
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const endMs = clock.nowMs() + 10_000;
  while (!(await holds())) {
    if (clock.nowMs() > endMs) throw new Error("did not come to hold within 10 s");
    await clock.sleep(2);
  }
}

async function create(i: number): Promise<void> {
  const spec = { Name: `web-${i}`, TaskTemplate: { ContainerSpec: { Image: "bb:1" } } };
  expect((await world.call("POST", "/services/create", spec)).status).toBe(201);
}

function lines<T>(text: string): readonly T[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as T);
}

const created = (text: string): readonly string[] =>
  lines<JournalEntry>(text)
    .filter(({ type }) => type === "service")
    .map(({ name }) => name);

const NAMES = Array.from({ length: COUNT }, (_, i) => `web-${i}`);

test("the journal is told whole, though the files hold its end alone", async () => {
  const answer = await world.call("GET", "/journal");
  expect(created(answer.text)).toEqual(NAMES);
  expect(answer.headers[NOTICE]).toBeUndefined();
  const newest = await world.call("GET", `/journal?last=${COUNT - 5}`);
  expect(created(newest.text)).toEqual(NAMES.slice(5));
  const one = await world.call(
    "GET",
    `/journal?last=50&filters=${encodeURIComponent('{"of":["web-1"]}')}`,
  );
  expect(created(one.text)).toEqual(["web-1"]);
});

test("so are Docker's events", async () => {
  const answer = await world.call(
    "GET",
    `/events?since=1&until=${Date.now() / 1000}&filters=${SWARM_ONLY}`,
  );
  const services = lines<{ Type: string; Actor: { Attributes: { name: string } } }>(answer.text)
    .filter(({ Type }) => Type === "service")
    .map(({ Actor }) => Actor.Attributes.name);
  expect(services).toEqual(NAMES);
});

test("who follows from an old entry on gets all behind it, and then what comes", async () => {
  const [first] = lines<JournalEntry>((await world.call("GET", "/journal")).text);
  const after = `${first?.index}-${first?.seq}`;
  const seen = await new Promise<readonly string[]>((resolve, reject) => {
    const asked = request({
      socketPath: world.socket,
      path: `/journal?follow=1&after=${after}`,
      agent: false,
    });
    asked.on("error", reject);
    asked.on("response", (response) => {
      let text = "";
      response.on("data", (chunk: Buffer) => {
        text += chunk.toString("utf8");
        if (!text.endsWith("\n")) return;
        const names = created(text);
        if (names.at(-1) === `web-${COUNT - 1}`) void create(COUNT);
        if (names.at(-1) !== `web-${COUNT}`) return;
        asked.destroy();
        resolve(names);
      });
    });
    asked.end();
  });
  expect(seen).toEqual([...NAMES, `web-${COUNT}`]);
});

test.each([
  { name: "journal", path: "/journal" },
  { name: "events", path: `/events?since=1&until=${Date.now() / 1000}&filters=${SWARM_ONLY}` },
])(
  "a frozen Redis: $name answers in time from the files and says what may be missing",
  async ({ path }) => {
    redis.signal("SIGSTOP");
    const startMs = clock.nowMs();
    const answer = await world.call("GET", path);
    expect(clock.nowMs() - startMs).toBeLessThan(3000);
    expect(answer.status).toBe(200);
    expect(answer.headers[NOTICE]).toMatch(/may be missing: redis 127.* did not answer within/);
    expect(answer.text).toContain(`web-${COUNT - 1}`);
    expect(answer.text).not.toContain('web-1"');
    // What the files have needs no Redis.
    const newest = await world.call("GET", "/journal?last=3");
    expect(created(newest.text)).toEqual(NAMES.slice(-3));
    expect(newest.headers[NOTICE]).toBeUndefined();
  },
);

test.each([
  {
    name: "journal",
    path: `/journal?follow=1&last=5&filters=${encodeURIComponent('{"of":["nobody"]}')}`,
  },
  { name: "events", path: "/events?since=1" },
])(
  "a client that leaves while Redis is waited for is followed for no longer ($name)",
  async ({ path }) => {
    redis.signal("SIGSTOP");
    const { journal } = world.cluster;
    const read = journal.read.bind(journal);
    let isBegun = false;
    let isDone = false;
    vi.spyOn(journal, "read").mockImplementation(async function* (...asked) {
      isBegun = true;
      try {
        yield* read(...asked);
      } finally {
        isDone = true;
      }
    });
    const follow = vi.spyOn(journal, "follow");
    const asked = request({ socketPath: world.socket, path, agent: false });
    asked.on("error", () => undefined);
    asked.end();
    await until(() => isBegun);
    asked.destroy();
    await clock.sleep(50);
    redis.signal("SIGCONT");
    await until(() => isDone);
    await clock.sleep(50);
    // Either following is not begun any more, or with a signal that ends it.
    expect(follow.mock.calls.filter(([, signal]) => !signal.aborted)).toEqual([]);
  },
);

test("wrong data in the stream costs itself alone", async () => {
  const key = streamKey("cluster");
  const rows = await admin.xrange(key, "-", "+");
  const bad = rows.findIndex(([, fields]) => fields.includes("web-3"));
  await admin.del(key);
  for (const [i, [place, fields]] of rows.entries())
    await admin.xadd(key, place, ...(i === bad ? ["entry", '{"index":"nonsense"}'] : fields));
  const answer = await world.call("GET", "/journal");
  expect(created(answer.text)).toEqual(NAMES.filter((name) => name !== "web-3"));
});
