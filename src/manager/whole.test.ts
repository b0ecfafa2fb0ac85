/** The manager as `createManager` makes it: from a service to running tasks on agents, and through the loss of the leader. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { dispatcherService, TASK_STATE } from "../api/index.js";
import { newId } from "../base/index.js";
import { ROOMS } from "./rooms.js";
import { eventually, type KeyPair, random, TestCluster } from "./testing/cluster-kit.js";
import { TestAgent } from "./testing/test-agent.js";

let cluster: TestCluster;
const agents: TestAgent[] = [];
const workers: (KeyPair & { readonly nodeId: string })[] = [];

beforeAll(async () => {
  cluster = await TestCluster.start(3, ROOMS);
  const [to] = cluster.identities;
  if (to === undefined) throw new Error("no manager");
  for (let i = 0; i < 2; i++) {
    const own = await cluster.admit(to, "worker");
    workers.push(own);
    agents.push(new TestAgent(cluster, to, own));
  }
}, 60_000);

afterAll(async () => {
  for (const agent of agents) agent[Symbol.dispose]();
  await cluster[Symbol.asyncDispose]();
});

test("a service created on a follower runs on the agents, and is seen running everywhere", async () => {
  const [, follower, third] = cluster.managers;
  if (!follower || !third) throw new Error("three managers");
  await eventually("two sessions", () => agents.every((agent) => agent.has("assignments")));
  const { id } = await follower.submit<"service.create">({
    kind: "service.create",
    serviceId: newId(random),
    registryAuth: "",
    spec: {
      Name: "web",
      Labels: {},
      TaskTemplate: { ContainerSpec: { Image: "web" }, ForceUpdate: 0, Runtime: "container" },
      Mode: { Replicated: { Replicas: 10 } },
    },
  });
  const running = () =>
    third.store.tasksByService(id).filter((task) => task.state === TASK_STATE.running);
  await eventually("ten tasks run", () => running().length === 10);
  expect(new Set(running().map((task) => task.nodeId)).size).toBe(2);

  await follower.submit<"service.remove">({ kind: "service.remove", serviceId: id });
  await eventually("no task is left", () => third.store.tasksByService(id).length === 0);
});

test("a node asks a follower for a network of its container, by its certificate, and gives it back", async () => {
  const [, follower] = cluster.managers;
  const [, at] = cluster.identities;
  if (!follower || !at) throw new Error("three managers");
  await follower.submit<"network.create">({
    kind: "network.create",
    networkId: newId(random),
    spec: { Name: "app", Labels: {}, Driver: "overlay", Scope: "swarm", Attachable: true },
  });
  const { id } = await follower.submit<"service.create">({
    kind: "service.create",
    serviceId: newId(random),
    registryAuth: "",
    spec: {
      Name: "solo",
      Labels: {},
      TaskTemplate: { ContainerSpec: { Image: "web" }, ForceUpdate: 0, Runtime: "container" },
      Mode: { Replicated: { Replicas: 1 } },
    },
  });
  const solo = () =>
    follower.store.tasksByService(id).find((task) => task.state === TASK_STATE.running);
  await eventually("it runs", () => solo() !== undefined);
  const container = solo();
  const own = workers.find(({ nodeId }) => nodeId === container?.nodeId);
  const other = workers.find(({ nodeId }) => nodeId !== container?.nodeId);
  const request = {
    ...{ taskId: newId(random), containerTaskId: container?.id ?? "", containerId: "abc" },
    ...{ containerName: "solo.1", network: "app", aliases: ["db"], addresses: [] },
  };
  const ask = (keys: KeyPair | undefined) =>
    cluster.call(at, keys, dispatcherService.connect, request);
  expect((await ask(other)).error).toMatchObject({ code: "NotFound", http: 404, origin: "door" });
  await expect(ask(undefined)).rejects.toThrow("certificate");
  expect(await ask(own)).toMatchObject({ taskIds: [request.taskId], error: null });
  const attachment = () => follower.store.task(request.taskId);
  await eventually("it is connected", () => attachment()?.state === TASK_STATE.running);
  expect(attachment()).toMatchObject({
    nodeId: own?.nodeId,
    networks: [{ address: expect.stringMatching(/^10\./) as string, aliases: ["solo.1", "db"] }],
  });
  // The answer was lost on its way.
  expect((await ask(own)).taskIds).toEqual([request.taskId]);

  const leave = (requestId: string) =>
    cluster.call(at, own, dispatcherService.disconnect, {
      ...{ container: container?.id ?? "", network: "app", requestId },
    });
  expect((await leave("first")).taskIds).toEqual([request.taskId]);
  // The answer was lost on its way; another call is one of its own.
  expect((await leave("first")).taskIds).toEqual([request.taskId]);
  expect((await leave("second")).error).toMatchObject({ http: 500 });
  await eventually("nothing is left of it", () => attachment() === undefined);
  expect(solo()?.id).toBe(container?.id);
  await follower.submit<"service.remove">({ kind: "service.remove", serviceId: id });
}, 30_000);

test("losing the leader redirects the agents and writes no node state", async () => {
  const [leader, follower] = cluster.managers;
  if (!leader || !follower) throw new Error("three managers");
  const before = follower.store.nodes().map(({ id, state }) => ({ id, state }));
  await leader.stop();
  cluster.managers.shift();
  await eventually("agents are told", () => agents.every((agent) => agent.has("redirect")));
  const view = await follower.read();
  expect(view.nodes().map(({ id, state }) => ({ id, state }))).toEqual(before);
});
