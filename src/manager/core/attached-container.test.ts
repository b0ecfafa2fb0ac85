/** Containers outside services: what the leader's loops do for them, and leave alone. */
import { expect, test } from "vitest";
import {
  type Change,
  type NetworkSpec,
  NO_TASK_NETWORKS,
  TASK_STATE,
  type Task,
} from "../../api/index.js";
import { networkStateFor } from "../../overlay-net/core/index.js";
import { CLUSTER } from "./testing/cluster.js";
import { World } from "./testing/world.js";

const META = { versionIndex: 0, clientIndex: 0, createdAtMs: 0, updatedAtMs: 0 };

function putNetwork(id: string, set: Partial<NetworkSpec> = {}): Change {
  const spec: NetworkSpec = { Name: id, Labels: {}, Driver: "overlay", Scope: "swarm", ...set };
  return {
    kind: "putNetwork",
    network: { ...META, id, spec, predefined: false, vni: 0, subnets: [], mtu: 0 },
  };
}

function container(id: string, set: Partial<Task> = {}): Task {
  return {
    ...{ id, versionIndex: 0, createdAtMs: 0, updatedAtMs: 0 },
    ...{ serviceId: "", serviceName: "tool", slot: 0, nodeId: "a", specVersion: 0 },
    spec: {
      ContainerSpec: { Image: "bb" },
      ForceUpdate: 0,
      Runtime: "attachment",
      Networks: [{ Target: "app", Aliases: ["db"] }],
    },
    ...{ hostPorts: [], desiredState: TASK_STATE.running, state: TASK_STATE.new },
    ...{ statusAtMs: 0, message: "created", err: "", containerId: "", pid: 0, exitCode: 0 },
    ...{ portStatus: [], notBeforeMs: 0, jobIteration: 0, genericResources: [] },
    ...{ networks: NO_TASK_NETWORKS, networkPhase: 0 },
    ...set,
  };
}

function world(app: Partial<NetworkSpec> = {}): World {
  const made = new World();
  made.commit([{ kind: "putCluster", cluster: CLUSTER }, putNetwork("app", app)]);
  return made.addNodes("a", "b").settle();
}

function run(made: World, task: Task): World {
  made.commit([{ kind: "putTask", task }]);
  return made.settle();
}

test("gets an address and its names, runs on its node, and is known to others by its name", () => {
  const made = run(world(), container("c1"));
  expect(made.store.task("c1")).toMatchObject({
    ...{ state: TASK_STATE.running, nodeId: "a" },
    networks: [{ networkId: "app", address: "10.0.0.2", address6: "", aliases: ["tool", "db"] }],
  });
  expect(networkStateFor(made.store, "a").endpoints).toMatchObject([
    { taskId: "c1", serviceId: "", taskName: "tool", aliases: ["tool", "db"] },
  ]);
});

test("is nobody's to replace or to trim: it stays as it ended, and its address is free", () => {
  const made = world();
  for (let i = 0; i < 8; i++) run(made, container(`c${i}`, { serviceName: `tool${i}` }));
  const [first] = [made.store.task("c0")];
  if (first === undefined) throw new Error("no task");
  made.report(first, "failed");
  made.electLeader();
  made.advance(60_000);
  expect(
    made.store
      .tasks()
      .map(({ id }) => id)
      .sort(),
  ).toHaveLength(8);
  expect(made.store.task("c0")).toMatchObject({ state: TASK_STATE.failed });
  expect(made.store.freedAddresses("app").has("10.0.0.2")).toBe(true);
});

test("is stopped and forgotten when it is removed", () => {
  const made = run(world(), container("c1"));
  made.commit([{ kind: "taskDesired", taskId: "c1", desiredState: TASK_STATE.remove }]);
  made.settle();
  made.advance(1_000);
  expect(made.store.tasks()).toEqual([]);
  expect([...made.store.freedAddresses("app").keys()]).toEqual(["10.0.0.2"]);
});

test("goes with its node", () => {
  const made = run(world(), container("c1"));
  made.removeNode("a");
  made.advance(1_000);
  expect(made.store.tasks()).toEqual([]);
});

test("runs on while its node is drained", () => {
  const made = run(world(), container("c1"));
  made.putNode("a", { availability: "drain" });
  made.advance(60_000);
  expect(made.store.task("c1")).toMatchObject({
    state: TASK_STATE.running,
    desiredState: TASK_STATE.running,
  });
});

test("says why it waits, and runs when there is an address", () => {
  // Gateway .1; .2 to .6 are taken.
  const made = world({ IPAM: { Config: [{ Subnet: "10.9.0.0/29" }] } });
  for (let i = 0; i < 6; i++) run(made, container(`c${i}`, { serviceName: `tool${i}` }));
  expect(made.store.task("c5")).toMatchObject({
    state: TASK_STATE.new,
    err: expect.stringContaining("network app: no free address in 10.9.0.0/29") as string,
  });
  made.commit([{ kind: "taskDesired", taskId: "c0", desiredState: TASK_STATE.remove }]);
  made.settle();
  made.advance(120_000);
  expect(made.store.task("c5")?.state).toBe(TASK_STATE.running);
});
