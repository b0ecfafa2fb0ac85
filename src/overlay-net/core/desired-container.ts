import { endpointMac } from "./address-text.js";
import { addressesOf, type ClusterLookup, type DesiredInput } from "./cluster-lookup.js";
import { gwbridgeGateway } from "./desired-host.js";
import { addressWithLength, emptyNetns, plainLink } from "./desired-parts.js";
import { gwbridgeAddress6 } from "./gwbridge6.js";
import {
  MESH_GATEWAY_MAC,
  MESH_MARK,
  MESH_MARK_MASK,
  meshGateway,
  TASK_MESH_TABLE,
} from "./ingress-identity.js";
import { macOf, parseIpv4 } from "./ipv4.js";
import type { Neighbour, NetnsState, NftTable, Route, Rule, Sysctl } from "./kernel-model.js";
import { type LocalAttachment, type LocalFacts, ownEndpoints } from "./local-facts.js";
import { endpointAlias, type NodeNames, vethAlias } from "./names.js";
import type { EndpointEntry, NetworkEntry } from "./network-state.js";
import { dnsRedirectTable } from "./rulesets/dns-redirect.js";
import { serviceVipTable, VIP_SUFFIX } from "./rulesets/service-vips.js";
import { returnPathTable, taskIngressTable } from "./rulesets/task-ingress.js";

export const MAIN_TABLE = 254;
const MESH_RULE_PRIORITY = 1000;
/** eth0 leads out, through the node's bridge. */
const GWBRIDGE_LINK = "eth0";

/** One of a container's interfaces on an overlay network. */
type Interface = {
  readonly link: string;
  readonly network: NetworkEntry;
  readonly endpoint: EndpointEntry;
};

/** VIP tables by the networks they are for: containers on the same networks have the same one. */
export type VipTables = Map<string, NftTable>;

/** A container's state, and the objects it was made of but for its VIP table. */
export type RememberedContainer = {
  readonly madeOf: readonly unknown[];
  readonly state: NetnsState;
};

/** A container's own namespace: its interfaces, where its packets go, and its tables. */
export function desiredContainer(
  input: DesiredInput,
  lookup: ClusterLookup,
  attachment: LocalAttachment,
  vipTables: VipTables,
  last: RememberedContainer | undefined,
): RememberedContainer {
  const interfaces = interfacesOf(lookup, attachment);
  const overlays = interfaces.filter(({ network }) => !network.isIngress);
  const ingress = interfaces.find(({ network }) => network.isIngress);
  const { gwbridgeSubnet, gwbridgeMtu, hasIpv6, hasDefaultRoute6 } = input.local;
  const madeOf = [
    ...[attachment, gwbridgeSubnet, gwbridgeMtu, hasIpv6, hasDefaultRoute6, lookup.state.nodes],
    ...(ingress === undefined ? [] : [ingressService(lookup, ingress)]),
    ...interfaces.flatMap(({ network, endpoint }) => [network, endpoint]),
  ];
  const isSame =
    last?.madeOf.length === madeOf.length && last.madeOf.every((part, i) => part === madeOf[i]);
  const own = isSame ? last.state : ownState(input, lookup, attachment, interfaces);
  const others = own.tables.filter(({ name }) => !name.endsWith(VIP_SUFFIX));
  const vip = overlays.length === 0 ? [] : [vipTable(input, lookup, overlays, vipTables)];
  return { madeOf, state: { ...own, tables: [...others, ...vip] } };
}

/** All but the VIP table, which changes with every backend of any service. */
function ownState(
  input: DesiredInput,
  lookup: ClusterLookup,
  attachment: LocalAttachment,
  interfaces: readonly Interface[],
): NetnsState {
  const { names } = input;
  const ingress = interfaces.find(({ network }) => network.isIngress);
  const gwbridge = gwbridgePart(input, attachment);
  const out6 = egressPart6(input, attachment);
  const mesh = ingress === undefined ? NO_MESH : meshPart(input, lookup, attachment, ingress);
  const dns = attachment.dns === undefined ? [] : [dnsRedirectTable(names, attachment.dns)];
  return {
    ...emptyNetns(attachment.netns),
    links: [
      ...gwbridge.links,
      ...interfaces.map(({ link, network, endpoint }) =>
        plainLink({
          name: link,
          kind: "veth",
          alias: endpointAlias(names, network.id, endpoint.taskId, link),
          mtu: network.mtu,
          mac: endpointMac(endpoint.address, endpoint.address6),
        }),
      ),
    ],
    addresses: [
      ...gwbridge.addresses,
      ...out6.addresses,
      ...interfaces.flatMap(addressesOfInterface),
    ],
    routes: [...gwbridge.routes, ...out6.routes, ...mesh.routes],
    rules: mesh.rules,
    neighbours: mesh.neighbours,
    tables: [...dns, ...mesh.tables],
    sysctls: [
      ...out6.sysctls,
      ...interfaces.flatMap(({ link, network }) =>
        network.subnet6 === "" ? ipv6Off(input.local, link) : ipv6Settings(link),
      ),
      ...mesh.sysctls,
    ],
  };
}

function interfacesOf(lookup: ClusterLookup, attachment: LocalAttachment): readonly Interface[] {
  return ownEndpoints(attachment).flatMap(({ networkId, taskId, link }) => {
    const network = lookup.network(networkId);
    const endpoint = lookup.endpoint(networkId, taskId);
    return network === undefined || endpoint === undefined ? [] : [{ link, network, endpoint }];
  });
}

function addressesOfInterface({ link, network, endpoint }: Interface) {
  return [
    { address: endpoint.address, subnet: network.subnet },
    { address: endpoint.address6, subnet: network.subnet6 },
  ]
    .filter(({ address }) => address !== "")
    .map(({ address, subnet }) => ({ link, address: addressWithLength(address, subnet) }));
}

function gwbridgePart({ names, local }: DesiredInput, attachment: LocalAttachment) {
  const isElsewhere = attachment.gwbridgeAddress === "" || !local.keepsGwbridge;
  if (isElsewhere) return { links: [], addresses: [], routes: [] };
  return {
    links: [
      plainLink({
        name: GWBRIDGE_LINK,
        kind: "veth",
        alias: vethAlias(names, attachment.containerId),
        mtu: local.gwbridgeMtu,
        mac: macOf(parseIpv4(attachment.gwbridgeAddress)),
      }),
    ],
    addresses: [
      {
        link: GWBRIDGE_LINK,
        address: addressWithLength(attachment.gwbridgeAddress, local.gwbridgeSubnet),
      },
    ],
    routes: [defaultRoute(4, gwbridgeGateway(local.gwbridgeSubnet), GWBRIDGE_LINK, MAIN_TABLE)],
  };
}

type EgressPart6 = Pick<NetnsState, "addresses" | "routes" | "sysctls">;
const NO_EGRESS_6: EgressPart6 = { addresses: [], routes: [], sysctls: [] };

/** Beside whatever its IPv4 side is, whoever keeps that: the counterpart of its address on the bridge, and the way out. */
function egressPart6(
  { names, local }: DesiredInput,
  { gwbridgeAddress }: LocalAttachment,
): EgressPart6 {
  if (!local.hasDefaultRoute6 || gwbridgeAddress === "") return NO_EGRESS_6;
  const { gwbridgeSubnet } = local;
  const at = (address: string) => gwbridgeAddress6(names.nodeId, gwbridgeSubnet, address);
  const [gateway = ""] = at(gwbridgeGateway(gwbridgeSubnet)).split("/");
  return {
    addresses: [{ link: GWBRIDGE_LINK, address: at(gwbridgeAddress) }],
    routes: [defaultRoute(6, gateway, GWBRIDGE_LINK, MAIN_TABLE)],
    sysctls: ipv6Settings(GWBRIDGE_LINK),
  };
}

/** Addresses are unique by allocation and usable at once, and routes come from nobody else on the link. */
function ipv6Settings(link: string): readonly Sysctl[] {
  return ["accept_dad", "accept_ra"].map((name) => ({
    key: `net/ipv6/conf/${link}/${name}`,
    value: "0",
  }));
}

/** Where the network has none, others on it are not reached by link-local addresses either. */
function ipv6Off({ hasIpv6 }: LocalFacts, link: string): readonly Sysctl[] {
  return hasIpv6 ? [{ key: `net/ipv6/conf/${link}/disable_ipv6`, value: "1" }] : [];
}

/** Services of a task's own networks; ingress has virtual addresses for nobody. */
function vipTable(
  { names }: DesiredInput,
  lookup: ClusterLookup,
  overlays: readonly Interface[],
  known: VipTables,
): NftTable {
  const ids = overlays.map(({ network }) => network.id).sort();
  const key = ids.join(" ");
  const found = known.get(key);
  if (found !== undefined) return found;
  const services = ids
    .flatMap((id) => lookup.servicesOn(id))
    .filter(({ mode }) => mode === "vip")
    .map(({ networkId, serviceId, vip, vip6 }) => {
      const backends = lookup.backends(networkId, serviceId);
      return {
        vip,
        vip6,
        backends: addressesOf(backends, "address"),
        backends6: addressesOf(backends, "address6"),
      };
    });
  const table = serviceVipTable(names, services);
  known.set(key, table);
  return table;
}

type MeshPart = Pick<NetnsState, "routes" | "rules" | "neighbours" | "tables" | "sysctls">;
const NO_MESH: MeshPart = { routes: [], rules: [], neighbours: [], tables: [], sysctls: [] };

/**
 * Replies go back through the node they came from. Where nothing else leads out, the default route goes there too: a socket needs some
 * route to the client before the mark applies; what is not a reply is refused.
 */
function meshPart(
  { names, local }: DesiredInput,
  lookup: ClusterLookup,
  attachment: LocalAttachment,
  at: Interface,
): MeshPart {
  const { link, network, endpoint } = at;
  const families = [
    { family: 4 as const, subnet: endpoint.address === "" ? "" : network.subnet },
    { family: 6 as const, subnet: endpoint.address6 === "" ? "" : network.subnet6 },
  ].filter(({ subnet }) => subnet !== "");
  const routes: Route[] = [];
  const rules: Rule[] = [];
  const neighbours: Neighbour[] = [];
  for (const { family, subnet } of families) {
    const via = meshGateway(subnet);
    const leadsOut = family === 4 || local.hasDefaultRoute6;
    const isOnlyWay = !leadsOut || attachment.gwbridgeAddress === "";
    routes.push(defaultRoute(family, via, link, TASK_MESH_TABLE));
    if (isOnlyWay) routes.push(defaultRoute(family, via, link, MAIN_TABLE));
    rules.push({
      family,
      priority: MESH_RULE_PRIORITY,
      fwmark: MESH_MARK,
      mask: MESH_MARK_MASK,
      table: TASK_MESH_TABLE,
    });
    neighbours.push({ link, address: via, mac: MESH_GATEWAY_MAC });
  }
  const nodeIndexes = lookup.state.nodes.map(({ index }) => index);
  const task = {
    link,
    ways: [
      { subnet: network.subnet, address: attachment.gwbridgeAddress },
      { subnet: network.subnet6, address: egressAddress6(names, local, attachment) },
    ],
    nodeIndexes,
    ports: ingressService(lookup, at)?.ports ?? [],
    address6: endpoint.address6,
    proxies: endpoint.address6 === "" ? [] : attachment.proxies,
  };
  return {
    routes,
    rules,
    neighbours,
    tables: [taskIngressTable(names, task), returnPathTable(names, task)],
    // Replies leave by another interface than the route to the client says; strict filters would drop the requests.
    sysctls: ["all", link].map((name) => ({ key: `net/ipv4/conf/${name}/rp_filter`, value: "0" })),
  };
}

/** "" without an IPv6 way out. */
function egressAddress6(
  { nodeId }: NodeNames,
  { hasDefaultRoute6, gwbridgeSubnet }: LocalFacts,
  { gwbridgeAddress }: LocalAttachment,
): string {
  if (!hasDefaultRoute6 || gwbridgeAddress === "") return "";
  return gwbridgeAddress6(nodeId, gwbridgeSubnet, gwbridgeAddress).split("/")[0] ?? "";
}

function ingressService(lookup: ClusterLookup, { network, endpoint }: Interface) {
  return lookup.service(network.id, endpoint.serviceId);
}

function defaultRoute(family: 4 | 6, via: string, link: string, table: number): Route {
  return { dst: "default", family, via, link, table };
}
