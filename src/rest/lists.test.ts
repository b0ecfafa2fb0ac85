/** Lists and their filters, statuses on request, and labels that are set and taken away again. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { settle } from "./testing/autopilot.js";
import { makeWorld, type World } from "./testing/world.js";

let world: World;
let empty: readonly unknown[];

const spec = (Name: string, set: object = {}) => ({
  Name,
  TaskTemplate: { ContainerSpec: { Image: "bb" } },
  ...set,
});

async function make(Name: string, set: object = {}): Promise<void> {
  const made = await world.call("POST", "/services/create", spec(Name, set));
  expect(made).toMatchObject({ status: 201 });
}

beforeAll(async () => {
  world = await makeWorld();
  empty = await Promise.all(
    ["/services", "/tasks"].map(async (path) => (await world.call("GET", path)).text),
  );
  await make("web", { Labels: { tier: "front" }, Mode: { Replicated: { Replicas: 2 } } });
  await make("web-admin", { Labels: { tier: "back" } });
  await make("agent", { Mode: { Global: {} } });
  await make("job", { Mode: { ReplicatedJob: { MaxConcurrent: 1, TotalCompletions: 3 } } });
  await make("each", { Mode: { GlobalJob: {} } });
  await settle(world.cluster);
});

afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

type Named = {
  readonly Spec: { readonly Name?: string };
  readonly Description?: { readonly Hostname: string };
};

async function names(path: string, filters: object): Promise<string[]> {
  const query = `filters=${encodeURIComponent(JSON.stringify(filters))}`;
  const { json } = await world.call("GET", `${path}?${query}`);
  const all = json as readonly Named[];
  return all.map((one) => one.Description?.Hostname ?? one.Spec.Name ?? "").sort();
}

test("without services and tasks the lists are [], not null", () => {
  expect(empty).toEqual(["[]\n", "[]\n"]);
});

describe("services", () => {
  test.each([
    { name: "the beginning of a name", filters: { name: ["web"] }, found: ["web", "web-admin"] },
    { name: "either of two names", filters: { name: ["agent", "job"] }, found: ["agent", "job"] },
    { name: "a label", filters: { label: ["tier"] }, found: ["web", "web-admin"] },
    { name: "a label with its value", filters: { label: ["tier=back"] }, found: ["web-admin"] },
    {
      name: "two keys that must both hold",
      filters: { name: ["web"], mode: ["global"] },
      found: [],
    },
    {
      name: "the mode replicated",
      filters: { mode: ["replicated"] },
      found: ["web", "web-admin"],
    },
    { name: "the mode global", filters: { mode: ["global"] }, found: ["agent"] },
    { name: "the mode replicated-job", filters: { mode: ["replicated-job"] }, found: ["job"] },
    { name: "the mode global-job", filters: { mode: ["global-job"] }, found: ["each"] },
  ])("by $name", async ({ filters, found }) => {
    expect(await names("/services", filters)).toEqual(found);
  });

  test("by the beginning of an id", async () => {
    const id = world.cluster.store.serviceByName("agent")?.id ?? "";
    expect(await names("/services", { id: [id.slice(0, 12)] })).toEqual(["agent"]);
  });

  test("have a status only when it is asked for", async () => {
    const list = async (query: string) =>
      (await world.call("GET", `/services${query}`)).json as readonly Record<string, unknown>[];
    expect((await list("")).some((one) => "ServiceStatus" in one)).toBe(false);
    expect((await list("?status=false")).some((one) => "ServiceStatus" in one)).toBe(false);
    const asked = await list("?status=true");
    expect(asked.every((one) => "ServiceStatus" in one)).toBe(true);
    expect(asked.find((one) => (one["Spec"] as { Name: string }).Name === "web")).toMatchObject({
      ServiceStatus: { RunningTasks: 2, DesiredTasks: 2, CompletedTasks: 0 },
    });
  });
});

describe("nodes", () => {
  test.each([
    { name: "role manager", filters: { role: ["manager"] }, found: ["n1", "n2", "n3"] },
    { name: "role worker", filters: { role: ["worker"] }, found: ["n4", "n5"] },
    { name: "host name", filters: { name: ["n2", "n5"] }, found: ["n2", "n5"] },
    {
      name: "membership accepted",
      filters: { membership: ["accepted"] },
      found: ["n1", "n2", "n3", "n4", "n5"],
    },
    { name: "membership pending", filters: { membership: ["pending"] }, found: [] },
    { name: "a label that none has", filters: { "node.label": ["disk"] }, found: [] },
  ])("by $name", async ({ filters, found }) => {
    expect(await names("/nodes", filters)).toEqual(found);
  });

  test("by a label, with its value or without", async () => {
    const inspected = await world.call("GET", "/nodes/n4");
    const { Version } = inspected.json as { readonly Version: { readonly Index: number } };
    const labelled = { Role: "worker", Availability: "active", Labels: { rack: "a" } };
    const path = `/nodes/n4/update?version=${Version.Index}`;
    expect(await world.call("POST", path, labelled)).toMatchObject({ status: 200 });
    expect(await names("/nodes", { "node.label": ["rack"] })).toEqual(["n4"]);
    expect(await names("/nodes", { "node.label": ["rack=a"] })).toEqual(["n4"]);
    expect(await names("/nodes", { "node.label": ["rack=b"] })).toEqual([]);
  });

  test("a role that is none is refused", async () => {
    const query = `filters=${encodeURIComponent('{"role":["boss"]}')}`;
    expect(await world.call("GET", `/nodes?${query}`)).toMatchObject({ status: 400 });
  });
});

describe("tasks", () => {
  type Listed = { readonly ServiceID: string; readonly NodeID: string };
  async function list(filters: object): Promise<readonly Listed[]> {
    const query = `filters=${encodeURIComponent(JSON.stringify(filters))}`;
    return (await world.call("GET", `/tasks?${query}`)).json as readonly Listed[];
  }

  test("by service, by name or id", async () => {
    const id = world.cluster.store.serviceByName("web")?.id ?? "";
    expect(await list({ service: ["web"] })).toMatchObject([{ ServiceID: id }, { ServiceID: id }]);
    expect(await list({ service: [id] })).toHaveLength(2);
    expect(await list({ name: ["web."] })).toHaveLength(2);
  });

  test("by node and by desired state", async () => {
    const [first] = await list({ service: ["web"] });
    const onNode = await list({ node: [first?.NodeID] });
    expect(onNode.length).toBeGreaterThan(0);
    expect(new Set(onNode.map((task) => task.NodeID))).toEqual(new Set([first?.NodeID]));
    expect(await list({ service: ["web"], "desired-state": ["running"] })).toHaveLength(2);
    expect(await list({ service: ["web"], "desired-state": ["shutdown"] })).toEqual([]);
  });
});

test("a label is added and removed, and doing either twice changes nothing", async () => {
  await make("labelled");
  type Service = { readonly Version: { Index: number }; readonly Spec: { Labels: object } };
  const inspect = async () => (await world.call("GET", "/services/labelled")).json as Service;
  for (const Labels of [{ a: "b" }, { a: "b" }, {}, {}]) {
    const { Version, Spec } = await inspect();
    const path = `/services/labelled/update?version=${Version.Index}`;
    expect(await world.call("POST", path, { ...Spec, Labels })).toMatchObject({ status: 200 });
    expect((await inspect()).Spec).toEqual({ ...Spec, Labels });
  }
});

test("processes are limited, limited otherwise and unlimited again", async () => {
  await make("limited");
  type Service = {
    readonly Version: { readonly Index: number };
    readonly Spec: { readonly TaskTemplate: { readonly Resources?: { readonly Limits?: object } } };
  };
  const inspect = async () => (await world.call("GET", "/services/limited")).json as Service;
  for (const Limits of [{ Pids: 100 }, { Pids: 20 }, {}]) {
    const { Version, Spec } = await inspect();
    const TaskTemplate = { ...Spec.TaskTemplate, Resources: { Limits } };
    const path = `/services/limited/update?version=${Version.Index}`;
    const answer = await world.call("POST", path, { ...Spec, TaskTemplate });
    expect(answer).toMatchObject({ status: 200 });
    expect((await inspect()).Spec.TaskTemplate.Resources?.Limits ?? {}).toEqual(Limits);
  }
});

test.each([{ given: {} }, { given: { Init: true } }, { given: { Init: false } }])(
  "an init is wanted, not wanted or left open: $given stays so",
  async ({ given }) => {
    const Name = `init-${String(given.Init)}`;
    await make(Name, { TaskTemplate: { ContainerSpec: { Image: "bb", ...given } } });
    const { json } = await world.call("GET", `/services/${Name}`);
    const { Spec } = json as { Spec: { TaskTemplate: { ContainerSpec: { Init?: boolean } } } };
    expect("Init" in Spec.TaskTemplate.ContainerSpec).toBe("Init" in given);
    expect(Spec.TaskTemplate.ContainerSpec.Init).toBe(given.Init);
  },
);
