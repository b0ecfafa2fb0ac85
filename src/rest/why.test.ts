/** The extensions: why, plan and gauges, over the whole way from the door to the scheduler. */
import { describe, expect, test } from "vitest";
import { TASK_STATE, type Task } from "../api/index.js";
import { makeTask } from "../manager/core/index.js";
import { makeWorld, type World } from "./testing/world.js";

const SPEC = {
  Name: "web",
  TaskTemplate: {
    ContainerSpec: { Image: "bb" },
    Resources: { Reservations: { MemoryBytes: 2 ** 50 } },
    Placement: { Constraints: ["node.hostname==n4"] },
  },
  Mode: { Replicated: { Replicas: 2 } },
};
const SMALL = { ...SPEC, TaskTemplate: { ...SPEC.TaskTemplate, Resources: {} } };

type Plan = {
  readonly Index: number;
  readonly HasChanges: boolean;
  readonly Changes: readonly unknown[];
  readonly Tasks: readonly Readonly<Record<string, unknown>>[];
};

/** Stores the tasks that the orchestrator would make. */
async function putTasks(world: World, set: Partial<Task>): Promise<void> {
  const { store } = world.cluster;
  const service = store.serviceByName("web");
  if (!service) throw new Error("no service");
  const tasks = [1, 2].map((slot) => ({
    ...makeTask(service, {
      id: `task${slot}`.padEnd(25, "0"),
      place: { number: slot, nodeId: "", iteration: 0 },
      desiredState: TASK_STATE.running,
      notBeforeMs: 0,
      nowMs: 0,
    }),
    ...set,
  }));
  await world.cluster.write(tasks.map((task) => ({ kind: "putTask", task })));
}

describe("why", () => {
  test("of a service, its task and a node: verdicts with numbers, and the fix", async () => {
    await using world = await makeWorld();
    await world.call("POST", "/services/create", SPEC);
    await putTasks(world, {});
    const service = (await world.call("GET", "/services/web/why")).json as {
      readonly Summary: string;
      readonly Nodes: readonly { readonly Hostname: string; readonly Refusals: object[] }[];
      readonly Fix: string;
    };
    expect(service.Summary).toBe("0 running, 2 waiting for a node");
    const n4 = service.Nodes.find(({ Hostname }) => Hostname === "n4");
    expect(n4?.Refusals).toMatchObject([
      { Filter: "resource", Text: expect.stringMatching(/^memory: needs 1PiB, .* free of /) },
    ]);
    expect(service.Nodes.find(({ Hostname }) => Hostname === "n5")?.Refusals).toMatchObject([
      { Filter: "resource" },
      { Filter: "constraint", Text: 'node.hostname==n4: node.hostname is "n5"' },
    ]);
    expect(service.Fix).toMatch(
      /^lower --reserve-memory to .*, or add a node with 1PiB of memory$/,
    );

    const task = await world.call("GET", "/tasks/task1/why");
    expect(task.json).toMatchObject({ Summary: "waits for a node", Waiting: 1, Fix: service.Fix });
    const node = await world.call("GET", "/nodes/n4/why");
    expect(node.json).toMatchObject({
      Summary: "ready, active, 0 tasks; refuses 1 of 1 services that wait for a node",
      Services: [{ Name: "web", Waiting: 2, Fits: false }],
    });
    expect((await world.call("GET", "/services/nope/why")).status).toBe(404);
  });
});

describe("plan", () => {
  test("of a create: all fields, where each task would land, and nothing stored", async () => {
    await using world = await makeWorld();
    const answer = await world.call("POST", "/services/create?plan=true", SMALL);
    const plan = answer.json as Plan;
    expect(plan).toMatchObject({ Index: 0, HasChanges: true });
    expect(plan.Tasks).toMatchObject([
      { Action: "start", Slot: 1, ToHostname: "n4" },
      { Action: "start", Slot: 2, ToHostname: "n4" },
    ]);
    expect(world.cluster.store.services()).toEqual([]);
  });

  test("of an update: the fields that differ, which tasks restart, and why they would wait", async () => {
    await using world = await makeWorld();
    await world.call("POST", "/services/create", SMALL);
    const nodeId = world.cluster.store.nodes().find((n) => n.description?.Hostname === "n4")?.id;
    await putTasks(world, { nodeId: nodeId ?? "", state: TASK_STATE.running });
    const { versionIndex: index = 0, id } = world.cluster.store.serviceByName("web") ?? {};
    const path = `/services/${id}/update?version=${index}&plan=true`;

    const same = (await world.call("POST", path, SMALL)).json as Plan;
    expect(same).toMatchObject({ Index: index, HasChanges: false, Changes: [] });
    expect(same.Tasks.map((task) => task["Action"])).toEqual(["keep", "keep"]);

    const more = { ...SMALL, Mode: { Replicated: { Replicas: 3 } } };
    const scaled = (await world.call("POST", path, more)).json as Plan;
    expect(scaled.Changes).toEqual([{ Path: "Mode.Replicated.Replicas", Old: 2, New: 3 }]);
    expect(scaled.Tasks.map((task) => task["Action"])).toEqual(["keep", "keep", "start"]);

    const big = (await world.call("POST", path, SPEC)).json as Plan;
    expect(big.Changes).toEqual([
      { Path: "TaskTemplate.Resources.Reservations.MemoryBytes", New: 2 ** 50 },
    ]);
    expect(big.Tasks[0]).toMatchObject({
      Action: "restart",
      Hostname: "n4",
      Reason: expect.stringContaining("insufficient resources on 5 nodes"),
    });
    expect(world.cluster.store.service(id ?? "")?.versionIndex).toBe(index);
  });

  test("is refused with what the operation would be refused with", async () => {
    await using world = await makeWorld();
    await world.call("POST", "/services/create", SMALL);
    const { versionIndex: index = 0 } = world.cluster.store.serviceByName("web") ?? {};
    const taken = await world.call("POST", "/services/create?plan=true", SMALL);
    expect(taken.status).toBe(409);
    const stale = await world.call(
      "POST",
      `/services/web/update?version=${index - 1}&plan=true`,
      SMALL,
    );
    expect(stale.text).toContain("update out of sequence");
  });
});

test("a node's gauges: what is reserved and used of what is there", async () => {
  await using world = await makeWorld();
  const nodeId = world.cluster.store.nodes()[0]?.id ?? "";
  await world.call("POST", "/services/create", {
    ...SMALL,
    TaskTemplate: {
      ...SMALL.TaskTemplate,
      Resources: { Reservations: { MemoryBytes: 2 ** 30, NanoCPUs: 5e8 } },
    },
  });
  await putTasks(world, { nodeId, state: TASK_STATE.running });
  const gauges = { Reserved: { NanoCPUs: 1e9, MemoryBytes: 2 ** 31 }, Tasks: 2 };
  expect((await world.call("GET", `/nodes/${nodeId}`)).json).toMatchObject({
    SwarmResources: gauges,
  });
  const listed = (await world.call("GET", "/nodes?resources=true")).json as { ID: string }[];
  expect(listed.find(({ ID }) => ID === nodeId)).toMatchObject({ SwarmResources: gauges });
  expect((await world.call("GET", "/nodes")).text).not.toContain("SwarmResources");
  expect((await world.call("GET", `/nodes/${nodeId}`)).text).not.toContain("Used");
  const atMs = Date.parse("2026-01-01T00:00:00Z");
  world.cluster.usages.set(nodeId, { nodeId, cpuNano: 25e7, memBytes: 2 ** 20, atMs });
  const Used = { NanoCPUs: 25e7, MemoryBytes: 2 ** 20, At: "2026-01-01T00:00:00Z" };
  for (const path of [`/nodes/${nodeId}`, "/nodes?resources=true"]) {
    const { json } = await world.call("GET", path);
    const node = Array.isArray(json) ? json.find(({ ID }) => ID === nodeId) : json;
    expect(node).toMatchObject({ SwarmResources: { ...gauges, Used } });
  }
});
