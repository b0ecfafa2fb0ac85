/** An update that has paused stays so, whatever else happens to the service, and goes on only when it is told to. */
import { expect, test } from "vitest";
import { TASK_STATE } from "../../api/index.js";
import { type Agent, goodAgent, type ServiceFields, World } from "./testing/world.js";

const FIELDS: ServiceFields = { replicas: 4, image: "web:1", update: { Parallelism: 1 } };

const rejectingV2: Agent = (task) =>
  task.spec.ContainerSpec.Image === "web:2" && task.desiredState <= TASK_STATE.running
    ? "rejected"
    : goodAgent(task);

function paused(): World {
  const world = new World().addNodes("a", "b").createService(FIELDS).advance(10_000);
  world.agent = rejectingV2;
  world.updateService({ ...FIELDS, image: "web:2" }).advance(10_000);
  expect(world.updateState).toBe("paused");
  // From here on the new image works.
  world.agent = goodAgent;
  return world.advance(10_000);
}

const untouched = { "web:1": 3, "web:2": 1 };

test.each<{ name: string; happens: (world: World) => void }>([
  { name: "a new leader", happens: (world) => world.electLeader() },
  { name: "a drained node", happens: (world) => world.putNode("b", { availability: "drain" }) },
  { name: "a node that goes down", happens: (world) => world.putNode("b", { state: "down" }) },
  {
    name: "a task that fails",
    happens: (world) => {
      const old = world.wanted().find((task) => task.spec.ContainerSpec.Image === "web:1");
      if (old) world.report(old, "failed");
    },
  },
])("a paused update stays paused through $name", ({ happens }) => {
  const world = paused();
  happens(world);
  world.advance(60_000);
  expect(world.updateState).toBe("paused");
  const running = world.wanted().filter((task) => task.state === TASK_STATE.running);
  expect(running).toHaveLength(4);
  // What was replaced meanwhile is of the present spec; what was not, of the old one.
  expect(world.images()["web:1"] ?? 0).toBeLessThanOrEqual(3);
});

test("a paused update leaves the slots it had not begun alone", () => {
  expect(paused().advance(600_000).images()).toEqual(untouched);
});

test("the same spec again, and the update goes on to its end", () => {
  const world = paused();
  world.updateService({ ...FIELDS, image: "web:2" }).advance(60_000);
  expect(world.images()).toEqual({ "web:2": 4 });
  expect(world.updateState).toBe("completed");
});
