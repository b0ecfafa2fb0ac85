import { beforeEach, describe, expect, test } from "vitest";
import type { NetworkSpec, Service, ServiceSpec } from "../../api/index.js";
import type { Capability, Field } from "./field-types.js";
import { fieldPaths } from "./field-types.js";
import { NETWORK_FIELDS } from "./network-fields.js";
import { cluster, describedNode, type Leader, leader, run, task } from "./testing/leader.js";

let lead: Leader;
let made = 0;

beforeEach(async () => {
  lead = leader();
  for (const one of ["overlay", "ingress"] satisfies Capability[]) lead.capabilities.add(one);
  await write([{ kind: "putCluster", cluster: cluster() }]);
});

type Changes = Parameters<Leader["proposer"]["propose"]>[0]["changes"];
const write = (changes: Changes) =>
  lead.proposer.propose({
    requestId: "",
    atMs: 1,
    isClient: false,
    preconditions: [],
    changes,
    resultJson: "",
  });

const create = async (spec: unknown, networkId = `net${++made}`): Promise<string> => {
  await run(lead, { kind: "network.create", networkId, spec: spec as NetworkSpec });
  return networkId;
};
const remove = (networkId: string) => run(lead, { kind: "network.remove", networkId });
const service = (id: string, set: Record<string, unknown> = {}, template: object = {}) =>
  run(lead, {
    kind: "service.create",
    serviceId: id,
    registryAuth: "",
    spec: {
      Name: id,
      TaskTemplate: { ContainerSpec: { Image: "bb" }, ...template },
      ...set,
    } as unknown as ServiceSpec,
  });
const ports = (...list: object[]) => ({ EndpointSpec: { Ports: list } });
const ipam = (...Config: object[]) => ({ Name: "web", IPAM: { Config } });

describe("creating a network", () => {
  test("keeps what was given, in canonical form, with the fill-ins", async () => {
    const id = await create({
      Name: "web",
      Driver: "overlay",
      Attachable: true,
      EnableIPv4: true,
      EnableIPv6: true,
      Labels: { a: "b" },
      IPAM: {
        Driver: "default",
        Config: [
          { Subnet: "FD00:9:0::/64" },
          { Subnet: "10.9.0.7/24", IPRange: "10.9.0.130/25", Gateway: "10.9.0.9" },
        ],
      },
      Options: { "com.docker.network.driver.mtu": "9000" },
    });
    expect(lead.store.network(id)).toMatchObject({ vni: 0, subnets: [], predefined: false });
    expect(lead.store.network(id)?.spec).toEqual({
      Name: "web",
      Labels: { a: "b" },
      Driver: "overlay",
      Scope: "swarm",
      Attachable: true,
      EnableIPv6: true,
      IPAM: {
        Driver: "default",
        Config: [
          { Subnet: "10.9.0.0/24", IPRange: "10.9.0.128/25", Gateway: "10.9.0.9" },
          { Subnet: "fd00:9::/64" },
        ],
      },
      Options: { "com.docker.network.driver.mtu": "9000" },
    });
  });

  test.each([
    { name: "no name", spec: {}, message: "name must be provided" },
    { name: "a name with a dot", spec: { Name: "a.b" }, message: "DNS name component" },
    {
      name: "attachable ingress",
      spec: { Name: "i", Ingress: true, Attachable: true },
      message: "ingress network cannot be attachable",
    },
    {
      name: "internal ingress",
      spec: { Name: "i", Ingress: true, Internal: true },
      message: "ingress network cannot be internal",
    },
    { name: "no CIDR", spec: ipam({ Subnet: "10.9.0.0" }), message: 'invalid subnet "10.9.0.0"' },
    {
      name: "a range without subnet",
      spec: ipam({ IPRange: "10.9.0.0/25" }),
      message: 'invalid subnet ""',
    },
    {
      name: "a range outside",
      spec: ipam({ Subnet: "10.9.0.0/24", IPRange: "10.8.0.0/25" }),
      message: "subnet 10.9.0.0/24 does not contain ip-range 10.8.0.0/25",
    },
    {
      name: "a gateway outside",
      spec: ipam({ Subnet: "10.9.0.0/24", Gateway: "10.8.0.1" }),
      message: "gateway 10.8.0.1 is no host address",
    },
    {
      name: "the broadcast address as gateway",
      spec: ipam({ Subnet: "10.9.0.0/24", Gateway: "10.9.0.255" }),
      message: "gateway 10.9.0.255 is no host address",
    },
    { name: "a tiny subnet", spec: ipam({ Subnet: "10.9.0.0/31" }), message: "too small" },
    {
      name: "two subnets of a family",
      spec: ipam({ Subnet: "10.9.0.0/24" }, { Subnet: "10.8.0.0/24" }),
      message: "second for IPv4",
    },
    {
      name: "IPv6 that is not enabled",
      spec: ipam({ Subnet: "fd00::/64" }),
      message: "enable it with --ipv6",
    },
    {
      name: "an unknown scope",
      spec: { Name: "a", Scope: "moon" },
      message: 'invalid network scope: "moon"',
    },
    {
      name: "a VNI out of range",
      spec: { Name: "a", Options: { "com.docker.network.driver.overlay.vxlanid_list": "5" } },
      message: "is not one number from 4096",
    },
    {
      name: "an MTU too small",
      spec: { Name: "a", Options: { "com.docker.network.driver.mtu": "100" } },
      message: "is not a number from 118 to 65535",
    },
    {
      name: "an MTU too small for IPv6",
      spec: { Name: "a", EnableIPv6: true, Options: { "com.docker.network.driver.mtu": "1300" } },
      message: "is not a number from 1330",
    },
  ])("refuses $name", async ({ spec, message }) => {
    await expect(create(spec)).rejects.toMatchObject({
      code: "InvalidArgument",
      message: expect.stringContaining(message) as string,
    });
  });

  test.each(["bridge", "host", "none"])("refuses the predefined name %s with 403", async (Name) => {
    await expect(create({ Name })).rejects.toMatchObject({
      code: "PermissionDenied",
      restMessage: `operation is not permitted on predefined ${Name} network`,
    });
  });

  test("refuses the label of predefined networks with 403", async () => {
    const spec = { Name: "a", Labels: { "com.docker.swarm.predefined": "true" } };
    await expect(create(spec)).rejects.toMatchObject({ code: "PermissionDenied" });
  });

  test("refuses a name that is taken, whatever its case, without the prefix of inner calls", async () => {
    await create({ Name: "web" });
    await expect(create({ Name: "WEB" })).rejects.toMatchObject({
      code: "AlreadyExists",
      restMessage: "network with name WEB already exists",
    });
  });

  test("there is one ingress network", async () => {
    const id = await create({ Name: "ingress", Ingress: true });
    await expect(create({ Name: "other", Ingress: true })).rejects.toMatchObject({
      code: "AlreadyExists",
      message: `ingress network (${id}) is already present`,
    });
  });

  test("a subnet or VNI that another network has is refused at once, by its name", async () => {
    const id = await create({ Name: "db" });
    const subnets = [{ subnet: "10.0.0.0/16", gateway: "10.0.0.1", ipRange: "" }];
    await write([{ kind: "networkAllocated", networkId: id, vni: 5000, subnets, mtu: 1450 }]);
    await expect(create(ipam({ Subnet: "10.0.5.0/24" }))).rejects.toMatchObject({
      code: "InvalidArgument",
      message: "subnet 10.0.5.0/24 overlaps a subnet of network db",
    });
    const fixed = {
      Name: "a",
      Options: { "com.docker.network.driver.overlay.vxlanid_list": "5000" },
    };
    await expect(create(fixed)).rejects.toMatchObject({
      message: "VXLAN id 5000 is already in use by network db",
    });
  });

  test("a subnet that a node's bridge is in is refused, by the node's name", async () => {
    await write([{ kind: "putNode", node: describedNode("m1", { Bridge: "172.20.0.0/20" }) }]);
    await expect(create(ipam({ Subnet: "172.16.0.0/12" }))).rejects.toMatchObject({
      code: "InvalidArgument",
      message:
        "subnet 172.16.0.0/12 overlaps 172.20.0.0/20, the bridge of node m1; choose another --subnet, or start swarmd there with another --gwbridge-pool",
    });
    await create(ipam({ Subnet: "172.24.0.0/16" }));
  });

  const UNBUILT: Record<string, unknown> = {
    Driver: "macvlan",
    Scope: "local",
    EnableIPv4: false,
    ConfigOnly: true,
    ConfigFrom: { Network: "a" },
    "IPAM.Driver": "dhcp",
    "IPAM.Options": { a: "b" },
    "IPAM.Config[].AuxiliaryAddresses": { a: "10.0.0.1" },
    'Options["encrypted"]': "",
    'Options["other"]': "x",
  };

  test.each(Object.entries(UNBUILT))(
    "what is not enforced is refused by name: %s",
    async (path, value) => {
      const spec: Record<string, unknown> = { Name: "a" };
      const option = /^Options\["(.*)"\]$/.exec(path)?.[1];
      if (option !== undefined) spec["Options"] = { [option]: value };
      else if (path.startsWith("IPAM.Config"))
        spec["IPAM"] = { Config: [{ Subnet: "10.9.0.0/24", AuxiliaryAddresses: value }] };
      else if (path.startsWith("IPAM.")) spec["IPAM"] = { [path.slice(5)]: value };
      else spec[path] = value;
      await expect(create(spec)).rejects.toMatchObject({
        code: "Unimplemented",
        message: expect.stringContaining(
          `network create: field ${path.replace("[]", "[0]")}`,
        ) as string,
      });
    },
  );

  test("every refused field of the table is among those", () => {
    const isRefused = ({ field }: { readonly field: Field }) => field.support === "refused";
    const refused = fieldPaths(NETWORK_FIELDS).filter(isRefused);
    expect(refused.map(({ path }) => path).filter((path) => !(path in UNBUILT))).toEqual([]);
  });

  test.each(["", "true"])("an encrypted network, said as %j", async (value) => {
    lead.capabilities.add("encryption");
    const id = await create({ Name: "a", Options: { encrypted: value } });
    expect(lead.store.network(id)?.spec.Options).toEqual({ encrypted: value });
  });

  test("a network that is said to be not encrypted is not taken for an encrypted one", async () => {
    lead.capabilities.add("encryption");
    await expect(create({ Name: "a", Options: { encrypted: "false" } })).rejects.toMatchObject({
      code: "InvalidArgument",
      message:
        'encrypted: "false" is neither empty nor true; leave the option out for a network in the clear',
    });
  });

  test("an encrypted network's smallest MTU has room for what is added", async () => {
    lead.capabilities.add("encryption");
    const Options = { encrypted: "", "com.docker.network.driver.mtu": "197" };
    await expect(create({ Name: "a", Options })).rejects.toMatchObject({
      message: expect.stringContaining("is not a number from 198 to 65535") as string,
    });
  });

  test.each([
    { capability: "overlay", spec: { Name: "a" }, field: "Driver" },
    { capability: "ingress", spec: { Name: "a", Ingress: true }, field: "Ingress" },
  ] as const)(
    "without the capability $capability it is 501",
    async ({ capability, spec, field }) => {
      lead.capabilities.delete(capability);
      await expect(create(spec)).rejects.toMatchObject({
        code: "Unimplemented",
        message: expect.stringContaining(`field ${field} is not supported yet`) as string,
      });
    },
  );
});

describe("removing a network", () => {
  test("a network that is not there", async () => {
    await expect(remove("nope")).rejects.toMatchObject({ code: "NotFound" });
  });

  test("one that a service names is in use, until the service is gone", async () => {
    const id = await create({ Name: "web" });
    await service("s1", {}, { Networks: [{ Target: "web" }] });
    await expect(remove(id)).rejects.toMatchObject({
      code: "FailedPrecondition",
      message: `network ${id} is in use by service s1`,
    });
    await run(lead, { kind: "service.remove", serviceId: "s1" });
    await remove(id);
    expect(lead.store.network(id)).toBeUndefined();
  });

  test.each([
    { name: "a task that is to run", desiredState: 512, inUse: true },
    { name: "a task told to stop", desiredState: 640, inUse: false },
  ] as const)("$name: in use $inUse", async ({ desiredState, inUse }) => {
    const id = await create({ Name: "web" });
    const spec = { ...task("t1").spec, Networks: [{ Target: id }] };
    await write([
      { kind: "putTask", task: task("t1", { spec, desiredState, state: 512, serviceId: "" }) },
    ]);
    if (inUse)
      await expect(remove(id)).rejects.toMatchObject({
        code: "FailedPrecondition",
        message: `network ${id} is in use by task t1`,
      });
    else await remove(id);
  });

  test("ingress stays while a service publishes ports through it", async () => {
    const id = await create({ Name: "ingress", Ingress: true });
    await service("s1", ports({ TargetPort: 80 }));
    await expect(remove(id)).rejects.toMatchObject({
      code: "FailedPrecondition",
      message: "ingress network cannot be removed because service s1 depends on it",
    });
    await run(lead, { kind: "service.remove", serviceId: "s1" });
    await remove(id);
  });
});

describe("a service on networks", () => {
  const stored = (id: string): Service | undefined => lead.store.service(id);

  test("names become ids, aliases stay", async () => {
    const id = await create({ Name: "web" });
    const Networks = [{ Target: "WEB", Aliases: ["db", "db.internal"] }];
    await service("s1", {}, { Networks });
    expect(stored("s1")?.spec.TaskTemplate.Networks).toEqual([
      { Target: id, Aliases: ["db", "db.internal"] },
    ]);
  });

  test.each([
    {
      name: "named twice",
      Networks: [{ Target: "web" }, { Target: "net-web" }],
      message: "network web is named twice",
    },
    {
      name: "beside host",
      Networks: [{ Target: "web" }, { Target: "host" }],
      message: "web, host cannot be combined",
    },
    {
      name: "with a bad alias",
      Networks: [{ Target: "web", Aliases: ["a b"] }],
      message: 'alias "a b" on network web',
    },
    {
      name: "aliases on host",
      Networks: [{ Target: "host", Aliases: ["a"] }],
      message: "network host knows no names",
    },
  ])("$name: refused", async ({ Networks, message }) => {
    await create({ Name: "web" }, "net-web");
    await expect(service("s1", {}, { Networks })).rejects.toMatchObject({
      code: "InvalidArgument",
      message: expect.stringContaining(message) as string,
    });
  });

  test("aliases are 501 without the capability overlay", async () => {
    await create({ Name: "web" });
    lead.capabilities.delete("overlay");
    const Networks = [{ Target: "web", Aliases: ["a"] }];
    await expect(service("s1", {}, { Networks })).rejects.toMatchObject({
      code: "Unimplemented",
      message: expect.stringContaining("Networks[0].Aliases") as string,
    });
  });

  test.each([
    {
      name: "the cluster's port",
      port: { TargetPort: 80, PublishedPort: 2377 },
      message: "port 2377/tcp",
    },
    {
      name: "the data path port",
      port: { TargetPort: 80, PublishedPort: 4789, Protocol: "udp" },
      message: "data path port",
    },
    {
      name: "the port that a manager chose to listen on",
      port: { TargetPort: 80, PublishedPort: 7777 },
      message: "port 7777/tcp is where the manager on m1 listens; publish another one",
    },
    {
      name: "the cluster's port on one node",
      port: { TargetPort: 80, PublishedPort: 2377, PublishMode: "host" },
      message: "port 2377/tcp",
    },
  ])("$name cannot be published", async ({ port, message }) => {
    await create({ Name: "ingress", Ingress: true });
    const onM1 = { memberId: "1", addr: "10.0.0.1:7777" };
    await write([{ kind: "putNode", node: { ...describedNode("m1"), manager: onM1 } }]);
    await expect(service("s1", ports(port))).rejects.toMatchObject({
      code: "InvalidArgument",
      message: expect.stringContaining(message) as string,
    });
  });

  test("publishing needs an ingress network and a task that can be reached", async () => {
    await expect(service("s1", ports({ TargetPort: 80 }))).rejects.toMatchObject({
      code: "FailedPrecondition",
      message: expect.stringContaining("service needs ingress network") as string,
    });
    await create({ Name: "ingress", Ingress: true });
    const onHost = service("s1", ports({ TargetPort: 80 }), { Networks: [{ Target: "host" }] });
    await expect(onHost).rejects.toMatchObject({ code: "InvalidArgument" });
    await service("s1", ports({ TargetPort: 80 }));
    expect(stored("s1")?.ports).toHaveLength(1);
  });

  test("a port that was chosen stays over updates and rollbacks", async () => {
    await create({ Name: "ingress", Ingress: true });
    await service("s1", ports({ TargetPort: 80 }));
    const { specVersion, ports: open } = stored("s1") as Service;
    const given = open.map((port) => ({ ...port, PublishedPort: 30_000 }));
    await write([
      { kind: "serviceEndpoint", serviceId: "s1", specVersion, vips: [], ports: given },
    ]);
    for (const rollback of ["none", "previous"] as const) {
      const now = stored("s1") as Service;
      await run(lead, {
        kind: "service.update",
        serviceId: "s1",
        version: now.versionIndex,
        spec: { ...now.spec, Labels: { a: rollback } },
        rollback,
        registryAuth: undefined,
        registryAuthFrom: "spec",
      });
      expect(stored("s1")?.ports).toEqual(given);
    }
  });
});
