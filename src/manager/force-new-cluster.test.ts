/** Two of three managers are lost: the third goes on alone, keeps everything, and takes nothing from the old ones. */
import { status } from "@grpc/grpc-js";
import { afterAll, beforeAll, expect, test } from "vitest";
import { caService, controlService, type NodeIdentity, TASK_STATE } from "../api/index.js";
import { newId } from "../base/index.js";
import { createCsr, parseCertificate } from "./ca/index.js";
import type { Manager } from "./manager.js";
import { ROOMS } from "./rooms.js";
import { eventually, type KeyPair, random, TestCluster } from "./testing/cluster-kit.js";
import { TestAgent } from "./testing/test-agent.js";

let cluster: TestCluster;
let sole: Manager;
let own: NodeIdentity;
let worker: KeyPair & { readonly nodeId: string };
let agent: TestAgent;

const running = () =>
  sole.store
    .tasks()
    .filter((task) => task.state === TASK_STATE.running)
    .map(({ id }) => id)
    .sort();

beforeAll(async () => {
  cluster = await TestCluster.start(3, ROOMS);
  const [, , third] = cluster.managers;
  const [first, , last] = cluster.identities;
  if (!third || !first || !last) throw new Error("three managers");
  sole = third;
  own = last;
  worker = await cluster.admit(first, "worker");
  agent = new TestAgent(cluster, first, worker);
  await third.submit<"service.create">({
    kind: "service.create",
    serviceId: newId(random),
    registryAuth: "",
    spec: {
      Name: "web",
      Labels: {},
      TaskTemplate: { ContainerSpec: { Image: "web" }, ForceUpdate: 0, Runtime: "container" },
      Mode: { Replicated: { Replicas: 4 } },
    },
  });
  await eventually("four tasks run", () => running().length === 4);
}, 60_000);

afterAll(async () => {
  agent[Symbol.dispose]();
  await cluster[Symbol.asyncDispose]();
});

test("it leads alone with everything there was: ids, services, tasks, tokens, the CA", async () => {
  const before = sole.store;
  const [clusterObject, tasks, services] = [before.cluster(), running(), before.services()];
  const index = before.index;
  const [first, second] = cluster.managers;
  await Promise.all([first, second].map((manager) => manager?.stop({ handOver: false })));
  await eventually("it knows no leader", () => sole.leader() === undefined);
  await sole.stop();
  agent[Symbol.dispose]();

  sole = await cluster.reopen(2, { kind: "forceNewCluster" });
  const view = await sole.read();
  expect(sole.isLeader).toBe(true);
  expect(view.cluster()).toEqual(clusterObject);
  expect(view.services()).toEqual(services);
  expect(running()).toEqual(tasks);
  // No index that the lost ones may have given out means two things.
  expect(view.index).toBeGreaterThan(index + 4_096);
  const shown = view
    .nodes()
    .filter(({ id }) => id !== worker.nodeId)
    .map(({ id, role, spec, manager }) => ({ id, role, wanted: spec.Role, addr: manager?.addr }));
  const [a, b] = cluster.identities.map(({ nodeId }) => nodeId);
  expect(shown).toHaveLength(3);
  expect(shown).toEqual(
    expect.arrayContaining([
      { id: a, role: "worker", wanted: "worker", addr: undefined },
      { id: b, role: "worker", wanted: "worker", addr: undefined },
      { id: own.nodeId, role: "manager", wanted: "manager", addr: own.advertiseAddr },
    ]),
  );
});

test("a worker finds it again, told of no other manager, and no task is replaced", async () => {
  const tasks = running();
  agent = new TestAgent(cluster, own, worker);
  await eventually("a session", () => agent.has("assignments"));
  const update = agent.received.find(({ nodeUpdate }) => nodeUpdate)?.nodeUpdate;
  expect(update?.managers?.map(({ addr }) => addr)).toEqual([own.advertiseAddr]);
  await sole.submit<"node.update">({
    kind: "node.update",
    nodeId: worker.nodeId,
    version: sole.store.node(worker.nodeId)?.versionIndex ?? 0,
    spec: { Labels: { seen: "yes" }, Role: "worker", Availability: "active" },
  });
  expect((await sole.read()).node(worker.nodeId)?.spec.Labels).toEqual({ seen: "yes" });
  expect(running()).toEqual(tasks);
});

test("the old managers come back together: they end, told what to do, and are given the role of workers", async () => {
  const [a, b] = cluster.identities;
  if (!a || !b) throw new Error("old managers");
  const term = sole.raftTerm;
  const outcomes = await Promise.allSettled([cluster.reopen(0), cluster.reopen(1)]);
  expect(outcomes).toEqual(
    [0, 1].map(() => ({
      status: "rejected",
      reason: expect.objectContaining({ reason: "demoted" }) as unknown,
    })),
  );
  expect(cluster.warnings).toContainEqual(
    expect.stringMatching(/continued without it.*run `swarm leave --force` here and join again/),
  );
  expect([sole.isLeader, sole.raftTerm]).toEqual([true, term]);

  const { csrPem } = await createCsr();
  const renewal = { csrPem, token: "", availability: "" };
  const { certificatePem } = await cluster.call(own, a, caService.issue, renewal);
  expect(parseCertificate(certificatePem ?? "")).toMatchObject({
    nodeId: a.nodeId,
    role: "worker",
  });
  const operationJson = Buffer.from(
    JSON.stringify({
      kind: "raft.join",
      nodeId: b.nodeId,
      memberId: "abc",
      addr: b.advertiseAddr,
    }),
  );
  const join = { requestId: newId(random), operationJson, timeoutMs: 5_000, forwardedBy: b.nodeId };
  await expect(cluster.call(own, b, controlService.submit, join)).rejects.toMatchObject({
    code: status.PERMISSION_DENIED,
    details: expect.stringContaining("is not a manager") as string,
  });
});

test("new managers join it and have everything", async () => {
  cluster.managers.splice(0, 2);
  cluster.identities.splice(0, 2);
  const added = await cluster.add("m4");
  const view = await added.read();
  expect(view.services()).toEqual(sole.store.services());
  expect(view.nodes()).toHaveLength(5);
}, 30_000);
