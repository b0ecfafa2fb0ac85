import { describe, expect, test } from "vitest";
import { TASK_STATE } from "../api/index.js";
import { makeWorld } from "./testing/world.js";

const filter = (filters: object): string =>
  `?filters=${encodeURIComponent(JSON.stringify(filters))}`;

describe("containers outside services", () => {
  const TaskTemplate = { ContainerSpec: { Image: "bb" }, Networks: [{ Target: "open" }] };
  const body = { Name: "tool", TaskTemplate };
  const attachable = { Name: "open", Driver: "overlay", Attachable: true };

  test("are made on this node or the named one, listed apart from tasks of services, and removed by name", async () => {
    await using world = await makeWorld();
    await world.call("POST", "/networks/create", attachable);
    const here = await world.call("POST", "/tasks/create", body);
    expect(here).toMatchObject({ status: 201 });
    const { ID } = here.json as { ID: string };
    const there = { ...body, Name: "" };
    expect(await world.call("POST", "/tasks/create?node=n5", there)).toMatchObject({ status: 201 });

    expect(await world.call("GET", "/tasks")).toMatchObject({ json: [] });
    const { json } = await world.call("GET", `/tasks${filter({ runtime: ["attachment"] })}`);
    const shown = json as { ID: string; Name: string; NodeID: string }[];
    const nodes = ["n1", "n5"].map((name) => world.cluster.nodeNamed(name).id).sort();
    expect(shown.map(({ NodeID }) => NodeID).sort()).toEqual(nodes);
    expect(shown.find((task) => task.ID === ID)).toMatchObject({ Name: "tool" });
    expect(shown.find((task) => task.ID !== ID)?.Name).toMatch(/^[a-z]+_[a-z]+$/);
    expect(shown.every((task) => !("ServiceID" in task))).toBe(true);

    expect(await world.call("DELETE", "/tasks/tool")).toMatchObject({ status: 204 });
    expect(world.cluster.store.task(ID)?.desiredState).toBe(TASK_STATE.remove);
  });

  test.each([
    { name: "a closed network", set: { Attachable: false }, run: body, status: 403 },
    {
      name: "what services have",
      set: {},
      run: { ...body, EndpointSpec: { Ports: [] } },
      status: 501,
    },
    { name: "labels of services", set: {}, run: { ...body, Labels: { a: "b" } }, status: 501 },
  ])("are refused for $name: $status", async ({ set, run, status }) => {
    await using world = await makeWorld();
    await world.call("POST", "/networks/create", { ...attachable, ...set });
    expect(await world.call("POST", "/tasks/create", run)).toMatchObject({ status });
  });

  test("a worker sends to a manager", async () => {
    await using world = await makeWorld({ isManager: false });
    expect(await world.call("POST", "/tasks/create", body)).toMatchObject({ status: 503 });
  });
});
