import { describe, expect, test } from "vitest";
import type { NetworkSpec } from "../../api/index.js";
import { type Cidr, formatCidr, parseCidr } from "../../base/index.js";
import { nextMtu, nodeAddressCount, type Others, planNetwork, ulaPrefix } from "./network-plan.js";

function cidr(text: string): Cidr {
  const found = parseCidr(text);
  if (!found) throw new Error(text);
  return found;
}

const CLUSTER_ID = "qo8rv4ytnxiwwqfc1qmdtdnxn";
const spec = (set: Partial<NetworkSpec> = {}): NetworkSpec => ({
  Name: "web",
  Labels: {},
  Driver: "overlay",
  Scope: "swarm",
  ...set,
});
const others = (set: Partial<Others> = {}, pools = ["10.0.0.0/8"], subnetSize = 24): Others => ({
  cluster: { id: CLUSTER_ID, defaultAddrPool: pools, subnetSize },
  subnets: [],
  routes: [],
  underlay: { mtus: [], hasIpv6: false },
  isVniFree: () => true,
  lastVni: 4096,
  ...set,
});
const subnets = (set: Partial<NetworkSpec>, from: Others) => {
  const plan = planNetwork(spec(set), from);
  return plan.kind === "planned" ? plan.subnets.map(({ subnet }) => subnet) : plan.reason;
};
const has = (text: string, networkName = "other") => ({ networkName, cidr: cidr(text) });

test("a plain network gets the next VNI, the first /24, its first address and 1450 bytes", () => {
  expect(planNetwork(spec(), others())).toEqual({
    kind: "planned",
    vni: 4097,
    subnets: [{ subnet: "10.0.0.0/24", gateway: "10.0.0.1", ipRange: "" }],
    mtu: 1450,
  });
});

describe("subnets", () => {
  test.each([
    {
      name: "clear of other networks",
      from: others({ subnets: [has("10.0.0.0/23")] }),
      got: ["10.0.2.0/24"],
    },
    {
      name: "clear of the nodes' routes",
      from: others({ routes: [cidr("10.0.0.0/16")] }),
      got: ["10.1.0.0/24"],
    },
    {
      name: "from the next pool",
      from: others({ subnets: [has("172.20.0.0/24")] }, ["172.20.0.0/24", "172.21.0.0/16"]),
      got: ["172.21.0.0/24"],
    },
    {
      name: "as given, though nodes have a route there",
      set: { IPAM: { Config: [{ Subnet: "10.9.0.7/24", Gateway: "10.9.0.9" }] } },
      from: others({ routes: [cidr("10.0.0.0/8")] }),
      got: ["10.9.0.0/24"],
    },
    {
      name: "ingress at the end of the pool",
      set: { Ingress: true },
      from: others({ routes: [cidr("10.255.0.0/24")] }),
      got: ["10.254.0.0/16"],
    },
    {
      name: "ingress as a sixteenth of a small pool",
      set: { Ingress: true },
      from: others({}, ["192.168.0.0/16"]),
      got: ["192.168.240.0/20"],
    },
    {
      name: "ingress as all of a pool of one subnet",
      set: { Ingress: true },
      from: others({}, ["192.168.7.0/24"]),
      got: ["192.168.7.0/24"],
    },
  ] as { name: string; set?: Partial<NetworkSpec>; from: Others; got: string[] }[])(
    "$name",
    ({ set = {}, from, got }) => {
      expect(subnets(set, from)).toEqual(got);
    },
  );

  test("both families, IPv4 first, whatever the order given", () => {
    const ula = ulaPrefix(CLUSTER_ID);
    expect(formatCidr(ula)).toMatch(/^fd[0-9a-f:]+::\/48$/);
    const [v4, v6] = subnets({ EnableIPv6: true }, others());
    expect(v4).toBe("10.0.0.0/24");
    expect(v6).toBe(formatCidr({ ...ula, length: 64 }));
    const given = { EnableIPv6: true, IPAM: { Config: [{ Subnet: "fd00:9::/64" }] } };
    expect(subnets(given, others())).toEqual(["10.0.0.0/24", "fd00:9::/64"]);
    expect(subnets({ EnableIPv6: true, Ingress: true }, others())).not.toContain(v6);
  });

  test.each([
    {
      name: "overlaps",
      set: { IPAM: { Config: [{ Subnet: "10.0.5.0/24" }] } },
      from: others({ subnets: [has("10.0.0.0/16", "db")] }),
      reason: "subnet 10.0.5.0/24 overlaps 10.0.0.0/16 of network db",
    },
    {
      name: "no pool has room",
      set: {},
      from: others({ subnets: [has("192.168.0.0/24")] }, ["192.168.0.0/24"]),
      reason:
        "no free subnet for network web in the default address pools 192.168.0.0/24; name one with --subnet",
    },
    {
      name: "the VNI is taken",
      set: { Options: { "com.docker.network.driver.overlay.vxlanid_list": "5000" } },
      from: others({ isVniFree: () => false }),
      reason: "VXLAN id 5000 is in use by another network",
    },
  ])("$name: says so", ({ set, from, reason }) => {
    expect(planNetwork(spec(set), from)).toEqual({ kind: "impossible", reason });
  });
});

test("an encrypted network's packets leave room for WireGuard's", () => {
  const encrypted = { encrypted: "" };
  expect(planNetwork(spec({ Options: encrypted }), others())).toMatchObject({ mtu: 1370 });
  const jumbo = { Options: { ...encrypted, "com.docker.network.driver.mtu": "9000" } };
  expect(planNetwork(spec(jumbo), others())).toMatchObject({ mtu: 8870 });
});

test("the MTU option is the underlay's", () => {
  const options = { Options: { "com.docker.network.driver.mtu": "9000" } };
  expect(planNetwork(spec(options), others())).toMatchObject({ mtu: 8950 });
});

test.each([
  { name: "the smallest underlay", mtus: [1500, 1450, 9000], set: {}, mtu: 1400 },
  { name: "1500, where underlays carry more", mtus: [9000, 9000], set: {}, mtu: 1450 },
  {
    name: "an option below what all can carry",
    mtus: [9000, 9000],
    set: { Options: { "com.docker.network.driver.mtu": "8000" } },
    mtu: 7950,
  },
  {
    name: "the smallest underlay rather than an option that it cannot carry",
    mtus: [9000, 1500],
    set: { Options: { "com.docker.network.driver.mtu": "9000" } },
    mtu: 1450,
  },
])("a network's MTU follows $name", ({ mtus, set, mtu }) => {
  const from = others({ underlay: { mtus, hasIpv6: false } });
  expect(planNetwork(spec(set), from)).toMatchObject({ kind: "planned", mtu });
});

test.each([
  { name: "in the clear over IPv6", set: {}, hasIpv6: true, mtu: 1430 },
  { name: "encrypted over IPv6", set: { Options: { encrypted: "" } }, hasIpv6: true, mtu: 1370 },
  { name: "in the clear over IPv4", set: {}, hasIpv6: false, mtu: 1450 },
])("a network $name has an MTU of $mtu", ({ set, hasIpv6, mtu }) => {
  const from = others({ underlay: { mtus: [1500], hasIpv6 } });
  expect(planNetwork(spec(set), from)).toMatchObject({ kind: "planned", mtu });
});

test.each([
  {
    name: "falls with the smallest underlay",
    now: 1450,
    mtus: [1500, 1400],
    isInUse: true,
    mtu: 1350,
  },
  {
    name: "stays where nothing is smaller",
    now: 1450,
    mtus: [1500, 9000],
    isInUse: true,
    mtu: 1450,
  },
  { name: "does not rise while it is used", now: 1350, mtus: [1500], isInUse: true, mtu: 1350 },
  { name: "rises while nobody is on it", now: 1350, mtus: [1500], isInUse: false, mtu: 1450 },
  {
    name: "never falls below what its protocol needs",
    now: 1450,
    mtus: [100],
    isInUse: true,
    mtu: 68,
  },
])("a network's MTU $name", ({ now, mtus, isInUse, mtu }) => {
  const network = { spec: spec(), mtu: now };
  expect(nextMtu(network, { mtus, hasIpv6: false }, () => isInUse)).toBe(mtu);
});

test("an underlay that cannot carry a network's protocol is the reason that there is none", () => {
  const from = others({ underlay: { mtus: [1500, 1300], hasIpv6: false } });
  expect(planNetwork(spec({ EnableIPv6: true }), from)).toEqual({
    kind: "impossible",
    reason:
      "a node's underlay carries 1300 bytes, the network needs 1330: raise the MTU of its link",
  });
  expect(planNetwork(spec(), from)).toMatchObject({ mtu: 1250 });
});

test.each([
  { subnet: "10.255.0.0/16", count: 4096 },
  { subnet: "10.255.0.0/20", count: 2048 },
  { subnet: "10.255.0.0/24", count: 128 },
  { subnet: "fd00::/64", count: 4096 },
])("ingress $subnet keeps $count addresses for nodes, others none", ({ subnet, count }) => {
  expect(nodeAddressCount(spec({ Ingress: true }), cidr(subnet))).toBe(count);
  expect(nodeAddressCount(spec(), cidr(subnet))).toBe(0);
});
