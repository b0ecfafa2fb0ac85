import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { makeWorld } from "./testing/world.js";

type Network = Readonly<Record<string, unknown>> & { readonly Name: string };

async function names(query: string, isManager = true): Promise<readonly string[]> {
  await using world = await makeWorld({ isManager });
  const { json } = await world.call("GET", `/networks${query}`);
  return (json as Network[]).map((network) => network.Name).sort();
}

const filter = (filters: object): string =>
  `?filters=${encodeURIComponent(JSON.stringify(filters))}`;

test.each([
  {
    name: "the stand-ins for bridge and host are hidden",
    query: "",
    wanted: ["bridge", "host", "ingress", "none"],
  },
  { name: "by scope", query: filter({ scope: ["swarm"] }), wanted: ["ingress"] },
  { name: "by driver", query: filter({ driver: { overlay: true } }), wanted: ["ingress"] },
  { name: "by a part of the name", query: filter({ name: ["o"] }), wanted: ["host", "none"] },
  { name: "made by users", query: filter({ type: ["custom"] }), wanted: [] },
])("$name", async ({ query, wanted }) => {
  expect(await names(query)).toEqual(wanted);
});

test("a worker lists what its host has", async () => {
  expect(await names("", false)).toEqual(["bridge", "host", "none"]);
});

test("has the recorded keys, and EnableIPv4", async () => {
  const recorded = readFileSync(
    new URL("./testdata/engine-api-20.10.jsonl", import.meta.url),
    "utf8",
  )
    .split("\n")
    .find((line) => line.includes('"what":"network inspect"'));
  const { response } = JSON.parse(recorded ?? "") as { response: { body: Network } };
  await using world = await makeWorld();
  const { json } = await world.call("GET", "/networks/ingress");
  expect(Object.keys(json as Network).sort()).toEqual(
    [...Object.keys(response.body), "EnableIPv4"].sort(),
  );
});

test("`--network host` finds the cluster's stand-in by scope", async () => {
  await using world = await makeWorld();
  const local = await world.call("GET", "/networks/host");
  const swarm = await world.call("GET", "/networks/host?scope=swarm");
  expect(local.json).toMatchObject({ Name: "host", Scope: "local" });
  expect(swarm.json).toMatchObject({ Name: "host", Scope: "swarm" });
});

test.each([
  { ref: "bridge", status: 403, message: "bridge is a pre-defined network and cannot be removed" },
  {
    ref: "ingress",
    status: 400,
    message:
      "rpc error: code = FailedPrecondition desc = ingress is a pre-defined network and cannot be removed",
  },
  { ref: "nope", status: 404, message: "network nope not found" },
])("removing $ref: $status", async ({ ref, status, message }) => {
  await using world = await makeWorld();
  expect(await world.call("DELETE", `/networks/${ref}`)).toMatchObject({
    status,
    json: { message },
  });
});

test("a service made with the id of `host` keeps the name, shows the id, and takes back what it showed", async () => {
  await using world = await makeWorld();
  const { json: host } = await world.call("GET", "/networks/host?scope=swarm");
  const { Id: hostId } = host as { Id: string };
  const spec = {
    Name: "web",
    TaskTemplate: { ContainerSpec: { Image: "bb" }, Networks: [{ Target: hostId }] },
  };
  expect(await world.call("POST", "/services/create", spec)).toMatchObject({ status: 201 });
  const stored = world.cluster.store.serviceByName("web")?.spec;
  expect(stored?.TaskTemplate.Networks).toEqual([{ Target: "host" }]);

  const { json } = await world.call("GET", "/services/web");
  const shown = json as { Version: { Index: number }; Spec: { TaskTemplate: object } };
  expect(shown.Spec.TaskTemplate).toMatchObject({ Networks: [{ Target: hostId }] });
  const update = `/services/web/update?version=${shown.Version.Index}`;
  expect(await world.call("POST", update, shown.Spec)).toMatchObject({ status: 200 });
  // The same object: nothing restarts.
  expect(world.cluster.store.serviceByName("web")?.spec.TaskTemplate).toBe(stored?.TaskTemplate);
});

test.each([
  { name: "the name bridge", target: "bridge", status: 201 },
  { name: "the name none", target: "none", status: 201 },
  { name: "the ingress network", target: "ingress", status: 400 },
  { name: "a network that is not there", target: "nope", status: 500 },
])("a service on $name: $status", async ({ target, status }) => {
  await using world = await makeWorld();
  const answer = await world.call("POST", "/services/create", {
    Name: "web",
    TaskTemplate: { ContainerSpec: { Image: "bb" }, Networks: [{ Target: target }] },
  });
  expect(answer).toMatchObject({ status });
});
