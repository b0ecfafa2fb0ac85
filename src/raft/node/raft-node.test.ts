import { readdirSync } from "node:fs";
import { afterEach, beforeEach, expect, test } from "vitest";
import { LocalCluster, retry, until } from "../testing/cluster.js";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
let cluster: LocalCluster;

beforeEach(async () => {
  cluster = await LocalCluster.create();
});
afterEach(() => cluster.destroy());

test("a single member leads, commits and recovers its log", async () => {
  await cluster.grow(1);
  const first = await cluster.get("a").node.propose(bytes("x"));
  expect(first.result).toBe(1);
  await cluster.get("a").node.propose(bytes("y"));
  await cluster.stop("a");
  const again = await cluster.open("a", false);
  await until(() => again.node.status().role === "leader");
  await again.node.readBarrier();
  expect(again.machine.items).toEqual(["x", "y"]);
});

test("three members replicate, a follower reads linearizably", async () => {
  await cluster.grow(3);
  const writes = Array.from({ length: 500 }, (_, i) =>
    cluster.get("a").node.propose(bytes(`w${i}`)),
  );
  const results = await Promise.all(writes);
  expect(results.map(({ result }) => result)).toEqual(Array.from({ length: 500 }, (_, i) => i + 1));
  await cluster.get("c").node.readBarrier();
  expect(cluster.get("c").machine.items.length).toBe(500);
  expect(
    cluster
      .get("c")
      .node.status()
      .members.map(({ id }) => id),
  ).toEqual(["a", "b", "c"]);
});

test("after the leader's loss another takes over and nothing acknowledged is missing", async () => {
  await cluster.grow(3);
  await cluster.get("a").node.propose(bytes("kept"));
  await cluster.stop("a");
  for (const { node } of cluster.nodes.values()) node.peerDisconnected("a");
  await retry(() => cluster.leader().node.propose(bytes("after")));
  expect(cluster.leader().machine.items).toEqual(["kept", "after"]);
});

test("a follower that fell behind the compacted log gets a snapshot", async () => {
  await cluster.grow(3, { snapshotEntries: 100, keepEntries: 10 });
  await cluster.stop("c");
  const leader = cluster.get("a").node;
  const long = "z".repeat(5_000);
  for (let round = 0; round < 5; round++) {
    await Promise.all(
      Array.from({ length: 100 }, (_, i) => leader.propose(bytes(`${round}.${i}${long}`))),
    );
    await leader.snapshotNow().catch(() => undefined);
  }
  await leader.snapshotNow();
  const back = await cluster.open("c", false, { snapshotEntries: 100, keepEntries: 10 });
  await until(() => back.machine.items.length === 500);
  await leader.propose(bytes("more"));
  await until(() => back.machine.items.length === 501);
  expect(back.machine.items).toEqual(cluster.get("a").machine.items);
});

test("a snapshot policy counts from when it is set", async () => {
  await cluster.grow(1);
  const { node, dir } = cluster.get("a");
  for (let i = 0; i < 20; i++) await node.propose(bytes(`${i}`));
  node.setSnapshotPolicy({ snapshotEntries: 10 });
  await until(() => readdirSync(dir).some((name) => name.endsWith(".snap")));
});

test("leadership is handed over on request", async () => {
  await cluster.grow(3);
  await cluster.get("a").node.transferLeadership("b");
  await until(() => cluster.get("b").node.status().role === "leader");
  await expect(cluster.get("a").node.propose(bytes("no"))).rejects.toMatchObject({
    code: "NOT_LEADER",
  });
});

test("a removed member hears of it", async () => {
  await cluster.grow(3);
  const events: string[] = [];
  cluster.get("c").node.subscribe((event) => events.push(event.kind));
  await cluster.get("a").node.changeMembership({ kind: "remove", id: "c" });
  await until(() => events.includes("removed"));
  expect(cluster.get("c").node.status().role).toBe("removed");
  await cluster.get("a").node.propose(bytes("two left"));
});
