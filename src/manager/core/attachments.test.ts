/** Networks that running containers were connected to: addresses, and their end with the container. */
import { beforeEach, expect, test } from "vitest";
import {
  type Change,
  NETWORK_PHASE,
  type NetworkSpec,
  type NetworkTarget,
  TASK_STATE,
  type Task,
} from "../../api/index.js";
import { networkStateFor } from "../../overlay-net/core/index.js";
import { CLUSTER } from "./testing/cluster.js";
import { World } from "./testing/world.js";

const META = { versionIndex: 0, clientIndex: 0, createdAtMs: 0, updatedAtMs: 0 };
const CONTAINER_ID = "ab".repeat(32);
let world: World;

function putNetwork(id: string, set: Partial<NetworkSpec> = {}): Change {
  const spec: NetworkSpec = { Name: id, Labels: {}, Driver: "overlay", Scope: "swarm", ...set };
  return {
    kind: "putNetwork",
    network: { ...META, id, spec, predefined: false, vni: 0, subnets: [], mtu: 0 },
  };
}

beforeEach(() => {
  world = new World();
  world.commit([
    { kind: "putCluster", cluster: CLUSTER },
    putNetwork("app", { IPAM: { Config: [{ Subnet: "10.9.0.0/28" }] } }),
  ]);
  world.addNodes("a", "b").createService({ replicas: 1 }).settle();
});

function container(): Task {
  const [task] = world.store.tasksByService("web").filter(isWanted);
  if (task === undefined) throw new Error("no task");
  return task;
}

function isWanted({ desiredState, state }: Task): boolean {
  return desiredState <= TASK_STATE.running && state <= TASK_STATE.running;
}

function connect(id: string, set: Partial<NetworkTarget> = {}): Task | undefined {
  const { id: TaskID, nodeId } = container();
  world.putTask({
    ...{ id, serviceId: "", serviceName: "web.1.x", slot: 0, nodeId, state: TASK_STATE.new },
    spec: {
      ContainerSpec: { Image: "bb" },
      NetworkAttachmentSpec: { ContainerID: CONTAINER_ID, TaskID },
      Networks: [{ Target: "app", ...set }],
      ForceUpdate: 0,
      Runtime: "attachment",
    },
  });
  world.settle();
  return world.store.task(id);
}

test("an attachment gets an address, is known to others, and needs no scheduler", () => {
  const { nodeId } = container();
  world.putNode(nodeId, { availability: "pause" });
  expect(connect("t1", { Aliases: ["db"] })).toMatchObject({
    ...{ state: TASK_STATE.running, nodeId },
    networks: [{ networkId: "app", address: "10.9.0.2", address6: "", aliases: ["web.1.x", "db"] }],
  });
  world.commit([{ kind: "taskNetworkPhase", taskId: "t1", phase: NETWORK_PHASE.announced }]);
  expect(networkStateFor(world.store, nodeId).endpoints).toMatchObject([
    { taskId: "t1", serviceId: "", taskName: "web.1.x", isBackend: true },
  ]);
});

test("it takes no room on its node", () => {
  connect("t1");
  const { nodeId } = container();
  world.createService({ replicas: 1 }, "other").settle();
  const [other] = world.store.tasksByService("other");
  // The emptier node, as without the attachment.
  expect(other?.nodeId).not.toBe(nodeId);
  world.createService({ replicas: 1 }, "third").settle();
  world.createService({ replicas: 1 }, "fourth").settle();
  const counts = ["a", "b"].map(
    (id) => world.store.tasksByNode(id).filter(({ serviceId }) => serviceId !== "").length,
  );
  expect(counts).toEqual([2, 2]);
});

test("a chosen address is given, and refused with the reason while somebody has it", () => {
  expect(connect("t1", { Addresses: ["10.9.0.9"] })?.networks).toMatchObject([
    { address: "10.9.0.9" },
  ]);
  expect(connect("t2", { Addresses: ["10.9.0.9"] })).toMatchObject({
    state: TASK_STATE.new,
    err: "network app: address 10.9.0.9 is already in use",
  });
});

test("disconnected: it ends, is forgotten, and its address rests like any other", () => {
  connect("t1");
  world.commit([{ kind: "taskDesired", taskId: "t1", desiredState: TASK_STATE.remove }]);
  world.settle();
  world.advance(1_000);
  expect(world.store.task("t1")).toBe(undefined);
  expect(container().state).toBe(TASK_STATE.running);
  expect([...world.store.freedAddresses("app").keys()]).toEqual(["10.9.0.2"]);
});

test.each([
  { name: "is told to stop", end: () => stop(container()) },
  { name: "fails", end: () => world.report(container(), "failed") },
  { name: "is forgotten", end: () => forget(container()) },
])(
  "when its container's task $name, so does it, and the replacement does not have it",
  ({ end }) => {
    connect("t1");
    const before = container().id;
    end();
    world.advance(60_000);
    expect(world.store.task("t1")).toBe(undefined);
    expect(container().id).not.toBe(before);
    expect(world.store.tasks().filter((task) => task.networks.length > 0)).toEqual([]);
  },
);

test("a new leader ends those whose container ended before", () => {
  connect("t1");
  world.agent = () => undefined;
  stop(container());
  world.electLeader();
  world.settle();
  expect(world.store.task("t1")?.desiredState).toBe(TASK_STATE.remove);
});

test("one that ended by itself is not left behind", () => {
  const attachment = connect("t1");
  if (attachment === undefined) throw new Error("no attachment");
  world.report(attachment, "complete");
  world.advance(1_000);
  expect(world.store.task("t1")).toBe(undefined);
});

test("goes with its node", () => {
  connect("t1");
  world.removeNode(container().nodeId);
  world.advance(60_000);
  expect(world.store.task("t1")).toBe(undefined);
});

function stop({ id: taskId }: Task): void {
  world.commit([{ kind: "taskDesired", taskId, desiredState: TASK_STATE.shutdown }]);
}

function forget({ id }: Task): void {
  world.commit([{ kind: "delete", table: "task", id }]);
}
