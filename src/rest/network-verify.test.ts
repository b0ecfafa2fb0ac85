import { connect } from "node:net";
import { expect, test } from "vitest";
import { makeWorld } from "./testing/world.js";

const DRIFT = { NetworkID: "x", Netns: "swarm-x", What: "no route", Repaired: false };

test("every ready node is asked; one that cannot be is named with its reason", async () => {
  const asked: string[] = [];
  await using world = await makeWorld({
    worker: (request, response) => {
      asked.push(`${request.method} ${request.url?.replace(/network=[^&]+/, "network=ID")}`);
      response.end(JSON.stringify({ AppliedIndex: 12, Drifts: [DRIFT] }));
    },
  });
  const { store, nodeId } = world.cluster;
  const all = await world.call("POST", "/networks/ingress/verify");
  const ready = store.nodes().filter(({ state }) => state === "ready");
  const { Nodes: found } = all.json as { Nodes: { NodeID: string; Error: string }[] };
  expect(found.map(({ NodeID }) => NodeID)).toEqual(ready.map(({ id }) => id));
  expect(found.find(({ NodeID }) => NodeID === nodeId)).toMatchObject({
    AppliedIndex: 12,
    Drifts: [DRIFT],
    Error: "",
  });
  for (const { NodeID, Error } of found)
    if (NodeID !== nodeId) expect(Error).toContain("is not available");
  expect(asked).toEqual(["POST /local/networks/verify?network=ID&repair=false"]);
});

test.each([
  { name: "an encrypted network shows", Options: { encrypted: "" }, shown: "kernel" },
  { name: "a network in the clear does not show", Options: {}, shown: undefined },
])("$name what encrypts", async ({ Options, shown }) => {
  await using world = await makeWorld({
    worker: (_request, response) => {
      response.end(JSON.stringify({ AppliedIndex: 12, Drifts: [], Tunnel: "kernel" }));
    },
  });
  await world.call("POST", "/networks/create", { Name: "web", Driver: "overlay", Options });
  const { nodeId } = world.cluster;
  const { json } = await world.call("POST", `/networks/web/verify?node=${nodeId}`);
  const [node] = (json as { Nodes: Record<string, unknown>[] }).Nodes;
  expect(node).toMatchObject({ AppliedIndex: 12, Error: "" });
  expect([node?.["Encryption"], node?.["Tunnel"]]).toEqual([shown, undefined]);
});

test("one node by name, through the tunnel, and its refusal", async () => {
  await using world = await makeWorld({
    worker: (_request, response) => {
      response.writeHead(503).end(JSON.stringify({ message: "net does not answer" }));
    },
  });
  const { store, nodeId } = world.cluster;
  const other = store.nodes().find(({ id }) => id !== nodeId)?.id ?? nodeId;
  world.cluster.connect = () =>
    Promise.resolve(connect({ path: world.socket.replace("door", "worker") }));
  const { json } = await world.call("POST", `/networks/ingress/verify?repair=1&node=${other}`);
  expect(json).toMatchObject({ Nodes: [{ NodeID: other, Error: "net does not answer" }] });
});

test.each([
  { path: "/networks/nope/verify", status: 404 },
  { path: "/networks/ingress/verify?node=nope", status: 404 },
  { path: "/networks/ingress/verify?repair=perhaps", status: 400 },
])("$path is $status", async ({ path, status }) => {
  await using world = await makeWorld();
  expect((await world.call("POST", path)).status).toBe(status);
});
