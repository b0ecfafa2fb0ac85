/** What goes with a scale-down or a removed service, besides the tasks that run; and in which portions. */
import { describe, expect, test } from "vitest";
import { TASK_STATE } from "../../api/index.js";
import { goodAgent, World } from "./testing/world.js";

const QUICK = { template: { RestartPolicy: { Delay: 0 } } };

/** Slot 1 runs, slot 2 has failed once and runs, slot 3 finds no node. */
function mixed(): World {
  const world = new World()
    .addNodes("a")
    .createService({ replicas: 2, ...QUICK })
    .settle();
  const second = world.wanted().find((task) => task.slot === 2);
  if (second) world.report(second, "failed");
  world.settle();
  world.putNode("a", { availability: "pause" });
  world.updateService({ replicas: 3, ...QUICK }).settle();
  expect(world.placed()).toEqual(["1:a:running", "2:a:running", "3::pending"]);
  expect(world.tasks()).toHaveLength(4);
  return world;
}

describe("removing a service", () => {
  test("takes dead tasks and tasks without a node along", () => {
    const world = mixed();
    // The agent stops nothing yet: only what runs has to wait for it.
    world.agent = () => undefined;
    world.removeService().advance(250);
    expect(world.tasks().map((task) => task.state)).toEqual([512, 512]);
    world.agent = goodAgent;
    expect(world.advance(250).tasks()).toEqual([]);
  });
});

describe("scaling down", () => {
  test("takes the dead tasks of a removed slot along", () => {
    const world = mixed();
    world.updateService({ ...QUICK, replicas: 1 }).advance(500);
    expect(world.tasks().map((task) => task.slot)).toEqual([1]);
  });

  test("deletes a task without a node, which no agent has to stop", () => {
    const world = mixed();
    world.agent = () => undefined;
    world.updateService({ ...QUICK, replicas: 2 }).advance(250);
    expect(world.tasks().map((task) => [task.slot, task.desiredState])).toEqual([
      [1, TASK_STATE.running],
      [2, TASK_STATE.shutdown],
      [2, TASK_STATE.running],
    ]);
  });
});

describe("the reaper", () => {
  test("deletes what ended within a quarter of a second in one transaction", () => {
    const world = new World().addNodes("a").createService({ replicas: 20 }).settle();
    world.agent = () => undefined;
    world.removeService().settle().advance(1000);
    const sizes: number[] = [];
    world.store.subscribe((batch) => {
      if (batch.kind !== "changes") return;
      const gone = batch.events.filter(({ table, kind }) => table === "task" && kind === "removed");
      if (gone.length > 0) sizes.push(gone.length);
    });
    for (const [i, task] of world.tasks().entries()) {
      world.report(task, "shutdown");
      if (i < 10) world.advance(10);
    }
    world.advance(1000);
    expect(sizes).toEqual([20]);
  });
});
