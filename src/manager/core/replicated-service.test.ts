import { describe, expect, test } from "vitest";
import { TASK_STATE } from "../../api/index.js";
import { World } from "./testing/world.js";

describe("replicated services", () => {
  test("a new service gets its slots from 1, spread over the nodes, in two entries", () => {
    const world = new World().addNodes("a", "b");
    world.agent = () => undefined;
    world.createService({ replicas: 4 });
    const before = world.store.index;
    world.settle();
    expect(world.placed()).toEqual([
      "1:a:assigned",
      "2:b:assigned",
      "3:a:assigned",
      "4:b:assigned",
    ]);
    expect(world.store.index - before).toBe(2);
  });

  test.each(["host", "bridge", "none"])(
    "tasks on the node's own network %s wait for no addresses",
    (target) => {
      const template = { Networks: [{ Target: target }] };
      const world = new World().addNodes("a").createService({ replicas: 2, template }).settle();
      expect(world.placed()).toEqual(["1:a:running", "2:a:running"]);
      expect(world.wanted()[0]?.spec).toMatchObject(template);
    },
  );

  test("scaling up fills the lowest free slots and touches nothing else", () => {
    const world = new World().addNodes("a", "b").createService({ replicas: 2 }).settle();
    const before = world.wanted().map((task) => task.id);
    world.updateService({ replicas: 4 }).settle();
    expect(world.placed()).toEqual(["1:a:running", "2:b:running", "3:a:running", "4:b:running"]);
    expect(
      world
        .wanted()
        .slice(0, 2)
        .map((task) => task.id),
    ).toEqual(before);
    expect(world.updateState).toBe("none");
  });

  test("scaling to nothing and back leaves no tasks behind", () => {
    const world = new World().addNodes("a").createService({ replicas: 3 }).settle();
    world.updateService({ replicas: 0 }).settle().advance(300);
    expect(world.tasks()).toEqual([]);
    world.updateService({ replicas: 2 }).settle();
    expect(world.placed()).toEqual(["1:a:running", "2:a:running"]);
  });

  test("more tasks than fit one transaction are made over several", () => {
    const world = new World(10).addNodes("a", "b").createService({ replicas: 95 }).settle();
    expect(world.wanted().map((task) => task.slot)).toEqual(
      Array.from({ length: 95 }, (_, i) => i + 1),
    );
    world.updateService({ replicas: 3 }).settle();
    expect(world.wanted()).toHaveLength(3);
  });

  test("a deleted living task is replaced at once", () => {
    const world = new World().addNodes("a").createService({ replicas: 2 }).settle();
    const [first] = world.wanted();
    world.commit([{ kind: "delete", table: "task", id: first?.id ?? "" }]);
    world.settle();
    expect(world.placed()).toEqual(["1:a:running", "2:a:running"]);
    expect(world.wanted()[0]?.id).not.toBe(first?.id);
  });

  test("a removed service takes its tasks along once they have stopped", () => {
    const world = new World().addNodes("a").createService({ replicas: 3 }).settle();
    world.agent = () => undefined;
    world.removeService().settle().advance(1000);
    expect(world.tasks().map((task) => task.desiredState)).toEqual([800, 800, 800]);
    for (const task of world.tasks()) world.report(task, "shutdown");
    world.settle().advance(300);
    expect(world.tasks()).toEqual([]);
  });

  test("tasks without a node wait, with the reason, and are placed when one comes", () => {
    const world = new World().createService({ replicas: 2 }).settle();
    expect(world.wanted().map((task) => task.err)).toEqual([
      "no suitable node",
      "no suitable node",
    ]);
    world.putNode("a", { availability: "pause" });
    world.advance(1500);
    expect(world.wanted()[0]?.err).toBe("no suitable node (1 node not available for new tasks)");
    world.putNode("a", { availability: "active" });
    world.settle();
    expect(world.placed()).toEqual(["1:a:running", "2:a:running"]);
    expect(world.wanted().map((task) => task.err)).toEqual(["", ""]);
  });

  test("two tasks that both run in one slot are brought back to one", () => {
    const world = new World().addNodes("a", "b").createService({ replicas: 1 }).settle();
    world.putTask({ id: "double", slot: 1, nodeId: "b", state: TASK_STATE.assigned });
    world.settle();
    expect(world.placed()).toEqual(["1:a:running"]);
  });
});

describe("a leader that starts", () => {
  test("removes tasks whose service is gone", () => {
    const world = new World().addNodes("a").createService({ replicas: 1 }).settle();
    world.removeService();
    world.electLeader();
    world.settle().advance(300);
    expect(world.tasks()).toEqual([]);
  });

  test.each([
    { name: "failed", state: "failed", nodeId: "a" },
    { name: "rejected", state: "rejected", nodeId: "a" },
  ] as const)("replaces a task that $name meanwhile, after the delay", ({ state, nodeId }) => {
    const world = new World().addNodes("a").createService({ replicas: 1 });
    world.putTask({ id: "t", nodeId, state: TASK_STATE[state] });
    world.electLeader();
    world.settle();
    expect(world.placed()).toEqual(["1:a:ready"]);
    world.advance(4999);
    expect(world.placed()).toEqual(["1:a:ready"]);
    world.advance(1);
    expect(world.placed()).toEqual(["1:a:running"]);
    expect(world.task("t").desiredState).toBe(TASK_STATE.shutdown);
  });

  test("moves tasks of a node that went down meanwhile, without delay", () => {
    const world = new World().addNodes("a", "b").createService({ replicas: 1 });
    world.putTask({ id: "t", nodeId: "a", state: TASK_STATE.running });
    world.putNode("a", { state: "down" });
    world.electLeader();
    world.settle();
    expect(world.placed()).toEqual(["1:b:running"]);
    expect(world.task("t").state).toBe(TASK_STATE.running);
  });

  test("waits for the rest of a delayed start, not for all of it again", () => {
    const world = new World().addNodes("a").createService({ replicas: 1 }).settle();
    world.report(world.wanted()[0] ?? fail(), "failed");
    world.advance(3000);
    world.electLeader();
    world.advance(1999);
    expect(world.placed()).toEqual(["1:a:ready"]);
    world.advance(1);
    expect(world.placed()).toEqual(["1:a:running"]);
  });
});

function fail(): never {
  throw new Error("missing");
}
