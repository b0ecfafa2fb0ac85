/** Agents and role changes against three real managers. */
import { createHash, randomBytes } from "node:crypto";
import { status } from "@grpc/grpc-js";
import { afterAll, beforeAll, expect, test } from "vitest";
import { controlService } from "../api/index.js";
import type { Manager } from "./manager.js";
import { encodeOperation } from "./rpc/index.js";
import { eventually, type KeyPair, TestCluster } from "./testing/cluster-kit.js";
import { TestAgent } from "./testing/test-agent.js";

let cluster: TestCluster;
let leader: Manager;
let follower: Manager;
let worker: KeyPair & { readonly nodeId: string };

beforeAll(async () => {
  cluster = await TestCluster.start(3);
  const [first, second] = cluster.managers;
  const [to] = cluster.identities;
  if (!first || !second || !to) throw new Error("three managers");
  leader = first;
  follower = second;
  worker = await cluster.admit(to, "worker");
}, 60_000);

afterAll(async () => {
  await cluster[Symbol.asyncDispose]();
});

function agentAt(index: number): TestAgent {
  const to = cluster.identities[index];
  if (to === undefined) throw new Error("no manager");
  return new TestAgent(cluster, to, worker);
}

test("a follower redirects an agent to the leader", async () => {
  using agent = agentAt(1);
  await eventually("a redirect", () => agent.has("redirect"));
  expect(agent.received[0]?.redirect?.leaderAddr).toBe(cluster.identities[0]?.advertiseAddr);
  expect(agent.received[0]?.redirect?.managers).toHaveLength(3);
});

test("an agent's node is ready everywhere, and down when the agent is gone", async () => {
  {
    using agent = agentAt(0);
    await eventually("assignments", () => agent.has("assignments"));
    const view = await follower.read();
    expect(view.node(worker.nodeId)).toMatchObject({ state: "ready", bootId: "boot" });
  }
  await eventually(
    "the node is down",
    () => follower.store.node(worker.nodeId)?.state === "down",
    9000,
  );
});

test("every manager tells what the containers of a node use", async () => {
  using agent = agentAt(0);
  await eventually("a session", () => agent.has("heartbeatAck"));
  for (const manager of [leader, follower]) {
    const usage = (await manager.nodeUsages()).get(worker.nodeId);
    expect(usage).toMatchObject({ nodeId: worker.nodeId, cpuNano: 5e8, memBytes: 4096 });
  }
});

test("a tunnel from any manager carries bytes both ways and ends in halves", async () => {
  using agent = agentAt(0);
  await eventually("a session", () => agent.has("welcome"));
  for (const manager of [leader, follower]) {
    const stream = await manager.connectNode(worker.nodeId);
    const sent = randomBytes(3 * 1024 * 1024);
    const hash = createHash("sha256");
    let receivedBytes = 0;
    stream.on("data", (chunk: Buffer) => {
      hash.update(chunk);
      receivedBytes += chunk.byteLength;
    });
    const ended = new Promise((resolve, reject) => stream.on("end", resolve).on("error", reject));
    stream.end(sent);
    await ended;
    expect(receivedBytes).toBe(sent.byteLength);
    expect(hash.digest("hex")).toBe(createHash("sha256").update(sent).digest("hex"));
  }
});

test("a node without session is named when it cannot be reached", async () => {
  await expect(follower.connectNode("nosuchnode")).rejects.toMatchObject({
    code: "Unavailable",
    message: expect.stringContaining("nosuchnode"),
  });
});

test("a demoted manager leaves the group, learns it, and its certificate is worth no more", async () => {
  const demoted = cluster.managers[2];
  const own = cluster.identities[2];
  const [to] = cluster.identities;
  if (!demoted || !own || !to) throw new Error("three managers");
  await leader.submit<"node.update">({
    kind: "node.update",
    nodeId: demoted.nodeId,
    version: 0,
    spec: { Labels: {}, Role: "worker", Availability: "active" },
  });
  await eventually("the role", () => leader.store.node(demoted.nodeId)?.role === "worker");
  expect(leader.store.node(demoted.nodeId)?.manager).toBeUndefined();
  await eventually("the demoted one knows", () => cluster.ends.demoted.includes("m3"));
  await expect(demoted.read()).rejects.toMatchObject({ http: 503 });
  const operationJson = encodeOperation({ kind: "service.remove", serviceId: "x" });
  const request = { requestId: "r", operationJson, timeoutMs: 1000, forwardedBy: "" };
  await expect(cluster.call(to, own, controlService.submit, request)).rejects.toMatchObject({
    code: status.PERMISSION_DENIED,
  });
});

test("a demoted leader hands over and then leaves", async () => {
  await leader.submit<"node.update">({
    kind: "node.update",
    nodeId: leader.nodeId,
    version: 0,
    spec: { Labels: {}, Role: "worker", Availability: "active" },
  });
  await eventually("the role", () => follower.store.node(leader.nodeId)?.role === "worker");
  expect(follower.isLeader).toBe(true);
  await eventually("the demoted one knows", () => cluster.ends.demoted.includes("m1"));
});
