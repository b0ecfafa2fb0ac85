import { addressesOf, type ClusterLookup, type DesiredInput } from "./cluster-lookup.js";
import { addressWithLength, emptyNetns, plainLink } from "./desired-parts.js";
import { gwbridgeAddress6, gwbridgeSubnet6 } from "./gwbridge6.js";
import { HOST_MESH_TABLE, nodeIngressAddress, nodeIngressMac } from "./ingress-identity.js";
import { formatIpv4, macOf, parseIpv4, parsePrefix } from "./ipv4.js";
import type { Link, LinkAddress, NetnsState, NftTable, Sysctl } from "./kernel-model.js";
import type { LocalFacts } from "./local-facts.js";
import {
  ingressLink,
  type NodeNames,
  networkAlias,
  tunnelLink,
  vethAlias,
  vethName,
} from "./names.js";
import type { EndpointEntry, NetworkEntry, NodeEntry, ServiceEntry } from "./network-state.js";
import type { HostPortRule } from "./node-ruleset.js";
import { egressTable6 } from "./rulesets/egress6.js";
import { guardTable } from "./rulesets/guard.js";
import { gwbridgeTable } from "./rulesets/gwbridge.js";
import { HOST_MESH_MARK, type MeshPort, meshTable } from "./rulesets/mesh.js";

const HOST_MESH_PRIORITY = 4_789;

/** The host's place on ingress; undefined while there is no ingress network or the managers do not know this node yet. */
type OnIngress = {
  readonly network: NetworkEntry;
  readonly self: NodeEntry;
  readonly link: string;
};

/** What swarmd adds to the namespace it was started in. Nothing else there is its business. */
export function desiredHost(input: DesiredInput, lookup: ClusterLookup): NetnsState {
  const { names } = input;
  const { ingress: network, self } = lookup;
  const on =
    network === undefined || self === undefined
      ? undefined
      : { network, self, link: ingressLink(names) };
  return {
    ...emptyNetns(""),
    links: [...gwbridgeLinks(input), ...(on === undefined ? [] : [ingressEnd(input, on)])],
    addresses: [...gwbridgeAddresses(input), ...(on === undefined ? [] : ingressAddresses(on))],
    ...(on === undefined ? {} : markedRoutes(on)),
    tables: hostTables(input, lookup, on),
    sysctls: hostSysctls(input, on),
  };
}

/** The bridge's own address: the first of its subnet. */
export function gwbridgeGateway(subnet: string): string {
  return formatIpv4(parsePrefix(subnet).base + 1);
}

function gwbridgeAddresses({ names, local }: DesiredInput): readonly LinkAddress[] {
  const { keepsGwbridge, gwbridgeSubnet, hasDefaultRoute6 } = local;
  const gateway = gwbridgeGateway(gwbridgeSubnet);
  const addresses = [
    ...(keepsGwbridge ? [addressWithLength(gateway, gwbridgeSubnet)] : []),
    ...(hasDefaultRoute6 ? [gwbridgeAddress6(names.nodeId, gwbridgeSubnet, gateway)] : []),
  ];
  return addresses.map((address) => ({ link: names.bridge, address }));
}

function gwbridgeLinks({ names, local }: DesiredInput): readonly Link[] {
  if (!local.keepsGwbridge) return [];
  const base = parsePrefix(local.gwbridgeSubnet).base;
  const mtu = local.gwbridgeMtu;
  const bridge = plainLink({ name: names.bridge, kind: "bridge", alias: names.bridgeAlias, mtu });
  const ports = local.attachments
    .filter(({ gwbridgeAddress }) => gwbridgeAddress !== "")
    .map(({ containerId, gwbridgeAddress, netns }) => {
      const address = parseIpv4(gwbridgeAddress);
      const common = { kind: "veth", alias: vethAlias(names, containerId), mtu } as const;
      const name = vethName(names, address - base);
      return {
        ...plainLink({ ...common, name, master: names.bridge }),
        isIsolated: true,
        peer: { netns, link: plainLink({ ...common, name: "eth0", mac: macOf(address) }) },
      };
    });
  return [bridge, ...ports];
}

/** Made by the sandbox's plan; its other end is there. */
function ingressEnd({ names }: DesiredInput, { network, self, link }: OnIngress): Link {
  return plainLink({
    name: link,
    kind: "veth",
    alias: networkAlias(names, network.id),
    mtu: network.mtu,
    mac: nodeIngressMac(self.index),
  });
}

/** Of full length: an address of ours with the subnet's length would put a route to ingress into the main table. */
function ingressAddresses({ network, self, link }: OnIngress) {
  return [
    { subnet: network.subnet, length: 32 },
    { subnet: network.subnet6, length: 128 },
  ]
    .filter(({ subnet }) => subnet !== "")
    .map(({ subnet, length }) => ({
      link,
      address: `${nodeIngressAddress(subnet, self.index)}/${length}`,
    }));
}

function markedRoutes({ network, link }: OnIngress): Pick<NetnsState, "routes" | "rules"> {
  const families = [
    { family: 4 as const, subnet: network.subnet },
    { family: 6 as const, subnet: network.subnet6 },
  ].filter(({ subnet }) => subnet !== "");
  return {
    routes: families.map(({ family, subnet }) => ({
      dst: subnet,
      family,
      via: "",
      link,
      table: HOST_MESH_TABLE,
    })),
    rules: families.map(({ family }) => ({
      family,
      priority: HOST_MESH_PRIORITY,
      fwmark: HOST_MESH_MARK,
      mask: HOST_MESH_MARK,
      table: HOST_MESH_TABLE,
    })),
  };
}

function hostTables(
  { state, names, local }: DesiredInput,
  lookup: ClusterLookup,
  on: OnIngress | undefined,
): readonly NftTable[] {
  const hostPorts = local.attachments.flatMap(({ gwbridgeAddress: address, hostPorts: ports }) =>
    address === "" ? [] : ports.map((port) => ({ ...port, address })),
  );
  const guard = guardTable(names, {
    ingressLink: on?.link ?? "",
    bridge: names.bridge,
    dataPathPort: state.dataPathPort,
    vnis: vnisOf(state.networks, false),
    encryptedVnis: vnisOf(state.networks, true),
    tunnelLink: tunnelLink(names),
    members: state.nodes.map(({ dataPathAddr }) => dataPathAddr).filter((addr) => addr !== ""),
    separateLinks: local.wasForwarding ? [] : local.uplinks.map(({ name }) => name),
    closesForwarding6: !local.wasForwarding6,
    bridgeSubnet6: gwbridgeSubnet6(names.nodeId),
  });
  const bridge = local.keepsGwbridge ? [gwbridgeTable(names, local.gwbridgeSubnet, hostPorts)] : [];
  const tables = [guard, ...bridge, ...egressTables(names, local, hostPorts)];
  if (on === undefined) return tables;
  const { network, self, link } = on;
  const mesh = meshTable(names, {
    link,
    mtu: network.mtu,
    address: network.subnet === "" ? "" : nodeIngressAddress(network.subnet, self.index),
    gwbridgeSubnet: local.gwbridgeSubnet,
    ports: meshPorts(lookup, network, local.heldPorts),
  });
  return [...tables, mesh];
}

function egressTables(
  names: NodeNames,
  { hasDefaultRoute6, gwbridgeSubnet }: LocalFacts,
  hostPorts: readonly HostPortRule[],
): readonly NftTable[] {
  if (!hasDefaultRoute6) return [];
  const ports = hostPorts.map((port) => {
    const [address = ""] = gwbridgeAddress6(names.nodeId, gwbridgeSubnet, port.address).split("/");
    return { ...port, address };
  });
  return [egressTable6(names, { subnet: gwbridgeSubnet6(names.nodeId), ports })];
}

function vnisOf(networks: readonly NetworkEntry[], isEncrypted: boolean): readonly number[] {
  return networks
    .filter((network) => network.vni > 0 && network.isEncrypted === isEncrypted)
    .map(({ vni }) => vni);
}

function meshPorts(
  lookup: ClusterLookup,
  network: NetworkEntry,
  heldPorts: readonly { readonly protocol: string; readonly publishedPort: number }[],
): readonly MeshPort[] {
  const held = new Set(heldPorts.map((port) => `${port.protocol} ${port.publishedPort}`));
  return lookup.servicesOn(network.id).flatMap((service) => {
    const backends = meshBackends(lookup, service);
    return service.ports
      .filter((port) => held.has(`${port.protocol} ${port.publishedPort}`))
      .map(({ protocol, publishedPort, targetPort }) => ({
        protocol,
        publishedPort,
        targetPort,
        backends: addressesOf(backends, "address"),
        backends6: addressesOf(backends, "address6"),
      }));
  });
}

/** Where this node sends what comes to a published port. */
export function meshBackends(
  lookup: ClusterLookup,
  { networkId, serviceId, prefersLocal }: ServiceEntry,
): readonly EndpointEntry[] {
  const all = lookup.backends(networkId, serviceId);
  const here = prefersLocal ? all.filter(({ nodeId }) => nodeId === lookup.state.nodeId) : [];
  return here.length > 0 ? here : all;
}

/** Forwarding is switched on link by link; the order is that in which they must be set. */
function hostSysctls({ names, local }: DesiredInput, on: OnIngress | undefined): readonly Sysctl[] {
  const bridges = local.keepsGwbridge ? [names.bridge] : [];
  const forwarding = [
    ...bridges,
    ...(on === undefined ? [] : [on.link]),
    ...local.uplinks.map(({ name }) => name),
  ].map((link) => v4(link, "forwarding", 1));
  // Lets 127.0.0.1:<published port> on this host be translated to a container.
  const loopback = bridges.map((bridge) => v4(bridge, "route_localnet", 1));
  const ipv6 = ipv6Sysctls(names, local, on);
  if (on === undefined) return [...loopback, ...forwarding, ...ipv6];
  const ingress = [
    v4(on.link, "route_localnet", 1),
    v4(on.link, "rp_filter", 2),
    v4(on.link, "src_valid_mark", 1),
  ];
  return [...loopback, ...ingress, ...forwarding, ...ipv6];
}

/** IPv6 forwards for all links or none, and a router ignores router advertisements unless told otherwise. */
function ipv6Sysctls(
  names: NodeNames,
  { uplinks, hasDefaultRoute6 }: LocalFacts,
  on: OnIngress | undefined,
): readonly Sysctl[] {
  const ours = [
    ...(hasDefaultRoute6 ? [names.bridge] : []),
    ...(on === undefined || on.network.subnet6 === "" ? [] : [on.link]),
  ];
  if (ours.length === 0) return [];
  return [
    ...uplinks.filter(({ acceptRa }) => acceptRa === 1).map(({ name }) => v6(name, "accept_ra", 2)),
    ...ours.map((link) => v6(link, "accept_dad", 0)),
    v6("all", "forwarding", 1),
  ];
}

function v4(link: string, name: string, value: number): Sysctl {
  return { key: `net/ipv4/conf/${link}/${name}`, value: `${value}` };
}

function v6(link: string, name: string, value: number): Sysctl {
  return { key: `net/ipv6/conf/${link}/${name}`, value: `${value}` };
}
