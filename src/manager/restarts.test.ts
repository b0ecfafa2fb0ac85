/** Managers that stop, come back, and were demoted or removed meanwhile. */
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Manager } from "./manager.js";
import { clock, eventually, TestCluster } from "./testing/cluster-kit.js";

let cluster: TestCluster;
let leader: Manager;

beforeAll(async () => {
  cluster = await TestCluster.start(3);
  const [first] = cluster.managers;
  if (!first) throw new Error("three managers");
  leader = first;
}, 60_000);

afterAll(async () => {
  await cluster[Symbol.asyncDispose]();
});

function setRole(nodeId: string, Role: "worker" | "manager") {
  const spec = { Labels: { at: String(clock.nowMs()) }, Role, Availability: "active" } as const;
  return leader.submit<"node.update">({ kind: "node.update", nodeId, version: 0, spec });
}

test("a manager that was away comes back with everything written meanwhile", async () => {
  const away = cluster.managers[2];
  const [own] = cluster.identities.slice(2);
  if (!away || !own) throw new Error("three managers");
  await away.stop();
  await setRole(leader.nodeId, "manager");
  const index = leader.store.index;
  const back = await cluster.reopen(2);
  expect(back.store.index).toBeGreaterThanOrEqual(index);
  expect((await back.read()).nodes()).toHaveLength(3);
  expect(leader.isLeader).toBe(true);
});

test("managers see who answers and who does not", async () => {
  const [, second, third] = cluster.managers;
  if (!second || !third) throw new Error("three managers");
  const seen = (by: Manager): string[] =>
    by.store.nodes().map((node) => {
      const { isLeader, reachability } = by.reachabilityOf(node);
      return `${cluster.identities.findIndex((id) => id.nodeId === node.id)} ${reachability} ${isLeader}`;
    });
  const all = ["0 reachable true", "1 reachable false", "2 reachable false"];
  await eventually("all answer", () =>
    [leader, second].every((by) => seen(by).sort().join() === all.join()),
  );
  await third.stop();
  await eventually("one does not", () =>
    [leader, second].every((by) => seen(by).sort()[2] === "2 unreachable false"),
  );
  await cluster.reopen(2);
});

test("a manager demoted while it was stopped is told so when it starts, and disturbs nobody", async () => {
  const away = cluster.managers[2];
  if (!away) throw new Error("three managers");
  await away.stop();
  await setRole(away.nodeId, "worker");
  await eventually("its role", () => leader.store.node(away.nodeId)?.role === "worker");
  await expect(cluster.reopen(2)).rejects.toMatchObject({ reason: "demoted" });
  expect(cluster.ends.demoted).toEqual([]);
  expect(leader.isLeader).toBe(true);
});

test("a leader that ends without a word is replaced, and nothing acknowledged is lost", async () => {
  const [, second] = cluster.managers;
  if (!second) throw new Error("two managers");
  await cluster.add("m4");
  const third = cluster.managers[3];
  if (!third) throw new Error("no fourth manager");
  await setRole(second.nodeId, "manager");
  const index = leader.store.index;
  const startMs = clock.nowMs();
  const ended = leader.stop({ handOver: false });
  await second.read();
  const gapMs = clock.nowMs() - startMs;
  await ended;
  expect(second.store.index).toBeGreaterThanOrEqual(index);
  // Its connections break, which starts the vote at once (contracts §6): well below an election timeout.
  expect(gapMs).toBeLessThan(5 * 600);
  leader = await cluster.reopen(0);
  await third.stop();
  cluster.managers.pop();
  await cluster.managers.find((manager) => manager.isLeader)?.read();
});

test("of two managers one alone answers with an error, and works again with the other back", async () => {
  const [, second] = cluster.managers;
  if (!second) throw new Error("two managers");
  await second.stop();
  await eventually("no leader", () => leader.leader() === undefined);
  await clock.sleep(1200);
  await expect(leader.read()).rejects.toMatchObject({ http: 500 });
  await cluster.reopen(1);
  await expect(leader.read()).resolves.toBeDefined();
});
