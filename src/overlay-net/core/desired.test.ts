import { expect, test } from "vitest";
import type { DesiredInput } from "./cluster-lookup.js";
import { desiredState } from "./desired.js";
import { gwbridgeSubnet6 } from "./gwbridge6.js";
import type { NetnsState } from "./kernel-model.js";
import { inputOf, type RandomCluster } from "./testing/random-cluster.js";

const CLUSTER: RandomCluster = {
  nodeCount: 2,
  downNodes: [],
  tasks: [
    { node: 0, service: 0, networks: [0, 1], isBackend: true },
    { node: 1, service: 0, networks: [0, 1], isBackend: true },
    // Not on the node's bridge.
    { node: 0, service: 1, networks: [0, 2], isBackend: true },
  ],
};

function netns(input: DesiredInput, name: string): NetnsState {
  const found = desiredState(input).find((state) => state.netns === name);
  if (found === undefined) throw new Error(`no namespace ${name}`);
  return found;
}

const INPUT = inputOf(CLUSTER, 0);

test("a container's interfaces: eth0 on the bridge with the way out, then one per network in order", () => {
  const { links, addresses, routes } = netns(INPUT, "swarm-node0xxx-task0");
  expect(links.map(({ name, mtu, mac }) => `${name} ${mtu} ${mac}`)).toEqual([
    "eth0 1500 02:42:ac:14:00:02",
    "eth1 1450 02:42:0a:64:01:01",
    "eth2 1450 02:42:0a:65:01:01",
  ]);
  expect(addresses.map(({ link, address }) => `${link} ${address}`)).toEqual([
    "eth0 172.20.0.2/20",
    "eth1 10.100.1.1/16",
    "eth1 fd00::1:1/64",
    "eth2 10.101.1.1/16",
    "eth2 fd00:1::1:1/64",
  ]);
  const main = routes.filter(({ table }) => table === 254);
  expect(main.map(({ family, via, link }) => `${family} ${via} ${link}`)).toEqual([
    "4 172.20.0.1 eth0",
    "6 fd00::ffff:ffff:ffff:fffe eth1",
  ]);
});

test("a container that is not on the bridge has no way out: its only default routes carry replies of the mesh", () => {
  const { links, routes, tables } = netns(INPUT, "swarm-node0xxx-task2");
  expect(links.map(({ name }) => name)).toEqual(["eth1", "eth2"]);
  const main = routes.filter(({ table }) => table === 254);
  expect(main.map(({ via, link }) => `${via} ${link}`)).toEqual([
    "10.100.255.254 eth1",
    "fd00::ffff:ffff:ffff:fffe eth1",
  ]);
  const ingress = tables.find(({ name }) => name.endsWith("_ingress"))?.text;
  expect(ingress).toContain('oifname "eth1" ct state new jump refuse');
  expect(ingress).not.toContain("dnat");
});

test("an encrypted network's VXLAN device knows the nodes inside the tunnel alone", () => {
  const networks = INPUT.state.networks.map((network) => ({ ...network, isEncrypted: true }));
  const input = { ...INPUT, state: { ...INPUT.state, networks } };
  for (const id of ["net1", "ingress"]) {
    const { links, fdb } = netns(input, `swarm-node0xxx.net-${id}`);
    expect(links.flatMap(({ vxlan }) => vxlan?.local ?? [])).toEqual(["198.18.0.1"]);
    expect([...new Set(fdb.map(({ dst }) => dst))].sort()).toEqual(["", "198.18.0.2"]);
  }
});

test("an encrypted network beside one in the clear: each has its own way", () => {
  const networks = INPUT.state.networks.map((network) => ({
    ...network,
    isEncrypted: network.id === "net1",
  }));
  const input = { ...INPUT, state: { ...INPUT.state, networks } };
  const guard = netns(input, "").tables.find(({ name }) => name.endsWith("_guard"))?.text;
  expect(guard).toContain("@th,96,24 { 4096, 4098 } jump members");
  expect(guard).toContain('oifname != "swwgnode0xxx" udp dport 4789 @th,96,24 { 4097 } drop');
  const local = (id: string) =>
    netns(input, `swarm-node0xxx.net-${id}`).links.flatMap(({ vxlan }) => vxlan?.local ?? []);
  expect([local("net1"), local("net2")]).toEqual([["198.18.0.1"], ["10.99.0.1"]]);
});

test("ingress knows every other node: its address, MAC and VTEP follow from index and underlay address", () => {
  const { neighbours, fdb } = netns(INPUT, "swarm-node0xxx.net-ingress");
  expect(neighbours).toContainEqual({
    link: "vxnode0xxx35s",
    address: "10.100.255.252",
    mac: "02:42:ff:00:00:02",
  });
  expect(fdb).toContainEqual({ link: "vxnode0xxx35s", mac: "02:42:ff:00:00:02", dst: "10.99.0.2" });
  expect(fdb.some(({ mac }) => mac === "02:42:ff:00:00:01")).toBe(false);
});

test("a container without a resolver gets no redirect", () => {
  const attachments = INPUT.local.attachments.map((one) => ({ ...one, dns: undefined }));
  const local = { ...INPUT.local, attachments };
  const names = (input: DesiredInput) =>
    netns(input, "swarm-node0xxx-task0").tables.map(({ name }) => name);
  expect(names(INPUT)).toContain("swarm_node0xxx_dns");
  expect(names({ ...INPUT, local })).not.toContain("swarm_node0xxx_dns");
});

test("router advertisements stay accepted where IPv6 forwarding is switched on, and before it is", () => {
  const keys = netns(INPUT, "").sysctls.map(({ key, value }) => `${key}=${value}`);
  const acceptRa = keys.indexOf("net/ipv6/conf/eth0/accept_ra=2");
  expect(acceptRa).toBeGreaterThanOrEqual(0);
  expect(keys.indexOf("net/ipv6/conf/all/forwarding=1")).toBeGreaterThan(acceptRa);
});

test("with an IPv6 way out a container leaves through the bridge, and replies of the mesh go back as before", () => {
  const input = inputOf({ ...CLUSTER, leadOut6: true }, 0);
  const container = netns(input, "swarm-node0xxx-task0");
  const subnet = gwbridgeSubnet6(input.names.nodeId);
  const prefix = subnet.replace("/64", "");
  expect(subnet).toMatch(/^fd[\da-f:]+:1::\/64$/);
  const out = { dst: "default", family: 6, link: "eth0", table: 254, via: `${prefix}1` };
  expect(container.addresses).toContainEqual({ link: "eth0", address: `${prefix}2/64` });
  expect(container.routes.filter(({ family, table }) => family === 6 && table === 254)).toEqual([
    out,
  ]);
  expect(container.routes.some(({ link, table }) => link === "eth1" && table === 47_891)).toBe(
    true,
  );
  const ingress = container.tables.find(({ name }) => name.endsWith("_ingress"))?.text;
  expect(ingress).toContain(
    `ip6 saddr != fd00::/64 ct mark and 0xf000 == 0x1000 meta l4proto udp dnat ip6 to ${prefix}2`,
  );
  const host = netns(input, "");
  expect(host.addresses).toContainEqual({ link: input.names.bridge, address: `${prefix}1/64` });
  const egress = host.tables.find(({ name }) => name.endsWith("_egress6"))?.text;
  expect(egress).toContain(`ip6 saddr ${subnet} oifname != "swgwnode0xxx" masquerade`);
  // All its networks are internal: it is not on the bridge.
  const internal = netns(input, "swarm-node0xxx-task2");
  expect(internal.addresses.some(({ link }) => link === "eth0")).toBe(false);
  expect(internal.routes.filter(({ table }) => table === 254).map(({ link }) => link)).toEqual([
    "eth1",
    "eth1",
  ]);
});

test("a port on one node leads to its container over IPv6 too, while there is an IPv6 way out", () => {
  const input = inputOf({ ...CLUSTER, leadOut6: true }, 0);
  const hostPorts = [{ protocol: "tcp" as const, publishedPort: 8080, targetPort: 80 }];
  const [first, ...rest] = input.local.attachments;
  if (first === undefined) throw new Error("no container");
  const local = { ...input.local, attachments: [{ ...first, hostPorts }, ...rest] };
  const egressOf = (one: DesiredInput) =>
    netns(one, "").tables.find(({ name }) => name.endsWith("_egress6"))?.text ?? "";
  const prefix = gwbridgeSubnet6(input.names.nodeId).replace("/64", "");
  expect(egressOf({ ...input, local })).toContain(`meta l4proto tcp dnat ip6 to [${prefix}2]:80`);
  expect(egressOf({ ...input, local: { ...local, hasDefaultRoute6: false } })).toBe("");
});

test("where IPv6 was not forwarded before, it is from and to our own links alone", () => {
  const guard = (local: DesiredInput["local"]) =>
    netns({ ...INPUT, local }, "").tables.find(({ name }) => name.endsWith("_guard"))?.text;
  const rule =
    /meta nfproto ipv6 iifname != \{ "swgwnode0xxx", "swinnode0xxx" \} oifname != .* drop/;
  expect(guard(INPUT.local)).toMatch(rule);
  expect(guard({ ...INPUT.local, wasForwarding6: true })).not.toMatch(rule);
});

test("an interface on a network without IPv6 has none, and others take no router's word", () => {
  const { sysctls } = netns(INPUT, "swarm-node0xxx-task2");
  const of = (link: string) =>
    sysctls
      .filter(({ key }) => key.startsWith(`net/ipv6/conf/${link}/`))
      .map(({ key, value }) => `${key.split("/")[4]}=${value}`);
  expect(of("eth1")).toEqual(["accept_dad=0", "accept_ra=0"]);
  expect(of("eth2")).toEqual(["disable_ipv6=1"]);
  const without = netns(
    { ...INPUT, local: { ...INPUT.local, hasIpv6: false } },
    "swarm-node0xxx-task2",
  );
  expect(without.sysctls.some(({ key }) => key.endsWith("disable_ipv6"))).toBe(false);
});

test("before the managers know the node it has its bridge and its doors closed, and no place on ingress", () => {
  const { links, tables } = netns({ ...INPUT, state: { ...INPUT.state, nodes: [] } }, "");
  expect(links.map(({ name }) => name)).toEqual(["swgwnode0xxx", "swnode0xxx2"]);
  expect(tables.map(({ name }) => name)).toEqual(["swarm_node0xxx_guard", "swarm_node0xxx"]);
});

test("with local backends a service that prefers them leaves the others out", () => {
  const tasks = [0, 1].map((node) => ({ node, service: 1, networks: [0], isBackend: true }));
  const both = { ...CLUSTER, tasks };
  const mesh = (cluster: RandomCluster) =>
    netns(inputOf(cluster, 0), "").tables.find(({ name }) => name.endsWith("_mesh"))?.text;
  expect(mesh(both)).toContain("dnat ip to 10.100.1.1:80");
  expect(mesh({ ...both, tasks: tasks.slice(1) })).toContain("dnat ip to 10.100.1.1:80");
  const remote = {
    ...both,
    tasks: [{ node: 1, service: 1, networks: [0], isBackend: true }, tasks[1]],
  };
  expect(mesh(remote as RandomCluster)).toContain("numgen random mod 2");
});

test("a bridge that is kept elsewhere is in no desired state; its address still decides about replies", () => {
  const local = { ...INPUT.local, keepsGwbridge: false };
  const host = netns({ ...INPUT, local }, "");
  expect(host.links.map(({ name }) => name)).toEqual(["swinnode0xxx"]);
  expect(host.tables.map(({ name }) => name)).toEqual([
    "swarm_node0xxx_guard",
    "swarm_node0xxx_mesh",
  ]);
  expect(host.sysctls.some(({ key }) => key.includes("swgw"))).toBe(false);
  const container = netns({ ...INPUT, local }, "swarm-node0xxx-task0");
  expect(container.links.map(({ name }) => name)).toEqual(["eth1", "eth2"]);
  expect(container.addresses.some(({ link }) => link === "eth0")).toBe(false);
  const ingress = container.tables.find(({ name }) => name.endsWith("_ingress"))?.text;
  expect(ingress).toContain("dnat ip to 172.20.0.2");
});
