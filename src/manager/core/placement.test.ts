/** Where tasks go, seen from outside: services, nodes and failures instead of the scheduler's own calls. */
import { describe, expect, test } from "vitest";
import { TASK_STATE } from "../../api/index.js";
import { goodAgent, SECOND_NS, type ServiceFields, World } from "./testing/world.js";

function perNode(world: World, id = "web"): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { nodeId } of world.wanted(id)) counts[nodeId] = (counts[nodeId] ?? 0) + 1;
  return counts;
}

describe("preferences", () => {
  const RACKS = {
    Placement: { Preferences: [{ Spread: { SpreadDescriptor: "node.labels.rack" } }] },
  };

  test("4 tasks over rack a with one node and rack b with two: 2, 1, 1", () => {
    const world = new World();
    world.putNode("a1", { labels: { rack: "a" } });
    world.putNode("b1", { labels: { rack: "b" } });
    world.putNode("b2", { labels: { rack: "b" } });
    world.createService({ replicas: 4, template: RACKS }).settle();
    expect(perNode(world)).toEqual({ a1: 2, b1: 1, b2: 1 });
  });

  test("a rack that takes no tasks leaves its share to the other", () => {
    const world = new World();
    world.putNode("a1", { labels: { rack: "a" }, availability: "pause" });
    world.putNode("b1", { labels: { rack: "b" } });
    world.createService({ replicas: 4, template: RACKS }).settle();
    expect(perNode(world)).toEqual({ b1: 4 });
  });
});

test("each of several services is spread for itself", () => {
  const world = new World().addNodes("a", "b", "c");
  for (const id of ["one", "two"]) world.createService({ replicas: 3 }, id).settle();
  for (const id of ["one", "two"]) expect(perNode(world, id)).toEqual({ a: 1, b: 1, c: 1 });
});

describe("a node on which a service keeps failing", () => {
  const fields: ServiceFields = { template: { RestartPolicy: { Delay: SECOND_NS } } };

  let failures = 0;

  /** Whatever `web` starts on node a fails. */
  function failing(): World {
    const world = new World().addNodes("a").createService(fields);
    failures = 0;
    world.agent = (task) => {
      const fails =
        task.nodeId === "a" && task.serviceId === "web" && task.state === TASK_STATE.running;
      if (fails) failures++;
      return fails ? "failed" : goodAgent(task);
    };
    world.settle().addNodes("b");
    // Node b is fuller, so that only failures speak against a.
    const onB = { Placement: { Constraints: ["node.id==b"] } };
    return world.createService({ replicas: 3, template: onB }, "other").advance(20_000);
  }

  test("is left after five failures", () => {
    const world = failing();
    expect(failures).toBe(5);
    expect(world.placed()).toEqual(["1:b:running"]);
  });

  test("is no worse for another service, nor for a new spec", () => {
    const world = failing();
    world.createService({}, "second").settle();
    expect(world.placed("second")).toEqual(["1:a:running"]);
    world.agent = goodAgent;
    world.updateService({ ...fields, image: "web:2" }).advance(10_000);
    expect(world.placed()).toEqual(["1:a:running"]);
  });
});

describe("a host port", () => {
  const publishing = (Protocol: "tcp" | "udp"): ServiceFields => ({
    ports: [{ Protocol, TargetPort: 80, PublishedPort: 8080, PublishMode: "host" }],
  });

  test("is one per protocol and node, and free again when its task has ended", () => {
    const world = new World().addNodes("a");
    world.createService(publishing("tcp"), "first").settle();
    world.createService(publishing("udp"), "udp").settle();
    world.createService(publishing("tcp"), "second").settle();
    expect(world.placed("udp")).toEqual(["1:a:running"]);
    expect(world.wanted("second")[0]?.err).toContain("host-mode port already in use on 1 node");
    world.removeService("first").advance(1000);
    expect(world.placed("second")).toEqual(["1:a:running"]);
  });
});

test("limits bind no room on a node, reservations do", () => {
  const world = new World();
  world.putNode("a", { cpus: 1, memBytes: 2 ** 30 });
  const Resources = { Limits: { NanoCPUs: 5 * SECOND_NS, MemoryBytes: 2 ** 40 } };
  world.createService({ replicas: 2, template: { Resources } }).settle();
  expect(perNode(world)).toEqual({ a: 2 });
  const Reservations = { MemoryBytes: 2 ** 30 };
  world.createService({ replicas: 2, template: { Resources: { Reservations } } }, "big").settle();
  expect(perNode(world, "big")).toEqual({ a: 1, "": 1 });
});

test("max replicas count per node, and what has ended counts no more", () => {
  const fields = { replicas: 3, template: { Placement: { MaxReplicas: 1 } } };
  const world = new World().addNodes("a", "b").createService(fields).settle();
  expect(perNode(world)).toEqual({ a: 1, b: 1, "": 1 });
  const [first] = world.wanted();
  if (first) world.report(first, "failed");
  world.advance(10_000);
  expect(perNode(world)).toEqual({ a: 1, b: 1, "": 1 });
  world.addNodes("c").settle();
  expect(perNode(world)).toEqual({ a: 1, b: 1, c: 1 });
});
