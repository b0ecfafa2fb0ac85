/** Three real managers and a real redis-server: one history, whoever leads. */
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { status } from "@grpc/grpc-js";
import { Redis } from "ioredis";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type ClusterSpec, controlService } from "../api/index.js";
import { newId } from "../base/index.js";
import { type JournalEntry, ORIGIN, positionText, streamKey } from "../journal/index.js";
import { RedisServer } from "../journal/testing/redis-server.js";
import type { Manager } from "./manager.js";
import { ROOMS } from "./rooms.js";
import { clock, random, TestCluster } from "./testing/cluster-kit.js";
import { CLUSTER_SPEC } from "./testing/samples.js";

let cluster: TestCluster;
let redis: RedisServer;
let admin: Redis;

beforeAll(async () => {
  redis = await RedisServer.start("--requirepass", "s3cret");
  admin = new Redis({ port: redis.port, password: "s3cret" });
  admin.on("error", () => undefined);
  cluster = await TestCluster.start(3, ROOMS);
}, 60_000);

afterAll(async () => {
  admin.disconnect();
  await cluster[Symbol.asyncDispose]();
  await redis[Symbol.asyncDispose]();
});

function create(manager: Manager, name: string) {
  return manager.submit<"service.create">(
    {
      kind: "service.create",
      serviceId: newId(random),
      registryAuth: "",
      spec: {
        Name: name,
        Labels: {},
        TaskTemplate: { ContainerSpec: { Image: "web" }, ForceUpdate: 0, Runtime: "container" },
        Mode: { Replicated: { Replicas: 1 } },
      },
    },
    undefined,
    "test/1",
  );
}

/** As `swarm update` does it, through one manager, on the ground of what another one knows. */
async function change(via: Manager, known: Manager, set: Partial<ClusterSpec>): Promise<void> {
  const current = known.store.cluster();
  if (current === undefined) throw new Error("no cluster");
  await via.submit<"cluster.update">({
    kind: "cluster.update",
    version: current.versionIndex,
    spec: { ...current.spec, ...set },
    rotateWorkerToken: false,
    rotateManagerToken: false,
    rotateManagerUnlockKey: false,
  });
}

async function history(
  manager: Manager,
  onNotice?: (text: string) => void,
): Promise<readonly JournalEntry[]> {
  const upTo = await manager.journal.tail();
  const found: JournalEntry[] = [];
  for await (const entry of manager.journal.read({ upTo }, onNotice)) found.push(entry);
  return found;
}

/** As a damaged disk does it: what the first half of its files held is gone. */
async function loseHalf(manager: number, of: TestCluster = cluster): Promise<void> {
  const dir = join(of.journalDir(manager), of.clusterId);
  for (const name of await readdir(dir)) {
    const bytes = await readFile(join(dir, name));
    bytes.fill(0, 0, bytes.length >> 1);
    await writeFile(join(dir, name), bytes);
  }
}

async function eventually(holds: () => Promise<boolean>): Promise<void> {
  const endMs = clock.nowMs() + 15_000;
  while (!(await holds())) {
    if (clock.nowMs() > endMs) throw new Error("did not come to hold within 15 s");
    await clock.sleep(20);
  }
}

/** Positions in the stream, or what went wrong. */
async function stream(of: TestCluster = cluster): Promise<string> {
  return admin.xrange(streamKey(of.clusterId), "-", "+").then(
    (rows) => rows.map(([id]) => id).join(" "),
    (error: unknown) => String(error),
  );
}

async function untilStreamIs(manager: Manager, of: TestCluster = cluster): Promise<void> {
  await eventually(async () => {
    const expected = (await history(manager)).map(positionText).join(" ");
    return (await stream(of)) === expected;
  });
}

async function untilAllAgree(managers: readonly Manager[]): Promise<readonly JournalEntry[]> {
  await eventually(async () => {
    const all = await Promise.all(managers.map((manager) => history(manager)));
    const [first, ...others] = all.map((entries) => JSON.stringify(entries));
    return others.every((text) => text === first);
  });
  const [first] = managers;
  return first === undefined ? [] : history(first);
}

test("every manager derives the same entries and knows who asked, through which manager", async () => {
  const [leader, follower] = cluster.managers;
  if (leader === undefined || follower === undefined) throw new Error("no managers");
  await create(follower, "first");
  const entries = await untilAllAgree(cluster.managers.slice(0, 1));
  expect(entries.filter(({ name }) => name === "first")).toMatchObject([
    { action: "create", who: { nodeId: follower.nodeId, door: "rest", actor: "test/1" } },
  ]);
  await eventually(async () => (await history(leader)).some(({ type }) => type === "task"));
  const task = (await history(leader)).find(({ type }) => type === "task");
  expect(task).toMatchObject({
    name: "first.1",
    who: { nodeId: leader.nodeId, door: "system", actor: "services" },
  });
});

test("Redis killed, restarted empty, and the leader lost meanwhile: nothing is left out or doubled", async () => {
  const [leader, second, third] = cluster.managers;
  if (!leader || !second || !third) throw new Error("three managers");
  await change(third, leader, { Journal: { URL: `redis://:s3cret@127.0.0.1:${redis.port}` } });
  for (let i = 0; i < 8; i++) await create(third, `before-${i}`);
  await untilStreamIs(leader);
  expect(leader.journal.redisLag()).toMatchObject({ state: "ok" });
  expect(third.journal.redisLag()).toBeUndefined();

  await redis.kill();
  const writing = (async () => {
    for (let i = 0; i < 15; i++) await create(third, `while-${i}`);
  })();
  await clock.sleep(50);
  await leader.stop();
  await writing;
  await redis.start();
  await create(third, "after");
  await untilStreamIs(third);
  const entries = await untilAllAgree([second, third]);
  const created = entries.filter(({ type, action }) => type === "service" && action === "create");
  expect(created.map(({ name }) => name)).toEqual([
    "first",
    ...Array.from({ length: 8 }, (_, i) => `before-${i}`),
    ...Array.from({ length: 15 }, (_, i) => `while-${i}`),
    "after",
  ]);
  // The one that was away makes up for it out of its files and its log.
  await untilAllAgree([third, await cluster.reopen(0)]);
  expect(JSON.stringify(entries)).not.toContain("s3cret");
}, 60_000);

test("what a manager's files have lost comes from Redis and the others; a frozen Redis costs a notice, nothing else", async () => {
  const [, , third] = cluster.managers;
  if (!third) throw new Error("three managers");
  await untilStreamIs(third);
  const whole = await history(third);
  await third.stop();
  await loseHalf(2);
  const again = await cluster.reopen(2);
  await eventually(async () => (await again.journal.tail()).index >= (whole.at(-1)?.index ?? 0));
  const notices: string[] = [];
  const told = await history(again, (text) => notices.push(text));
  expect(told.slice(0, whole.length)).toEqual(whole);
  expect(notices).toEqual([]);

  redis.signal("SIGSTOP");
  try {
    const startMs = clock.nowMs();
    const own = await history(again, (text) => notices.push(text));
    expect(clock.nowMs() - startMs).toBeLessThan(3000);
    // From the managers.
    expect(own).toEqual(told);
    expect(notices).toEqual([
      expect.stringMatching(
        /^changes up to .* may be missing: redis .* did not answer within 1\.5 s$/,
      ),
    ]);
    expect(notices.join()).not.toContain("s3cret");
    // Writing goes on meanwhile.
    await create(again, "frozen");
  } finally {
    redis.signal("SIGCONT");
  }
  await untilStreamIs(again);
}, 60_000);

test("a manager that joins by a snapshot tells what was before it, and alone without Redis says that it cannot", async () => {
  await using young = await TestCluster.start(1, ROOMS);
  const [first] = young.managers;
  if (!first) throw new Error("a manager");
  await change(first, first, {
    Raft: { ...CLUSTER_SPEC.Raft, SnapshotInterval: 30, LogEntriesForSlowFollowers: 5 },
    Journal: { URL: `redis://:s3cret@127.0.0.1:${redis.port}` },
  });
  for (let i = 0; i < 100; i++) await create(first, `old-${i}`);
  const before = await history(first);
  await eventually(async () => first.journal.redisLag()?.waitingCount === 0);
  const joined = await young.add("m2");
  const told = async (onNotice?: (text: string) => void) =>
    JSON.stringify((await history(joined, onNotice)).slice(0, before.length));
  await eventually(async () => (await told()) === JSON.stringify(before));

  await first.stop({ handOver: false });
  redis.signal("SIGSTOP");
  try {
    const notices: string[] = [];
    const own = await history(joined, (text) => notices.push(text));
    // By its snapshot: its files begin later.
    expect(own.length).toBeLessThan(before.length);
    expect(notices).toHaveLength(1);
  } finally {
    redis.signal("SIGCONT");
  }
}, 60_000);

/** Places that a manager's own files hold: what it answers others. */
async function ownPlaces(manager: Manager): Promise<readonly string[]> {
  const found: string[] = [];
  let after = ORIGIN;
  for (;;) {
    const page = await manager.journal.page({ after }, new AbortController().signal);
    const places = page.entries.map((text) => JSON.parse(text) as JournalEntry);
    found.push(...places.map(positionText));
    after = places.at(-1) ?? after;
    if (page.isEnd) return found;
  }
}

const REDIS = () => ({ Journal: { URL: `redis://:s3cret@127.0.0.1:${redis.port}` } });

/** Raft that drops its log soon: who joins, or comes back late, gets a snapshot. */
const SNAPSHOTS = {
  Raft: { ...CLUSTER_SPEC.Raft, SnapshotInterval: 30, LogEntriesForSlowFollowers: 5 },
};

test("without a Redis managers fill each other's holes; alone, one says what it cannot have", async () => {
  await using own = await TestCluster.start(3, ROOMS);
  const [first, second] = own.managers;
  if (!first || !second) throw new Error("managers");
  for (let i = 0; i < 30; i++) await create(second, `old-${i}`);
  const whole = await untilAllAgree(own.managers);

  await own.managers[2]?.stop();
  await loseHalf(2, own);
  const third = await own.reopen(2);
  await eventually(async () => (await third.journal.tail()).index >= (whole.at(-1)?.index ?? 0));
  const notices: string[] = [];
  const told = await history(third, (text) => notices.push(text));
  expect(told.slice(0, whole.length)).toEqual(whole);
  expect(notices).toEqual([]);
  expect((await ownPlaces(third)).length).toBeLessThan(whole.length);
  // Whoever asks, also for the newest alone.
  const last: JournalEntry[] = [];
  const upTo = whole.at(-1);
  if (upTo === undefined) throw new Error("no history");
  for await (const entry of third.journal.read({ upTo, last: whole.length })) last.push(entry);
  expect(last).toEqual(whole);

  await second.stop();
  const fewer = await history(third, (text) => notices.push(text));
  expect(fewer.slice(0, whole.length)).toEqual(whole);
  expect(notices).toEqual([
    expect.stringMatching(/^changes up to .* may be missing: manager \S+ \(127\.0\.0\.1:\d+\): /),
  ]);
  await first.stop({ handOver: false });
  const alone = await history(third);
  expect(alone.length).toBeLessThan(whole.length);
}, 60_000);

test("a manager that joined by a snapshot leads into an empty Redis: the stream is whole", async () => {
  await using own = await TestCluster.start(1, ROOMS);
  const [first] = own.managers;
  if (!first) throw new Error("a manager");
  await change(first, first, SNAPSHOTS);
  for (let i = 0; i < 100; i++) await create(first, `old-${i}`);
  const joined = [await own.add("m2"), await own.add("m3")];
  const whole = await untilAllAgree([first, ...joined]);
  for (const manager of joined)
    expect((await ownPlaces(manager)).length).toBeLessThan(whole.length);

  // The one that has it all is away when the next one begins to copy.
  await first.stop();
  const [second, third] = joined;
  if (!second || !third) throw new Error("managers");
  await change(third, second, REDIS());
  await create(third, "while-away");
  const waits = ({ journal }: Manager): boolean =>
    /^waiting for changes .* lack: manager/.test(journal.redisLag()?.problem ?? "");
  await eventually(() => Promise.resolve(joined.some(waits)));
  expect(await stream(own)).toBe("");
  const again = await own.reopen(0);
  await create(third, "back");
  await untilStreamIs(again, own);
  expect(joined.some(({ isLeader }) => isLeader)).toBe(true);
  expect((await stream(own)).split(" ").length).toBeGreaterThan(whole.length);
}, 60_000);

test("the journal is read by managers, and only what is a question is answered", async () => {
  const [first, second] = cluster.identities;
  const target = cluster.managers.findIndex((manager) => manager.nodeId === second?.nodeId);
  if (!first || !second || target === -1) throw new Error("managers");
  const ask = (queryJson: Uint8Array) =>
    cluster.call(second, first, controlService.readJournal, { queryJson });
  const reply = await ask(Buffer.from('{"last":2}'));
  expect(
    Buffer.from(reply.entries ?? [])
      .toString()
      .split("\n"),
  ).toHaveLength(2);
  expect(reply.isEnd).toBe(false);
  for (const [text, why] of [
    ['{"after":"x"}', "journal: query: field after is malformed: must be INDEX-SEQ"],
    ['{"limit":1}', "journal: query: field limit is not supported"],
    ["{", "journal: query is not JSON"],
  ] as const)
    await expect(ask(Buffer.from(text))).rejects.toMatchObject({
      code: status.INVALID_ARGUMENT,
      details: why,
    });
  await expect(ask(Uint8Array.of(0xff))).rejects.toMatchObject({ code: status.INVALID_ARGUMENT });
});
