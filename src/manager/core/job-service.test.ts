import { expect, test } from "vitest";
import { TASK_STATE, type Task } from "../../api/index.js";
import { JOB_ATTEMPTS_KEPT } from "./reaper.js";
import { busyAgent, goodAgent, type NodeFields, World } from "./testing/world.js";

const job = (MaxConcurrent: number, TotalCompletions: number) => ({
  ReplicatedJob: { MaxConcurrent, TotalCompletions },
});
const policy = (Condition: "none" | "on-failure" | "any", MaxAttempts = 0) => ({
  RestartPolicy: { Condition, MaxAttempts, Delay: 1e9 },
});
const GLOBAL = { GlobalJob: {} } as const;

function busyWorld(...nodes: readonly string[]): World {
  const world = new World().addNodes(...(nodes.length > 0 ? nodes : ["a", "b"]));
  world.agent = busyAgent;
  return world;
}

const going = (world: World): Task[] =>
  world.wanted().filter((task) => task.state !== TASK_STATE.complete);
const completed = (world: World): Task[] =>
  world.tasks().filter((task) => task.state === TASK_STATE.complete);
const numbers = (tasks: readonly Task[]): number[] =>
  tasks.map((task) => task.slot).sort((a, b) => a - b);

test("runs MaxConcurrent tasks at a time until TotalCompletions have completed, each slot once", () => {
  const world = busyWorld();
  world.createService({ mode: job(2, 5) }).settle();
  for (const expected of [[0, 1], [1, 2], [2, 3], [3, 4], [4], []]) {
    expect(numbers(going(world))).toEqual(expected);
    const first = going(world)[0];
    if (first) world.report(first, "complete");
    world.settle();
  }
  expect(numbers(completed(world))).toEqual([0, 1, 2, 3, 4]);
  const { index } = world.store;
  world.electLeader();
  expect(world.advance(3_600_000).store.index).toBe(index);
});

test("tasks are wanted to completion, and belong to the iteration", () => {
  const world = busyWorld();
  world.createService({ mode: job(1, 1) }).settle();
  expect(world.tasks()).toMatchObject([
    { desiredState: TASK_STATE.complete, state: TASK_STATE.running, jobIteration: 0, slot: 0 },
  ]);
});

test.each([
  { name: "none", template: policy("none"), tasks: 2 },
  { name: "on-failure, two attempts", template: policy("on-failure", 2), tasks: 4 },
  { name: "any, two attempts", template: policy("any", 2), tasks: 4 },
])("a slot that always fails is given up: $name", ({ template, tasks }) => {
  const world = new World().addNodes("a");
  world.agent = (task) => (task.slot === 0 ? "failed" : goodAgent(task));
  world.createService({ mode: job(1, 2), template }).advance(60_000);
  world.electLeader();
  world.advance(60_000);
  expect(world.tasks()).toHaveLength(tasks);
  expect(numbers(completed(world))).toEqual([1]);
});

test("a failed task is restarted after the delay, `any` or not; a completed one never", () => {
  const world = busyWorld();
  world.createService({ mode: job(1, 1), template: policy("any") }).settle();
  const first = going(world)[0];
  if (!first) throw new Error("no task");
  world.report(first, "failed");
  expect(world.settle().wanted()).toMatchObject([{ desiredState: TASK_STATE.ready, slot: 0 }]);
  world.agent = goodAgent;
  world.advance(60_000);
  expect(numbers(completed(world))).toEqual([0]);
  expect(world.tasks()).toHaveLength(2);
});

test("a slot whose task was stopped is used again", () => {
  const world = busyWorld();
  world.createService({ mode: job(1, 2), template: policy("none") }).settle();
  const first = going(world)[0];
  if (!first) throw new Error("no task");
  world.commit([{ kind: "taskDesired", taskId: first.id, desiredState: TASK_STATE.shutdown }]);
  world.settle();
  expect(numbers(going(world))).toEqual([0]);
  expect(world.tasks()).toHaveLength(2);
});

test("an update starts the next iteration and removes the old one, completed or not", () => {
  const world = busyWorld();
  world.createService({ mode: job(2, 3) }).settle();
  const first = going(world)[0];
  if (first) world.report(first, "complete");
  world.settle();
  world.updateService({ mode: job(2, 3), image: "web:2" }).advance(1000);
  expect(world.tasks()).toMatchObject([
    { slot: 0, jobIteration: 1, specVersion: world.service().specVersion },
    { slot: 1, jobIteration: 1 },
  ]);
  expect(world.images()).toEqual({ "web:2": 2 });
  expect(world.updateState).toBe("none");
});

test("more tasks than are wanted: none is made", () => {
  const world = busyWorld();
  world.createService({ mode: job(1, 1) }).settle();
  world.putTask({ id: "second", slot: 1, desiredState: TASK_STATE.complete });
  world.putTask({ id: "third", slot: 2, desiredState: TASK_STATE.complete });
  world.electLeader();
  expect(numbers(going(world.settle()))).toEqual([0, 1, 2]);
});

test.each<{ name: string; change: NodeFields }>([
  { name: "drained", change: { availability: "drain" } },
  { name: "down", change: { state: "down" } },
])("tasks of a node that is $name are replaced elsewhere at once", ({ change }) => {
  const world = busyWorld("a");
  world.createService({ mode: job(2, 2) }).settle();
  world.addNodes("b");
  world.putNode("a", change);
  world.settle();
  expect(going(world).map((task) => task.nodeId)).toEqual(["b", "b"]);
  expect(numbers(going(world))).toEqual([0, 1]);
});

test("a task that ended well on a node that was cut off counts, and its stand-in is stopped", () => {
  const world = busyWorld("a");
  world.createService({ mode: job(1, 1) }).settle();
  const first = going(world)[0];
  if (!first) throw new Error("no task");
  world.addNodes("b");
  world.putNode("a", { state: "down" });
  world.settle();
  world.report(first, "complete");
  expect(going(world.advance(1000))).toEqual([]);
  expect(numbers(completed(world))).toEqual([0]);
});

test("the service is deleted: so are its tasks, completed ones too", () => {
  const world = new World().addNodes("a").createService({ mode: job(2, 2) });
  expect(completed(world.settle())).toHaveLength(2);
  expect(world.removeService().advance(1000).tasks()).toEqual([]);
});

test("completed tasks are no history; of failed ones the last attempts are kept", () => {
  const world = new World()
    .addNodes("a")
    .createService({ mode: job(8, 8) })
    .settle();
  const ended = { slot: 0, nodeId: "a", state: TASK_STATE.failed, createdAtMs: 1 };
  for (let i = 0; i < JOB_ATTEMPTS_KEPT + 20; i++)
    world.putTask({ id: `t${i}`, desiredState: TASK_STATE.shutdown, ...ended });
  world.advance(500);
  expect(completed(world)).toHaveLength(8);
  expect(world.tasks().filter((task) => task.slot === 0)).toHaveLength(JOB_ATTEMPTS_KEPT);
});

test("a global job runs once on each node that is active and ready, later on those that join", () => {
  const world = busyWorld("a", "b");
  world.putNode("paused", { availability: "pause" });
  world.putNode("unknown", { state: "unknown" });
  world.createService({ mode: GLOBAL }).settle();
  expect(world.placed().sort()).toEqual(["0:a:running", "0:b:running"]);
  world.agent = goodAgent;
  world.putNode("paused", { availability: "active" });
  world.putNode("unknown", { state: "ready" });
  world.addNodes("c").settle();
  expect(
    completed(world)
      .map((task) => task.nodeId)
      .sort(),
  ).toEqual(["a", "b", "c", "paused", "unknown"]);
  const { index } = world.store;
  expect(world.advance(3_600_000).store.index).toBe(index);
});

test.each<{ name: string; change: NodeFields; back: NodeFields }>([
  { name: "drained", change: { availability: "drain" }, back: { availability: "active" } },
  { name: "down", change: { state: "down" }, back: { state: "ready" } },
  { name: "out of the constraints", change: { labels: {} }, back: { labels: { in: "1" } } },
])(
  "a global job stops on a node that is $name, and starts there again afterwards",
  ({ change, back }) => {
    const world = busyWorld();
    for (const id of ["a", "b"]) world.putNode(id, { labels: { in: "1" } });
    const template = { Placement: { Constraints: ["node.labels.in == 1"] } };
    world.createService({ mode: GLOBAL, template }).settle();
    world.putNode("a", change);
    expect(world.settle().placed()).toEqual(["0:b:running"]);
    world.agent = goodAgent;
    world.putNode("a", back);
    world.settle();
    expect(
      completed(world)
        .map((task) => task.nodeId)
        .sort(),
    ).toEqual(["a", "b"]);
  },
);

test("what a global job has completed stays completed when its node is drained or comes back", () => {
  const world = new World().addNodes("a", "b").createService({ mode: GLOBAL }).settle();
  world.putNode("a", { availability: "drain" });
  world.settle();
  world.putNode("a", { availability: "active" });
  world.settle();
  expect(world.tasks()).toHaveLength(2);
  expect(completed(world)).toHaveLength(2);
});

test("a global job's failed task is restarted on its node, by its policy", () => {
  const world = busyWorld();
  world.agent = (task) => (task.nodeId === "a" ? "failed" : goodAgent(task));
  world.createService({ mode: GLOBAL, template: policy("any", 1) }).advance(60_000);
  const onNode = (id: string) => world.tasks().filter((task) => task.nodeId === id).length;
  expect(onNode("a")).toBe(2);
  expect(onNode("b")).toBe(1);
});

test("an update of a global job runs it again on every node", () => {
  const world = new World().addNodes("a", "b").createService({ mode: GLOBAL }).settle();
  world.updateService({ mode: GLOBAL }).advance(1000);
  expect(completed(world)).toMatchObject([{ jobIteration: 1 }, { jobIteration: 1 }]);
});
