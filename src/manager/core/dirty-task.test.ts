/** Which changes of a service replace its tasks (spec §4.7), beyond the common ones of `rolling-update.test.ts`. */
import { expect, test } from "vitest";
import type { Service, TaskSpec } from "../../api/index.js";
import { World } from "./testing/world.js";

function serving(): World {
  return new World().addNodes("a", "b").createService({ replicas: 2, image: "web:1" }).settle();
}

const ids = (world: World): string[] => world.wanted().map((task) => task.id);

test.each<{ name: string; template: Partial<TaskSpec>; replaced: boolean }>([
  { name: "a limit of processes", template: limits(10), replaced: true },
  {
    name: "a reservation",
    template: { Resources: { Reservations: { NanoCPUs: 1 } } },
    replaced: true,
  },
  { name: "a log driver", template: { LogDriver: { Name: "none" } }, replaced: true },
  {
    name: "a label of the container",
    template: { ContainerSpec: { Image: "web:1", Labels: { a: "b" } } },
    replaced: true,
  },
  {
    name: "an environment variable",
    template: { ContainerSpec: { Image: "web:1", Env: ["A=1"] } },
    replaced: true,
  },
  { name: "a network", template: { Networks: [{ Target: "host" }] }, replaced: true },
  {
    name: "preferences alone",
    template: {
      Placement: { Preferences: [{ Spread: { SpreadDescriptor: "node.labels.rack" } }] },
    },
    replaced: false,
  },
  { name: "max replicas alone", template: { Placement: { MaxReplicas: 1 } }, replaced: false },
  {
    name: "a met constraint and a new limit",
    template: { ...limits(10), Placement: { Constraints: ["node.labels.a!=b"] } },
    replaced: true,
  },
])("$name: replaced $replaced", ({ template, replaced }) => {
  const world = serving();
  const before = ids(world);
  world.updateService({ replicas: 2, image: "web:1", template }).advance(30_000);
  expect(ids(world).some((id) => before.includes(id))).toBe(!replaced);
  expect(world.updateState).toBe(replaced ? "completed" : "none");
});

test.each<{ name: string; change: (service: Service) => Service }>([
  { name: "credentials of the registry", change: (old) => ({ ...old, registryAuth: "new" }) },
  {
    name: "labels of the service",
    change: (old) => ({ ...old, spec: { ...old.spec, Labels: { a: "b" } } }),
  },
  {
    name: "the endpoint mode",
    change: (old) => ({ ...old, spec: { ...old.spec, EndpointSpec: { Mode: "dnsrr" } } }),
  },
])("$name: replaces nothing", ({ change }) => {
  const world = serving();
  const before = ids(world);
  const service = { ...change(world.service()), specVersion: 0 };
  world.commit([{ kind: "putService", service }], { isClient: true });
  world.advance(30_000);
  expect(ids(world)).toEqual(before);
  expect(world.updateState).toBe("none");
});

test("new constraints replace only the tasks whose node does not meet them", () => {
  const world = new World();
  world.putNode("a", { labels: { disk: "ssd" } });
  world.putNode("b", { labels: { disk: "hdd" } });
  world.createService({ replicas: 2 }).settle();
  const before = ids(world);
  const template = { Placement: { Constraints: ["node.labels.disk==ssd"] } };
  world.updateService({ replicas: 2, template }).advance(30_000);
  expect(world.wanted().map((task) => task.nodeId)).toEqual(["a", "a"]);
  expect(ids(world).filter((id) => before.includes(id))).toHaveLength(1);
  expect(world.updateState).toBe("completed");
});

function limits(Pids: number): Partial<TaskSpec> {
  return { Resources: { Limits: { Pids } } };
}
