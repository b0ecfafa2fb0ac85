/** IPv6 from the stored network to what a node's kernel is to hold: both families everywhere, or the second one nowhere. */
import { expect, test } from "vitest";
import { type Change, NETWORK_PHASE, type NetworkSpec } from "../../api/index.js";
import { desiredState, networkStateFor } from "../../overlay-net/core/index.js";
import { CLUSTER } from "./testing/cluster.js";
import { World } from "./testing/world.js";

const META = { versionIndex: 0, clientIndex: 0, createdAtMs: 0, updatedAtMs: 0 };
const NODE = "a";

function putNetwork(id: string, set: Partial<NetworkSpec>): Change {
  const spec: NetworkSpec = { Name: id, Labels: {}, Driver: "overlay", Scope: "swarm", ...set };
  return {
    kind: "putNetwork",
    network: { ...META, id, spec, predefined: false, vni: 0, subnets: [], mtu: 0 },
  };
}

/** A published service on app, whose network has these fields. */
function running(app: Partial<NetworkSpec>): World {
  const world = new World().addNodes(NODE);
  world.commit([
    { kind: "putCluster", cluster: CLUSTER },
    putNetwork("ingress", { Ingress: true, EnableIPv6: true }),
    putNetwork("app", app),
  ]);
  world
    .createService({
      template: { Networks: [{ Target: "app" }] },
      ports: [{ Protocol: "tcp", TargetPort: 80, PublishMode: "ingress" }],
    })
    .settle();
  // As the dispatcher writes it once every node knows of the task: it takes connections then.
  const phase = NETWORK_PHASE.announced;
  world.commit(
    world.tasks().map(({ id: taskId }) => ({ kind: "taskNetworkPhase", taskId, phase })),
  );
  return world;
}

/** What the node is to hold, with one attached container for the first task. */
function desiredOf(world: World) {
  const [task] = world.tasks();
  return desiredState({
    state: networkStateFor(world.store, NODE),
    names: {
      ...{ nodeId: NODE, short: NODE, bridge: "br", netnsPrefix: "t-", nftTable: "t" },
      bridgeAlias: "t:br",
    },
    local: {
      attachments: [
        {
          ...{
            containerId: "c1",
            taskId: task?.id ?? "",
            netns: "t-c1",
            dns: undefined,
            proxies: [],
          },
          gwbridgeAddress: "172.20.0.2",
          networkIds: ["app", "ingress"],
          hostPorts: [],
        },
      ],
      ...{ keepsGwbridge: true, gwbridgeSubnet: "172.20.0.0/20", gwbridgeMtu: 1500 },
      heldPorts: [{ protocol: "tcp", publishedPort: 30_000 }],
      ...{ uplinks: [], wasForwarding: false, wasForwarding6: false, hasBridgeNetfilter: false },
      ...{ hasIpv6: true, hasDefaultRoute6: false },
      firewall: { dockerUser: "absent", dockerUser6: "absent", isFirewalldRunning: false },
    },
  });
}

test.each([
  { name: "a ULA of the cluster's own", app: { EnableIPv6: true }, subnet6: /^fd[\da-f:]+::\/64$/ },
  {
    name: "the subnet that the user named",
    app: { EnableIPv6: true, IPAM: { Config: [{ Subnet: "2001:db8:1::/64" }] } },
    subnet6: /^2001:db8:1::\/64$/,
  },
])("a network of both families: $name", ({ app, subnet6 }) => {
  const world = running(app);
  expect(world.store.network("app")?.subnets[1]?.subnet).toMatch(subnet6);
  const prefix = world.store.network("app")?.subnets[1]?.subnet.replace("/64", "");
  const { vips } = world.service();
  expect(vips.map(({ networkId }) => networkId)).toEqual(["app", "ingress"]);
  expect(vips[0]).toMatchObject({ address: "10.0.0.2", address6: `${prefix}2` });
  const [task] = world.tasks();
  expect(task?.networks[0]).toMatchObject({ address: "10.0.0.3", address6: `${prefix}3` });

  const container = desiredOf(world).find(({ netns }) => netns === "t-c1");
  const addresses = container?.addresses.map(({ address }) => address);
  expect(addresses).toEqual(expect.arrayContaining(["10.0.0.3/24", `${prefix}3/64`]));
  const rules = container?.tables.map(({ text }) => text).join("\n");
  for (const vip of ["10.0.0.2", `${prefix}2`]) expect(rules).toContain(vip);
});

test("a network of one family gives no second address, and the service's ports have both all the same", () => {
  const world = running({});
  const { vips } = world.service();
  expect(vips[0]).toMatchObject({ networkId: "app", address6: "" });
  const { subnets } = world.store.network("ingress") ?? {};
  const ula = subnets?.[1]?.subnet.replace("/64", "");
  expect(ula).toMatch(/^fd/);
  expect(vips[1]?.address6).toBe(`${ula}2`);
  const host = desiredOf(world).find(({ netns }) => netns === "");
  const rules = host?.tables.map(({ text }) => text).join("\n");
  for (const backend of ["10.255.0.3", `${ula}3`]) expect(rules).toContain(backend);
});
