import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { LocalCluster, type Running, until } from "../testing/cluster.js";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
let cluster: LocalCluster;

beforeEach(async () => {
  cluster = await LocalCluster.create();
});
afterEach(() => cluster.destroy());

/** A lone member leads a moment after it was opened. */
async function openLeader(limits?: Parameters<LocalCluster["open"]>[2]): Promise<Running> {
  const running = await cluster.open("a", true, limits);
  await until(() => running.node.status().role === "leader");
  return running;
}

async function write(running: Running, count: number): Promise<void> {
  await Promise.all(Array.from({ length: count }, (_, i) => running.node.propose(bytes(`w${i}`))));
}

async function flipBit(path: string, at: number): Promise<void> {
  const content = await readFile(path);
  content[at] = (content[at] ?? 0) ^ 1;
  await writeFile(path, content);
}

async function snapshots(running: Running): Promise<string[]> {
  const names = await readdir(running.dir);
  return names.filter((name) => name.endsWith(".snap")).sort();
}

test("bootstrap needs an empty directory", async () => {
  await cluster.open("a", true);
  await cluster.stop("a");
  await expect(cluster.open("a", true)).rejects.toThrow(/empty directory/);
});

test("a log of another member is refused", async () => {
  const { dir } = await cluster.open("a", true);
  await cluster.stop("a");
  await expect(cluster.open("b", false, { dir })).rejects.toMatchObject({ code: "DAMAGED" });
});

test("without its key the state is not opened, and says which key", async () => {
  await cluster.open("a", true);
  await cluster.stop("a");
  const keys = [{ keyId: 8, key: new Uint8Array(32) }];
  await expect(cluster.open("a", false, { keys, activeKeyId: 8 })).rejects.toMatchObject({
    code: "KEY_MISSING",
    message: expect.stringContaining("data key 7"),
  });
});

test("a damaged newest snapshot: the one before it and the log make up for it", async () => {
  const first = await openLeader();
  for (let round = 0; round < 3; round++) {
    await write(first, 50);
    await first.node.snapshotNow();
  }
  await write(first, 5);
  await cluster.stop("a");
  const [, newest] = await snapshots(first);
  await flipBit(join(first.dir, newest ?? ""), 300);
  const again = await cluster.open("a", false);
  await until(() => again.machine.items.length === 155);
  expect(again.machine.items).toEqual(first.machine.items);
});

test("all snapshots damaged and the log compacted: refused", async () => {
  const first = await openLeader();
  const long = "x".repeat(400_000);
  // Enough for several segments, so that the first ones are dropped.
  for (let round = 0; round < 4; round++) {
    await Promise.all(Array.from({ length: 45 }, () => first.node.propose(bytes(long))));
    first.machine.items = [];
    await first.node.snapshotNow();
  }
  await cluster.stop("a");
  for (const name of await snapshots(first)) await flipBit(join(first.dir, name), 100);
  await expect(cluster.open("a", false)).rejects.toMatchObject({ code: "DAMAGED" });
});

test("limits are named: size of a proposal, number in flight", async () => {
  const { node } = await openLeader({ proposalMaxBytes: 100, inflightMax: 10 });
  await expect(node.propose(new Uint8Array(101))).rejects.toMatchObject({ code: "TOO_LARGE" });
  const writes = Array.from({ length: 11 }, () => node.propose(new Uint8Array(1)));
  await expect(writes[10]).rejects.toMatchObject({ code: "OVERLOADED" });
  await Promise.all(writes.slice(0, 10));
});

test("after closing, calls say STOPPED", async () => {
  const { node } = await cluster.open("a", true);
  await cluster.stop("a");
  await expect(node.propose(bytes("x"))).rejects.toMatchObject({ code: "STOPPED" });
  await expect(node.readBarrier()).rejects.toMatchObject({ code: "STOPPED" });
});

test("a joining member knows nothing until the leader writes to it", async () => {
  const { node } = await cluster.open("b", false);
  expect(node.status()).toMatchObject({ role: "learner", term: 0, leader: undefined, members: [] });
  await expect(node.propose(bytes("x"))).rejects.toMatchObject({ code: "NOT_LEADER" });
});
