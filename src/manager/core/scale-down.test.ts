import { describe, expect, test } from "vitest";
import { TASK_STATE } from "../../api/index.js";
import { World } from "./testing/world.js";

/** Seven slots as in the orchestrator's own suite: three nodes, some tasks not running, one not yet placed. */
function seven(): World {
  const world = new World().addNodes("node1", "node2", "node3");
  world.agent = () => undefined;
  world.createService({ replicas: 7 });
  const rows = [
    [1, "node1", "running"],
    [2, "node1", "running"],
    [3, "node2", "running"],
    [4, "node1", "running"],
    [5, "node2", "running"],
    [6, "node3", "preparing"],
    [7, "", "new"],
  ] as const;
  for (const [slot, nodeId, state] of rows) {
    world.putTask({
      id: `task${slot}`,
      slot,
      nodeId,
      state: TASK_STATE[state],
      // Has networks, so that it stays unplaced in this test.
      ...(state === "new" ? { spec: withNetwork(world) } : {}),
    });
  }
  return world.settle();
}

function withNetwork(world: World) {
  return { ...world.service().spec.TaskTemplate, Networks: [{ Target: "net" }] };
}

describe("scaling down", () => {
  test("7 → 6 → 4 → 2: unplaced first, then nodes are evened out, then what is not running", () => {
    const world = seven();
    const slots = () => world.wanted().map((task) => task.slot);
    expect(slots()).toEqual([1, 2, 3, 4, 5, 6, 7]);
    world.updateService({ replicas: 6 }).settle();
    expect(slots()).toEqual([1, 2, 3, 4, 5, 6]);
    world.updateService({ replicas: 4 }).settle();
    // node1 had three and node2 two: slots 4 (third on node1) and 5 (second on node2) go.
    expect(slots()).toEqual([1, 2, 3, 6]);
    world.updateService({ replicas: 2 }).settle();
    // One per node stays; of the three firsts the one that does not run goes, with node1's second.
    expect(slots()).toEqual([1, 3]);
  });

  test("victims get desired remove and are deleted when they have stopped", () => {
    const world = new World().addNodes("a").createService({ replicas: 2 }).settle();
    world.agent = () => undefined;
    world.updateService({ replicas: 1 }).settle().advance(1000);
    const victim = world.tasks().find((task) => task.slot === 2);
    expect(victim?.desiredState).toBe(TASK_STATE.remove);
    if (victim) world.report(victim, "shutdown");
    world.advance(300);
    expect(world.tasks().map((task) => task.slot)).toEqual([1]);
  });

  test("what failed in a slot that goes is not replaced first", () => {
    const world = new World().addNodes("a").createService({ replicas: 3 }).settle();
    const before = world.tasks().map(({ id }) => id);
    const third = world.wanted()[2];
    if (third) world.report(third, "failed");
    world.updateService({ replicas: 2 }).settle();
    expect(world.tasks().filter(({ id }) => !before.includes(id))).toEqual([]);
    expect(world.wanted().map(({ slot }) => slot)).toEqual([1, 2]);
  });

  test("history of a removed slot goes with it", () => {
    const world = new World().addNodes("a").createService({ replicas: 2 }).settle();
    const second = world.wanted()[1];
    if (second) world.report(second, "failed");
    world.advance(6000);
    expect(world.tasks().filter((task) => task.slot === 2)).toHaveLength(2);
    world.updateService({ replicas: 1 }).settle().advance(300);
    expect(world.tasks().map((task) => task.slot)).toEqual([1]);
  });
});
