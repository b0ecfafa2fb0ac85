import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { settle } from "./testing/autopilot.js";
import { makeWorld, type World } from "./testing/world.js";

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

test("`--network none` is found by scope, and a service made with what was found runs without network", async () => {
  await using world = await makeWorld();
  const { json } = await world.call("GET", "/networks/none?scope=swarm");
  expect(json).toMatchObject({ Name: "none", Scope: "swarm", Driver: "null" });
  const Networks = [{ Target: (json as { Id: string }).Id }];
  const spec = { Name: "web", TaskTemplate: { ContainerSpec: { Image: "bb" }, Networks } };
  expect(await world.call("POST", "/services/create", spec)).toMatchObject({ status: 201 });
  const { json: shown } = await world.call("GET", "/services/web");
  expect(shown).toMatchObject({ Spec: { TaskTemplate: { Networks } } });
});

describe("networks of users", () => {
  const create = (world: World, body: object) => world.call("POST", "/networks/create", body);

  test("are shown as allocated, with the services on them when asked", async () => {
    await using world = await makeWorld();
    const made = await create(world, {
      Name: "web",
      Driver: "overlay",
      EnableIPv6: true,
      IPAM: { Config: [{ Subnet: "10.9.0.0/24", IPRange: "10.9.0.128/25" }] },
      Labels: { a: "b" },
    });
    expect(made).toMatchObject({ status: 201, json: { Warning: "" } });
    await world.call("POST", "/services/create", {
      Name: "svc",
      TaskTemplate: { ContainerSpec: { Image: "bb" }, Networks: [{ Target: "web" }] },
    });
    await settle(world.cluster);
    const { json } = await world.call("GET", "/networks/web?verbose=true");
    const { subnets } = world.cluster.store.networkByName("web") ?? {};
    expect(json).toMatchObject({
      EnableIPv6: true,
      IPAM: {
        Config: [
          { Subnet: "10.9.0.0/24", IPRange: "10.9.0.128/25", Gateway: "10.9.0.1" },
          { Subnet: subnets?.[1]?.subnet, Gateway: subnets?.[1]?.gateway },
        ],
      },
      Options: { "com.docker.network.driver.overlay.vxlanid_list": "4097" },
      Labels: { a: "b" },
      Services: { svc: { VIP: "10.9.0.128", Tasks: [{ EndpointIP: "10.9.0.129" }] } },
    });
    const { json: service } = await world.call("GET", "/services/svc");
    const NetworkID = world.cluster.store.networkByName("web")?.id;
    const [, prefix6] = subnets?.map(({ subnet }) => subnet.split("::")[0]) ?? [];
    expect(service).toMatchObject({
      Endpoint: {
        VirtualIPs: [
          { NetworkID, Addr: "10.9.0.128/24" },
          { NetworkID, Addr: `${prefix6}::2/64` },
        ],
      },
    });
    const { json: tasks } = await world.call("GET", "/tasks");
    const [{ NetworksAttachments }] = tasks as [{ NetworksAttachments: { Addresses: string[] }[] }];
    expect(NetworksAttachments[0]?.Addresses[0]).toBe("10.9.0.129/24");
    expect(NetworksAttachments[0]?.Addresses[1]).toMatch(/^fd.*\/64$/);
  });

  test.each([
    { name: "no driver means bridge, which is of one host", body: { Name: "web" }, status: 501 },
    {
      name: "a bad subnet",
      body: { Name: "web", Driver: "overlay", IPAM: { Config: [{ Subnet: "x" }] } },
      status: 400,
    },
    { name: "a predefined name", body: { Name: "host", Driver: "overlay" }, status: 403 },
    { name: "the name of another", body: { Name: "ingress", Driver: "overlay" }, status: 409 },
    { name: "a wrong type", body: { Name: 1 }, status: 400 },
    {
      name: "an option that is none",
      body: { Name: "web", Driver: "overlay", Options: { secret: "" } },
      status: 501,
    },
    {
      name: "encryption that is none",
      body: { Name: "web", Driver: "overlay", Options: { encrypted: "no" } },
      status: 400,
    },
  ])("$name: $status", async ({ body, status }) => {
    await using world = await makeWorld();
    expect(await create(world, body)).toMatchObject({ status });
  });

  test("an encrypted network is created, and shown with its option", async () => {
    await using world = await makeWorld();
    const body = { Name: "web", Driver: "overlay", Options: { encrypted: "" } };
    expect(await create(world, body)).toMatchObject({ status: 201 });
    const { json } = await world.call("GET", "/networks/web");
    expect(json).toMatchObject({ Options: { encrypted: "" } });
  });

  test("a client too old to know EnableIPv4 does not mean it", async () => {
    await using world = await makeWorld();
    const body = { Name: "web", Driver: "overlay", EnableIPv4: false };
    expect(await create(world, body)).toMatchObject({ status: 501 });
    expect(await world.call("POST", "/v1.41/networks/create", body)).toMatchObject({ status: 201 });
  });

  test("pruning removes what nobody uses and the filters name", async () => {
    await using world = await makeWorld();
    for (const Name of ["used", "idle", "kept"])
      await create(world, { Name, Driver: "overlay", Labels: { [Name]: "" } });
    await world.call("POST", "/services/create", {
      Name: "svc",
      TaskTemplate: { ContainerSpec: { Image: "bb" }, Networks: [{ Target: "used" }] },
    });
    const prune = (filters: object) => world.call("POST", `/networks/prune${filter(filters)}`);
    const listed = async (filters: object): Promise<readonly string[]> => {
      const { json } = await world.call("GET", `/networks${filter(filters)}`);
      return (json as Network[]).map(({ Name }) => Name).sort();
    };
    expect(await listed({ dangling: ["true"] })).toEqual(["idle", "kept"]);
    const overlays = await listed({ dangling: ["false"], driver: ["overlay"] });
    expect(overlays).toEqual(["ingress", "used"]);
    expect((await prune({ until: ["1"] })).json).toEqual({ NetworksDeleted: null });
    expect((await prune({ "label!": ["kept"] })).json).toEqual({ NetworksDeleted: ["idle"] });
    expect((await prune({})).json).toEqual({ NetworksDeleted: ["kept"] });
    expect(await names("?")).toContain("ingress");
  });
});

describe("networks beside what a node's own routes lead to", () => {
  async function describeNode4(world: World, set: object): Promise<void> {
    const { id, description } = world.cluster.nodeNamed("n4");
    if (description === undefined) throw new Error("n4 is not described");
    await world.cluster.write([
      { kind: "nodeStatus", nodeId: id, description: { ...description, ...set } },
    ]);
  }
  const lan = { Name: "lan", Driver: "overlay", IPAM: { Config: [{ Subnet: "10.99.0.0/24" }] } };

  test("one with the subnet of the LAN is made, and its maker is told", async () => {
    await using world = await makeWorld();
    await describeNode4(world, { Routes: ["10.99.0.0/24"] });
    expect(await world.call("POST", "/networks/create", lan)).toMatchObject({
      status: 201,
      json: {
        Warning:
          "subnet 10.99.0.0/24 overlaps route 10.99.0.0/24 of n4: containers on lan cannot reach what is behind the route",
      },
    });
  });

  test("one with addresses of a node's bridge is refused, and no node shows routes or bridge", async () => {
    await using world = await makeWorld();
    await describeNode4(world, { Routes: ["10.99.0.0/20"], Bridge: "10.99.0.0/20" });
    expect(await world.call("POST", "/networks/create", lan)).toMatchObject({
      status: 400,
      json: { message: expect.stringContaining("the bridge of node n4") as string },
    });
    const { json } = await world.call("GET", `/nodes/${world.cluster.nodeNamed("n4").id}`);
    expect(Object.keys((json as { Description: object }).Description)).not.toContain("Bridge");
    expect((json as { Status: object }).Status).not.toHaveProperty("Message");
  });

  test("a service names the tasks that a published port reaches over IPv4 alone, and its node does not", async () => {
    await using world = await makeWorld();
    const Ports = [
      { Protocol: "tcp", TargetPort: 80, PublishedPort: 8080, PublishMode: "ingress" },
    ];
    const spec = {
      Name: "old",
      TaskTemplate: { ContainerSpec: { Image: "bb" } },
      EndpointSpec: { Ports },
    };
    const { json: made } = await world.call("POST", "/services/create", spec);
    await settle(world.cluster);
    const { ID: ServiceID } = made as { ID: string };
    const proxied = { ServiceID, TaskID: "t1", Protocol: "tcp", TargetPort: 80 };
    await describeNode4(world, { Proxied6: [proxied] });
    const Endpoint = { Ports: [{ PublishedPort: 8080, ProxiedIPv6Tasks: ["t1"] }] };
    expect((await world.call("GET", "/services/old")).json).toMatchObject({ Endpoint });
    expect((await world.call("GET", "/services")).json).toMatchObject([{ Endpoint }]);
    const { json } = await world.call("GET", `/nodes/${world.cluster.nodeNamed("n4").id}`);
    expect(Object.keys((json as { Description: object }).Description)).not.toContain("Proxied6");
  });

  test("a node shows what is wrong with its networks", async () => {
    await using world = await makeWorld();
    await settle(world.cluster);
    await describeNode4(world, {
      NetworkProblems: ["port 80/tcp held by nginx (pid 7)"],
      Routes: ["10.0.0.128/25"],
    });
    const Message =
      "port 80/tcp held by nginx (pid 7); route 10.0.0.128/25 overlaps network ingress (10.0.0.0/24): containers on the network cannot reach what is behind the route; move one of them";
    const { id } = world.cluster.nodeNamed("n4");
    expect(await world.call("GET", `/nodes/${id}`)).toMatchObject({
      json: { Status: { Message } },
    });
    const { json } = await world.call("GET", "/nodes");
    const told = (json as { Status: object }[]).filter(({ Status }) => "Message" in Status);
    expect(told).toMatchObject([{ Status: { Message } }]);
  });
});
