import { describe, expect, test } from "vitest";
import { TASK_STATE } from "../../api/index.js";
import { World } from "./testing/world.js";

describe("tasks leave a node", () => {
  test.each([
    { name: "is drained", lose: (world: World) => world.putNode("a", { availability: "drain" }) },
    { name: "goes down", lose: (world: World) => world.putNode("a", { state: "down" }) },
    { name: "is removed", lose: (world: World) => world.removeNode("a") },
  ])("that $name, at once; others stay", ({ lose }) => {
    const world = new World().addNodes("a", "b", "c").createService({ replicas: 3 }).settle();
    const others = world
      .wanted()
      .filter((task) => task.nodeId !== "a")
      .map((task) => task.id);
    lose(world);
    world.settle();
    const now = world.wanted();
    expect(now.map((task) => task.nodeId).includes("a")).toBe(false);
    expect(now.map((task) => task.state)).toEqual([512, 512, 512]);
    expect(now.map((task) => task.id)).toEqual(expect.arrayContaining(others));
    expect(world.tasks()).toHaveLength(4);
  });

  test.each([
    { name: "went down", fields: { state: "down" } },
    { name: "was drained", fields: { availability: "drain" } },
  ] as const)("also those whose assignment was on its way when it $name", ({ fields }) => {
    const world = new World().addNodes("a", "b").createService({ replicas: 2 }).settle();
    world.putNode("a", fields);
    world.settle();
    const [late] = world.wanted();
    if (late === undefined) throw new Error("no task");
    world.putTask({ ...late, nodeId: "a", state: TASK_STATE.assigned });
    world.settle();
    expect(world.wanted().map((task) => task.nodeId)).toEqual(["b", "b"]);
  });

  test.each([
    { name: "is paused", fields: { availability: "pause" } },
    { name: "is not heard of after a change of leaders", fields: { state: "unknown" } },
    { name: "is asked to connect again", fields: { state: "disconnected" } },
  ] as const)("but stay on one that $name", ({ fields }) => {
    const world = new World().addNodes("a", "b").createService({ replicas: 2 }).settle();
    world.putNode("a", fields);
    world.settle().advance(60_000);
    expect(world.placed()).toEqual(["1:a:running", "2:b:running"]);
    expect(world.tasks()).toHaveLength(2);
  });

  test("a node that returns stops what was replaced, and nothing moves back", () => {
    const world = new World().addNodes("a", "b").createService({ replicas: 2 }).settle();
    world.putNode("a", { state: "down" });
    world.settle();
    expect(world.placed()).toEqual(["1:b:running", "2:b:running"]);
    const old = world.tasks().find((task) => task.nodeId === "a");
    expect(old?.state).toBe(TASK_STATE.running);
    world.putNode("a", { state: "ready" });
    world.settle();
    expect(world.task(old?.id ?? "").state).toBe(TASK_STATE.shutdown);
    expect(world.placed()).toEqual(["1:b:running", "2:b:running"]);
  });

  test("a policy of none does not bring the task back elsewhere", () => {
    const world = new World().addNodes("a", "b");
    world.createService({ template: { RestartPolicy: { Condition: "none" } } }).settle();
    world.putNode("a", { state: "down" });
    world.settle().advance(60_000);
    expect(world.wanted()).toEqual([]);
  });
});

describe("orphans", () => {
  test("tasks of a node that is down for a day are given up", () => {
    const world = new World().addNodes("a", "b").createService({ replicas: 1 }).settle();
    world.putNode("a", { state: "down" });
    world.settle();
    const old = world.tasks()[0]?.id ?? "";
    const day = 24 * 60 * 60_000;
    world.advance(day / 2);
    world.electLeader();
    world.advance(day / 2 - 1);
    expect(world.task(old).state).toBe(TASK_STATE.running);
    world.advance(1);
    expect(world.task(old).state).toBe(TASK_STATE.orphaned);
  });

  test("a node that came back in time keeps its tasks", () => {
    const world = new World().addNodes("a").createService({ replicas: 1 }).settle();
    world.putNode("a", { state: "down" });
    world.advance(1000);
    world.putNode("a", { state: "ready" });
    world.advance(25 * 60 * 60_000);
    expect(world.tasks().some((task) => task.state === TASK_STATE.orphaned)).toBe(false);
  });

  test("a task assigned to a node that is gone already is given up and replaced", () => {
    const world = new World().addNodes("b").createService({ replicas: 1 });
    world.putTask({ id: "t", nodeId: "gone", state: TASK_STATE.assigned });
    world.settle();
    expect(world.task("t").state).toBe(TASK_STATE.orphaned);
    expect(world.placed()).toEqual(["1:b:running"]);
  });
});
