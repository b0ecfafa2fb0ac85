/** The manager as `createManager` makes it: from a service to running tasks on agents, and through the loss of the leader. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { TASK_STATE } from "../api/index.js";
import { newId } from "../base/index.js";
import { ROOMS } from "./rooms.js";
import { eventually, random, TestCluster } from "./testing/cluster-kit.js";
import { TestAgent } from "./testing/test-agent.js";

let cluster: TestCluster;
const agents: TestAgent[] = [];

beforeAll(async () => {
  cluster = await TestCluster.start(3, ROOMS);
  const [to] = cluster.identities;
  if (to === undefined) throw new Error("no manager");
  for (let i = 0; i < 2; i++)
    agents.push(new TestAgent(cluster, to, await cluster.admit(to, "worker")));
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
