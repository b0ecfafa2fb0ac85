import { expect, test } from "vitest";
import { TASK_STATE, type Task } from "../../api/index.js";
import { goodAgent, type NodeFields, type ServiceFields, World } from "./testing/world.js";

const MODE = { Global: {} } as const;
const NONE = { RestartPolicy: { Condition: "none" } } as const;

function worldWith(fields: ServiceFields = {}, ...nodes: readonly string[]): World {
  const world = new World().addNodes(...(nodes.length > 0 ? nodes : ["a", "b", "c"]));
  return world.createService({ mode: MODE, ...fields }).settle();
}

/** Nodes on which a task is wanted and runs. */
function running(world: World): string {
  const wanted = world.wanted().filter((task) => task.state === TASK_STATE.running);
  return wanted
    .map((task) => task.nodeId)
    .sort()
    .join("");
}

test("one task per node, without a slot number", () => {
  const world = worldWith();
  expect(world.placed().sort()).toEqual(["0:a:running", "0:b:running", "0:c:running"]);
});

test.each<{ name: string; change: NodeFields; expected: string; then?: NodeFields; at?: string }>([
  { name: "drained", change: { availability: "drain" }, expected: "bc" },
  { name: "down", change: { state: "down" }, expected: "bc" },
  { name: "paused", change: { availability: "pause" }, expected: "abc" },
  { name: "unknown", change: { state: "unknown" }, expected: "abc" },
  { name: "disconnected", change: { state: "disconnected" }, expected: "abc" },
  {
    name: "drained and active again",
    change: { availability: "drain" },
    expected: "bc",
    then: { availability: "active" },
  },
  {
    name: "down and ready again",
    change: { state: "down" },
    expected: "bc",
    then: { state: "ready" },
  },
])("a node is $name", ({ change, expected, then }) => {
  const world = worldWith();
  world.putNode("a", change);
  expect(running(world.settle())).toBe(expected);
  if (!then) return;
  world.putNode("a", then);
  expect(running(world.settle())).toBe("abc");
  expect(world.tasks().filter((task) => task.nodeId === "b")).toHaveLength(1);
});

test("a paused node that has no task gets none until it is active", () => {
  const world = new World().addNodes("a");
  world.putNode("b", { availability: "pause" });
  expect(running(world.createService({ mode: MODE }).settle())).toBe("a");
  world.putNode("b", { availability: "active" });
  expect(running(world.settle())).toBe("ab");
});

test("a node that joins gets a task; one that is removed leaves nothing behind", () => {
  const world = worldWith();
  expect(running(world.addNodes("d").settle())).toBe("abcd");
  world.removeNode("a");
  expect(running(world.advance(1000))).toBe("bcd");
  expect(
    world
      .tasks()
      .map((task) => task.nodeId)
      .sort(),
  ).toEqual(["b", "c", "d"]);
});

test("nodes are held against constraints and platforms, and change sides with their labels", () => {
  const Placement = {
    Constraints: ["node.labels.disk == ssd"],
    Platforms: [{ Architecture: "amd64", OS: "linux" }],
  };
  const world = new World().addNodes("a");
  world.putNode("b", { labels: { disk: "ssd" } });
  world.createService({ mode: MODE, template: { Placement } }).settle();
  expect(running(world)).toBe("b");
  world.putNode("a", { labels: { disk: "ssd" } });
  world.putNode("b", { labels: { disk: "hdd" } });
  expect(running(world.settle())).toBe("a");
  world.updateService({ mode: MODE, template: { Placement: { Platforms: [{ OS: "windows" }] } } });
  expect(running(world.settle())).toBe("");
});

test("a task that fails is restarted on its node, after the delay", () => {
  const world = worldWith();
  const first = world.wanted()[0];
  if (!first) throw new Error("no task");
  world.report(first, "failed", { exitCode: 1 });
  expect(running(world.settle())).toHaveLength(2);
  expect(running(world.advance(5000))).toBe("abc");
  expect(world.task(first.id).desiredState).toBe(TASK_STATE.shutdown);
});

test.each([
  { name: "none: never", template: NONE, restarts: 0 },
  {
    name: "on-failure with two attempts",
    template: { RestartPolicy: { Condition: "on-failure", MaxAttempts: 2, Delay: 0 } } as const,
    restarts: 2,
  },
])("restart condition $name; a new leader counts the same", ({ template, restarts }) => {
  const world = worldWith({ template }, "a");
  world.agent = (task) => (task.state < TASK_STATE.running ? "running" : "failed");
  world.advance(60_000);
  world.electLeader();
  world.advance(60_000);
  expect(world.tasks()).toHaveLength(1 + restarts);
  expect(running(world)).toBe("");
});

test("what was stopped with its node starts again there even with restart condition none", () => {
  const world = worldWith({ template: NONE });
  world.putNode("a", { availability: "drain" });
  world.settle();
  world.putNode("a", { availability: "active" });
  expect(running(world.settle())).toBe("abc");
});

test("a task that was deleted is made again", () => {
  const world = worldWith();
  const first = world.wanted()[0];
  world.commit([{ kind: "delete", table: "task", id: first?.id ?? "" }]);
  expect(running(world.settle())).toBe("abc");
});

test("the service is deleted: so are its tasks", () => {
  const world = worldWith();
  expect(world.removeService().advance(1000).tasks()).toEqual([]);
});

test("a rolling update goes over the nodes, parallelism at a time, leaving paused ones for later", () => {
  const world = worldWith({}, "a", "b", "c", "d");
  world.putNode("d", { availability: "pause" });
  world.settle();
  const update = { Parallelism: 2, Delay: 10e9, Monitor: 0 };
  world.updateService({ mode: MODE, image: "web:2", update });
  expect(world.settle().images()).toEqual({ "web:1": 2, "web:2": 2 });
  world.advance(60_000);
  expect(world.images()).toEqual({ "web:1": 1, "web:2": 3 });
  expect(world.updateState).toBe("completed");
  world.putNode("d", { availability: "active" });
  expect(world.settle().images()).toEqual({ "web:2": 4 });
  expect(running(world)).toBe("abcd");
});

test("a node that is paused in the middle of its step holds the next one up until its task runs", () => {
  const world = worldWith({}, "a", "b", "c");
  world.agent = (task) => (task.nodeId === "a" ? undefined : goodAgent(task));
  world.updateService({ mode: MODE, image: "web:2", update: { Parallelism: 1, Monitor: 0 } });
  world.settle();
  expect(world.images()).toEqual({ "web:1": 2, "web:2": 1 });
  world.putNode("a", { availability: "pause" });
  world.advance(30_000);
  expect(world.images()).toEqual({ "web:1": 2, "web:2": 1 });
  world.agent = goodAgent;
  world.advance(30_000);
  expect(world.images()).toEqual({ "web:2": 3 });
  expect(world.updateState).toBe("completed");
});

test("a paused node whose step does not end by the deadline holds up no others", () => {
  const update = { Parallelism: 1, Monitor: 0, ProgressDeadline: 60e9 };
  const world = worldWith({}, "a", "b", "c");
  world.agent = (task) => (task.nodeId === "a" ? undefined : goodAgent(task));
  world.updateService({ mode: MODE, image: "web:2", update });
  world.settle();
  world.putNode("a", { availability: "pause" });
  world.advance(120_000);
  expect(world.images()).toEqual({ "web:2": 3 });
  expect(world.updateState).toBe("completed");
});

test("a start-first update runs both for a while, never three on a node", () => {
  const world = worldWith({}, "a", "b");
  world.updateService({
    mode: MODE,
    image: "web:2",
    update: { Parallelism: 1, Order: "start-first" },
  });
  world.advance(60_000);
  expect(world.images()).toEqual({ "web:2": 2 });
  expect(world.tasks()).toHaveLength(4);
});

test("a paused node's two tasks become one when it is active again, after the update too", () => {
  const update = { Order: "start-first", FailureAction: "continue", Parallelism: 0 } as const;
  const world = new World().addNodes("a", "b").createService({ mode: { Global: {} }, update });
  world.settle();
  const isNewOnB = (task: Task): boolean =>
    task.nodeId === "b" && task.spec.ContainerSpec.Image === "web:2";
  world.agent = (task) => (isNewOnB(task) ? "failed" : goodAgent(task));
  world.updateService({ mode: { Global: {} }, image: "web:2", update }).settle();
  world.putNode("b", { availability: "pause" });
  world.advance(60_000);
  expect(world.updateState).toBe("completed");
  expect(world.images()).toEqual({ "web:1": 1, "web:2": 2 });
  world.agent = goodAgent;
  world.putNode("b", { availability: "active" });
  world.advance(60_000);
  expect(world.images()).toEqual({ "web:2": 2 });
  expect(world.updateState).toBe("completed");
});

test("an update that fails pauses, and is rolled back on request", () => {
  const world = worldWith({ template: NONE }, "a", "b", "c");
  const good = world.agent;
  world.agent = (task) =>
    task.spec.ContainerSpec.Image === "web:2" && task.desiredState === TASK_STATE.running
      ? "failed"
      : good(task);
  world.updateService({ mode: MODE, image: "web:2", template: NONE, update: { Parallelism: 1 } });
  expect(world.settle().updateState).toBe("paused");
  expect(world.rollBack().advance(60_000).updateState).toBe("rollback_completed");
  expect(running(world)).toBe("abc");
  expect(world.images()).toEqual({ "web:1": 3 });
});

test("history is kept per node", () => {
  const world = worldWith({ template: { RestartPolicy: { Delay: 1e9 } } });
  const good = world.agent;
  world.agent = (task) =>
    task.nodeId === "a" && task.state === TASK_STATE.running ? "failed" : good(task);
  for (let i = 0; i < 20; i++) world.advance(1000);
  world.advance(300);
  const onNode = (id: string) => world.tasks().filter((task) => task.nodeId === id).length;
  expect(onNode("a")).toBe(5);
  expect(onNode("b")).toBe(1);
});

test("a node without room keeps its task waiting with the bare reason, and takes it when there is room", () => {
  const template = { Resources: { Reservations: { MemoryBytes: 2 ** 30 } } };
  const world = new World().addNodes("a");
  world.putNode("b", { memBytes: 2 ** 29 });
  world.createService({ mode: MODE, template }).settle();
  const waiting = world.wanted().find((task) => task.nodeId === "b");
  expect(waiting).toMatchObject({
    state: TASK_STATE.pending,
    err: "insufficient resources on 1 node",
  });
  world.putNode("b", { memBytes: 2 ** 31 });
  expect(running(world.settle())).toBe("ab");
  expect(world.tasks()).toHaveLength(2);
});

test("a task that never got room is no reason to wait for on an update", () => {
  const template = { Resources: { Reservations: { MemoryBytes: 2 ** 40 } } };
  const world = worldWith({ template }, "a");
  world.updateService({ mode: MODE, image: "web:2" });
  expect(running(world.settle())).toBe("a");
});

test.each([
  { name: "a task of a removed node", fields: { nodeId: "gone", state: TASK_STATE.orphaned } },
  { name: "two tasks on one node", fields: { nodeId: "a", state: TASK_STATE.running } },
  { name: "a task that failed unseen", fields: { nodeId: "a", state: TASK_STATE.failed } },
  { name: "a task that was rejected", fields: { nodeId: "a", state: TASK_STATE.rejected } },
])("a new leader repairs: $name", ({ fields }) => {
  const world = worldWith();
  world.putTask({ id: "odd", slot: 0, ...fields });
  world.electLeader();
  world.advance(20_000);
  expect(running(world)).toBe("abc");
});

test("a new leader repairs: nodes that were drained, went down or came meanwhile", () => {
  const world = worldWith({}, "a", "b", "c");
  world.electLeader();
  world.putNode("a", { availability: "drain" });
  world.putNode("b", { state: "down" });
  world.addNodes("d");
  world.electLeader();
  expect(running(world.settle())).toBe("cd");
});
