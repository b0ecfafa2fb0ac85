import { expect, test } from "vitest";
import { SeededRandom } from "../testing/seeded-random.js";
import { SimCluster } from "../testing/sim-cluster.js";
import { SimWorld } from "../testing/sim-world.js";
import type { RaftEvent, RaftNode } from "../types.js";

async function group(
  count: number,
): Promise<{ world: SimWorld; cluster: SimCluster; run: (ms: number) => Promise<void> }> {
  const world = new SimWorld();
  const cluster = new SimCluster(world, new SeededRandom(7), {});
  const run = (ms: number): Promise<void> =>
    world.runUntil(world.nowMs + ms, () => cluster.check());
  const ids = [..."abc"].slice(0, count);
  for (const [at, id] of ids.entries()) {
    cluster.add(id);
    void cluster.start(id, at === 0); // Ends within the run below.
  }
  await run(500);
  for (const id of ids.slice(1)) {
    const a = nodeOf(cluster, "a");
    void a.changeMembership({ kind: "addLearner", id, context: Buffer.from(id) }); // As above.
    await run(500);
    void a.changeMembership({ kind: "promote", id }); // As above.
    await run(500);
  }
  return { world, cluster, run };
}

function nodeOf(cluster: SimCluster, id: string): RaftNode {
  const { node } = cluster.get(id);
  if (node === undefined) throw new Error(`${id} is down`);
  return node;
}

const settled = (promise: Promise<unknown>): { value: unknown } => {
  const seen: { value: unknown } = { value: "pending" };
  promise.then(
    () => (seen.value = "resolved"),
    (error: { code?: string }) => (seen.value = error.code),
  );
  return seen;
};

test("a full disk stops the node, acknowledges nothing, and loses nothing acknowledged", async () => {
  const { cluster, run } = await group(1);
  const node = nodeOf(cluster, "a");
  const events: RaftEvent[] = [];
  node.subscribe((event) => events.push(event));
  const kept = settled(node.propose(Buffer.from("kept")));
  await run(50);
  expect(kept.value).toBe("resolved");
  cluster.get("a").disk.isFull = true;
  const lost = settled(node.propose(Buffer.from("unacknowledged")));
  await run(50);
  expect(lost.value).toBe("OUTCOME_UNKNOWN");
  expect(events).toMatchObject([{ kind: "failed", error: { code: "DISK_FAILED" } }]);
  await expect(node.propose(Buffer.from("x"))).rejects.toMatchObject({ code: "DISK_FAILED" });
  cluster.get("a").disk.isFull = false;
  void cluster.start("a"); // Ends within the run below.
  await run(500);
  expect(cluster.get("a").machine.items.map(([, text]) => text)).toContain("kept");
});

test("a leader without its quorum: writes end unknown, reads NOT_LEADER once no leader is known for long", async () => {
  const { cluster, run } = await group(3);
  const node = nodeOf(cluster, "a");
  for (const id of ["b", "c"]) cluster.cut.add(`a>${id}`).add(`${id}>a`);
  const write = settled(node.propose(Buffer.from("x")));
  const read = settled(node.readBarrier());
  await run(1_000);
  expect(write.value).toBe("OUTCOME_UNKNOWN");
  expect(read.value).toBe("pending");
  await run(1_500);
  expect(read.value).toBe("NOT_LEADER");
  expect(node.status().leaderlessMs).toBeGreaterThan(1_000);
  await expect(node.readBarrier()).rejects.toMatchObject({ code: "NOT_LEADER" });
});

test("a lost connection to the leader: another leads within 300 ms", async () => {
  const { cluster, run } = await group(3);
  cluster.crash("a");
  nodeOf(cluster, "b").peerDisconnected("a");
  nodeOf(cluster, "c").peerDisconnected("a");
  await run(300);
  const leaders = ["b", "c"].filter((id) => nodeOf(cluster, id).status().role === "leader");
  expect(leaders).toHaveLength(1);
});

test("without that report: within 1.3 s", async () => {
  const { cluster, run } = await group(3);
  cluster.crash("a");
  await run(1_300);
  const leaders = ["b", "c"].filter((id) => nodeOf(cluster, id).status().role === "leader");
  expect(leaders).toHaveLength(1);
});

test("isLeader is announced once the whole log is applied, and taken back", async () => {
  const { cluster, run } = await group(3);
  const events: RaftEvent[] = [];
  nodeOf(cluster, "b").subscribe((event) => events.push(event));
  const handedOver = settled(nodeOf(cluster, "a").transferLeadership("b"));
  await run(300);
  expect(handedOver.value).toBe("resolved");
  const flags = events.flatMap((event) => (event.kind === "leadership" ? [event.isLeader] : []));
  expect(flags.at(-1)).toBe(true);
  expect(flags.filter(Boolean)).toHaveLength(1);
  void nodeOf(cluster, "b").transferLeadership("c"); // Ends within the run below.
  await run(300);
  const last = events.filter((event) => event.kind === "leadership").at(-1);
  expect(last).toMatchObject({ isLeader: false, leader: "c" });
});

test("a member whose disk lost the end of its log stops as damaged", async () => {
  const { cluster, run } = await group(3);
  const a = nodeOf(cluster, "a");
  const written = settled(a.propose(Buffer.from("acknowledged by all")));
  // Not so long that the commit index follows in a frame of its own.
  await run(50);
  expect(written.value).toBe("resolved");
  const victim = cluster.get("c");
  cluster.crash("c");
  // What a damaged last frame looks like: everything before it is intact.
  const disk = victim.disk.mount();
  const damage = disk.list("/raft").then(async (names) => {
    const path = `/raft/${names.find((name) => name.startsWith("wal-"))}`;
    const file = await disk.open(path, "write");
    await file.truncate(lastWritten(await file.read(0, await file.sizeBytes())));
  });
  await run(10);
  await damage;
  void cluster.start("c"); // Ends within the run below.
  await expect(run(500)).rejects.toMatchObject({
    code: "DAMAGED",
    message: expect.stringMatching(/the log ends with entry \d+, .* acknowledged .* up to \d+/u),
  });
});

/** The offset of the last byte that is not the zeros a segment is filled with ahead. */
function lastWritten(bytes: Uint8Array): number {
  return bytes.findLastIndex((byte) => byte !== 0);
}
