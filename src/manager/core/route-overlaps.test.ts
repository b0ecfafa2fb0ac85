import { describe, expect, test } from "vitest";
import type { Network, NodeDescription, NodeState } from "../../api/index.js";
import { bridgeInTheWay, networkProblems, routeWarning } from "./route-overlaps.js";
import { World } from "./testing/world.js";

const META = { versionIndex: 0, clientIndex: 0, createdAtMs: 0, updatedAtMs: 0 };

function network(id: string, subnet: string, isIngress = false): Network {
  const Config = [{ Subnet: subnet }];
  return {
    ...{ ...META, id, predefined: false, vni: 4096, mtu: 1450 },
    spec: {
      ...{ Name: id, Labels: {}, Driver: "overlay", Scope: "swarm", IPAM: { Config } },
      ...(isIngress ? { Ingress: true } : {}),
    },
    subnets: [{ subnet, gateway: "", ipRange: "" }],
  };
}

/** Node a with these routes; `web` is on the network app. */
function world(set: Partial<NodeDescription>, state: NodeState = "ready"): World {
  const made = new World().addNodes("a");
  const old = made.store.node("a")?.description as NodeDescription;
  made.commit([
    { kind: "putNetwork", network: network("ingress", "10.255.0.0/16", true) },
    { kind: "putNetwork", network: network("app", "192.168.7.0/24") },
    { kind: "putNetwork", network: network("idle", "192.168.8.0/24") },
    { kind: "nodeStatus", nodeId: "a", state, description: { ...old, ...set } },
  ]);
  return made;
}

function problemsOf(made: World): readonly string[] {
  const node = made.store.node("a");
  return node === undefined ? [] : networkProblems(made.store)(node);
}

const runOnApp = (made: World): World =>
  made.createService({ template: { Networks: [{ Target: "app" }] } }).settle();

describe("what is wrong with a node's networks", () => {
  test.each([
    { name: "nothing", set: { Routes: ["0.0.0.0/0", "10.99.0.0/24", "172.20.0.0/20"] }, says: [] },
    {
      name: "a route into the ingress network",
      set: { Routes: ["10.255.3.0/24", "10.99.0.0/24"] },
      says: [
        "route 10.255.3.0/24 overlaps network ingress (10.255.0.0/16): containers on the network cannot reach what is behind the route; move one of them",
      ],
    },
    {
      name: "a route into a network that is not used there",
      set: { Routes: ["192.168.0.0/16"] },
      says: [],
    },
    {
      name: "a bridge in a network, used there or not",
      set: { Routes: ["192.168.0.0/20"], Bridge: "192.168.0.0/20" },
      says: ["app (192.168.7.0/24)", "idle (192.168.8.0/24)"].map(
        (which) =>
          `the node's bridge 192.168.0.0/20 overlaps network ${which}: none of its tasks are placed here; start swarmd with another --gwbridge-pool, or give the network another --subnet`,
      ),
    },
    {
      name: "what it says itself",
      set: { NetworkProblems: ["port 80/tcp held by nginx (pid 7)"] },
      says: ["port 80/tcp held by nginx (pid 7)"],
    },
  ])("$name", ({ set, says }) => {
    expect(problemsOf(world(set))).toEqual(says);
  });

  test("a subnet like the host's own LAN works, and says what it costs while tasks use it", () => {
    const made = world({ Routes: ["192.168.7.0/24"] });
    expect(problemsOf(made)).toEqual([]);
    expect(runOnApp(made).placed()).toEqual(["1:a:running"]);
    expect(problemsOf(made)).toEqual([
      "route 192.168.7.0/24 overlaps network app (192.168.7.0/24): containers on the network cannot reach what is behind the route; move one of them",
    ]);
  });

  test("a network made later is looked at too", () => {
    const made = world({ Routes: ["192.168.9.0/24"] });
    expect(problemsOf(made)).toEqual([]);
    made.commit([{ kind: "putNetwork", network: network("late", "192.168.9.0/24") }]);
    made.createService({ template: { Networks: [{ Target: "late" }] } }).settle();
    expect(problemsOf(made)).toHaveLength(1);
    made.commit([{ kind: "delete", table: "network", id: "late" }]);
    expect(problemsOf(made)).toEqual([]);
  });

  test("a bridge that came to lie in a network keeps its tasks away, which say why", () => {
    const made = runOnApp(world({ Bridge: "192.168.0.0/20" }));
    expect(made.tasks()[0]).toMatchObject({
      err: "no suitable node (network overlaps the bridge of 1 node)",
      nodeId: "",
    });
    made.addNodes("b").settle();
    expect(made.placed()).toEqual(["1:b:running"]);
  });
});

test.each([
  { subnet: "172.16.0.0/12", found: { hostname: "host-a", bridge: "172.20.0.0/20" } },
  { subnet: "172.20.3.0/24", found: { hostname: "host-a", bridge: "172.20.0.0/20" } },
  { subnet: "172.24.0.0/16", found: undefined },
  { subnet: "fd00::/64", found: undefined },
])("the bridge in the way of $subnet", ({ subnet, found }) => {
  const made = world({ Hostname: "host-a", Bridge: "172.20.0.0/20" }).addNodes("b");
  expect(bridgeInTheWay(subnet, made.store.nodes())).toEqual(found);
});

test("the maker of a network is told of routes into the subnet that he named, with the nodes", () => {
  const made = world({ Routes: ["10.99.0.0/24", "10.99.0.1/32"], Hostname: "m1" });
  made.commit(
    Array.from({ length: 6 }, (_, i) => ({
      kind: "putNode" as const,
      node: {
        ...(made.store.node("a") as NonNullable<ReturnType<typeof made.store.node>>),
        id: `more${i}`,
        description: {
          ...(made.store.node("a")?.description as NodeDescription),
          Hostname: `w${i}`,
          Routes: ["10.99.0.0/24"],
        },
      },
    })),
  );
  expect(routeWarning(network("lan", "10.99.0.0/24"), made.store.nodes())).toBe(
    "subnet 10.99.0.0/24 overlaps route 10.99.0.0/24 of m1, w0, w1, w2, w3 and 2 more: containers on lan cannot reach what is behind the route; " +
      "subnet 10.99.0.0/24 overlaps route 10.99.0.1/32 of m1: containers on lan cannot reach what is behind the route",
  );
  expect(routeWarning(network("free", "10.98.0.0/24"), made.store.nodes())).toBe("");
});
