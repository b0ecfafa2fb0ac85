import { describe, expect, test } from "vitest";
import { TASK_STATE } from "../../api/index.js";
import { SECOND_NS, World } from "./testing/world.js";

const SSD = { Placement: { Constraints: ["node.labels.disk==ssd"] } };

function twoSsd(): World {
  const world = new World();
  world.putNode("a", { labels: { disk: "ssd" } });
  world.putNode("b", { labels: { disk: "ssd" } });
  return world;
}

describe("the constraint enforcer", () => {
  test("moves a task whose node lost its label", () => {
    const world = twoSsd().createService({ template: SSD }).settle();
    const [task] = world.wanted();
    world.putNode("a", { labels: { disk: "hdd" } });
    world.settle();
    const old = world.task(task?.id ?? "");
    expect(old.state).toBe(TASK_STATE.rejected);
    expect(old.err).toBe("assigned node no longer meets constraints: node.labels.disk==ssd");
    expect(old.message).toBe("task rejected by constraint enforcer");
    world.advance(5000);
    expect(world.placed()).toEqual(["1:b:running"]);
  });

  test("goes by the service's constraints of now", () => {
    const world = twoSsd().createService({ template: SSD }).settle();
    world.updateService({}).settle();
    // The node satisfied both specs, so the task stayed; now only the new one counts.
    const before = world.wanted().map((task) => task.id);
    world.putNode("a", { labels: {} });
    world.settle();
    expect(world.wanted().map((task) => task.id)).toEqual(before);
  });

  test.each([
    { name: "drained: its tasks move anyway", availability: "drain", rejected: 0 },
    { name: "paused: it keeps what it has", availability: "pause", rejected: 0 },
    { name: "active", availability: "active", rejected: 1 },
  ] as const)("rejects $rejected on a node that is $name", ({ availability, rejected }) => {
    const world = twoSsd().createService({ template: SSD }).settle();
    world.putNode("a", { availability, labels: {} });
    world.settle();
    expect(world.tasks().filter((task) => task.state === TASK_STATE.rejected)).toHaveLength(
      rejected,
    );
  });

  test("a node that became too small loses its newest tasks", () => {
    const world = new World();
    world.putNode("a", { cpus: 4 });
    const template = { Resources: { Reservations: { NanoCPUs: 2 * SECOND_NS } } };
    world.createService({ template }).settle();
    world.nowMs += 1000;
    world.createService({ template }, "later").settle();
    world.putNode("a", { cpus: 3 });
    world.settle();
    expect(world.tasks("web").map((task) => task.state)).toEqual([512]);
    expect(world.tasks("later")[0]?.state).toBe(TASK_STATE.rejected);
    expect(world.tasks("later")[0]?.err).toBe(
      "assigned node no longer has enough resources: CPUs: reserved 2, 1 left",
    );
  });

  test("what has ended, or is to end, is left alone", () => {
    const world = twoSsd();
    world.createService({ template: { ...SSD, RestartPolicy: { Condition: "none" } } }).settle();
    const [task] = world.wanted();
    if (task) world.report(task, "complete");
    world.settle();
    world.putNode("a", { labels: {} });
    world.settle();
    expect(world.tasks().map((t) => t.state)).toEqual([TASK_STATE.complete]);
  });

  test.each([
    { name: "lost a name", left: ["b"], moved: ["a"] },
    { name: "lost all of a kind", left: [], moved: ["a", "b"] },
    { name: "got more of it", left: ["a", "b", "c"], moved: [] },
  ])("a node that $name: tasks that hold what is gone leave", ({ left, moved }) => {
    const gpus = (names: readonly string[]) =>
      names.map((Value) => ({ NamedResourceSpec: { Kind: "gpu", Value } }));
    const world = new World();
    world.putNode("a", { generic: gpus(["a", "b"]) });
    const GenericResources = [{ DiscreteResourceSpec: { Kind: "gpu", Value: 1 } }];
    world
      .createService({
        replicas: 2,
        template: { Resources: { Reservations: { GenericResources } } },
      })
      .settle();
    world.putNode("a", { generic: gpus(left) });
    world.settle();
    const gone = world.tasks().filter((task) => task.state === TASK_STATE.rejected);
    expect(gone.flatMap((task) => task.genericResources)).toEqual(gpus(moved));
    for (const task of gone)
      expect(task.err).toMatch(/^assigned node no longer has enough resources: gpu [ab] no longer/);
  });
});
