/** A plan is right when the cluster then does what it said. */
import { describe, expect, test } from "vitest";
import type { Service } from "../../api/index.js";
import { planPlacement } from "./plan-placement.js";
import { SECOND_NS, type ServiceFields, World } from "./testing/world.js";

const THREE = ["a", "b", "c"] as const;
const cpus = (count: number) => ({ Resources: { Reservations: { NanoCPUs: count * SECOND_NS } } });

/** The service as it would be stored with these fields, in a world of its own. */
function proposed(fields: ServiceFields, old?: Service): Service {
  const made = new World().createService(fields).service("web");
  return { ...(old ?? made), spec: made.spec, specVersion: 0 };
}

function plan(world: World, fields: ServiceFields, old?: Service) {
  return planPlacement(world.store, proposed(fields, old), world.nowMs);
}

describe("the plan of a new service", () => {
  test.each<{ name: string; fields: ServiceFields }>([
    { name: "plain", fields: { replicas: 5 } },
    { name: "with reservations", fields: { replicas: 4, template: cpus(3) } },
    {
      name: "on some nodes",
      fields: { replicas: 3, template: { Placement: { Constraints: ["node.hostname!=b"] } } },
    },
  ])("$name: tasks land where it says", ({ fields }) => {
    const world = new World().addNodes(...THREE);
    world.createService({ replicas: 2 }, "other").settle();
    const planned = plan(world, fields).map((task) => `${task.slot}:${task.toNodeId}`);
    world.createService(fields).settle();
    expect(planned).toEqual(world.wanted().map((task) => `${task.slot}:${task.nodeId}`));
  });

  test("tasks that would wait say why", () => {
    const world = new World().addNodes("a");
    const planned = plan(world, { replicas: 2, template: cpus(5) });
    expect(planned).toMatchObject([
      { action: "start", slot: 1, toNodeId: "a", reason: "" },
      {
        action: "start",
        slot: 2,
        toNodeId: "",
        reason: "no suitable node (insufficient resources on 1 node)",
      },
    ]);
  });
});

describe("the plan of an update", () => {
  const actions = (world: World, fields: ServiceFields) =>
    plan(world, fields, world.service("web")).map((task) => `${task.slot} ${task.action}`);
  const running = (): World =>
    new World()
      .addNodes(...THREE)
      .createService({ replicas: 3 })
      .settle();

  test.each<{ name: string; fields: ServiceFields; expected: readonly string[] }>([
    { name: "nothing new", fields: { replicas: 3 }, expected: ["1 keep", "2 keep", "3 keep"] },
    {
      name: "a new image",
      fields: { replicas: 3, image: "new" },
      expected: ["1 restart", "2 restart", "3 restart"],
    },
    { name: "fewer", fields: { replicas: 1 }, expected: ["1 keep", "2 stop", "3 stop"] },
    {
      name: "more",
      fields: { replicas: 4 },
      expected: ["1 keep", "2 keep", "3 keep", "4 start"],
    },
    {
      name: "a constraint that one node breaks",
      fields: { replicas: 3, template: { Placement: { Constraints: ["node.hostname!=a"] } } },
      expected: ["1 restart", "2 keep", "3 keep"],
    },
  ])("$name", ({ fields, expected }) => {
    const world = running();
    expect(world.wanted().map((task) => `${task.slot}:${task.nodeId}`)).toEqual([
      "1:a",
      "2:b",
      "3:c",
    ]);
    expect(actions(world, fields)).toEqual(expected);
    const before = new Set(world.wanted().map((task) => task.id));
    world.updateService(fields).settle();
    world.advance(60_000);
    const kept = world.wanted().filter((task) => before.has(task.id));
    expect(kept.map((task) => `${task.slot} keep`)).toEqual(
      expected.filter((text) => text.endsWith("keep")),
    );
  });

  test("start-first: the old task holds its place while the new one looks for one", () => {
    const world = new World().addNodes("a");
    world.createService({ template: cpus(5) }).settle();
    const old = world.service("web");
    const fields = { image: "new", template: cpus(5) };
    expect(plan(world, fields, old)[0]).toMatchObject({ action: "restart", toNodeId: "a" });
    const startFirst = plan(world, { ...fields, update: { Order: "start-first" } }, old);
    expect(startFirst[0]).toMatchObject({ action: "restart", toNodeId: "" });
  });

  test("global: one task for each node that may run it", () => {
    const world = new World().addNodes("a", "b");
    world.putNode("c", { availability: "drain" });
    world.putNode("d", { availability: "pause" });
    const service = proposed({});
    const spec = { ...service.spec, Mode: { Global: {} } };
    const planned = planPlacement(world.store, { ...service, spec }, world.nowMs);
    expect(planned).toMatchObject([
      { action: "start", slot: 0, nodeId: "a", toNodeId: "a" },
      { action: "start", slot: 0, nodeId: "b", toNodeId: "b" },
    ]);
  });
});
