import { endpointMac, endpointNumber } from "./address-text.js";
import type { ClusterLookup, DesiredInput } from "./cluster-lookup.js";
import { isSameFamily } from "./data-path-family.js";
import { emptyNetns, plainLink } from "./desired-parts.js";
import { nodeIngressAddress, nodeIngressMac } from "./ingress-identity.js";
import type { FdbEntry, Link, Neighbour, NetnsState } from "./kernel-model.js";
import { type LocalAttachment, ownEndpoints } from "./local-facts.js";
import { endpointAlias, ingressLink, networkAlias, sandboxNetns, vxlanName } from "./names.js";
import type { EndpointEntry, NetworkEntry, NodeEntry } from "./network-state.js";
import { tunnelAddress } from "./wireguard/tunnel-address.js";

/** The bridge of a sandbox; everything in a sandbox is ours. */
export const SANDBOX_BRIDGE = "br0";
/** The sandbox's end of the host's link on the ingress network. */
const HOST_PORT = "host";

/**
 * One overlay network on this node: a bridge with a VXLAN device and the local endpoints. Where frames go is computed, nothing is learned;
 * the VXLAN device answers ARP and ND for the others. An encrypted network's device knows the nodes' addresses inside WireGuard alone: what
 * it sends has nowhere else to go.
 */
export function desiredSandbox(
  { state, names, local }: DesiredInput,
  lookup: ClusterLookup,
  network: NetworkEntry,
  memo: RemoteMemo,
): NetnsState {
  const vxlan = vxlanLink({ state, names, local }, lookup, network);
  const remote =
    vxlan === undefined ? NO_REMOTE : rememberedEntries(lookup, network, vxlan.name, memo);
  const alias = networkAlias(names, network.id);
  const ports = local.attachments.flatMap((attachment) => {
    const port = endpointPort({ state, names, local }, lookup, network, attachment);
    return port === undefined ? [] : [port];
  });
  const hostPort = network.isIngress ? ingressPort({ state, names, local }, lookup, network) : [];
  return {
    ...emptyNetns(sandboxNetns(names, network.id)),
    links: [
      plainLink({ name: SANDBOX_BRIDGE, kind: "bridge", alias, mtu: network.mtu }),
      ...(vxlan === undefined ? [] : [vxlan]),
      ...hostPort,
      ...ports,
    ],
    ...remote,
    sysctls: local.hasBridgeNetfilter
      ? ["iptables", "ip6tables", "arptables"].map((tool) => ({
          key: `net/bridge/bridge-nf-call-${tool}`,
          value: "0",
        }))
      : [],
  };
}

/** Where a node's packets of this network go to and come from; "" while that is not known. */
function vtepOf({ isEncrypted }: NetworkEntry, node: NodeEntry | undefined): string {
  if (node === undefined) return "";
  return isEncrypted ? tunnelAddress(node.index) : node.dataPathAddr;
}

/** undefined while this node's own address is not known. */
function vxlanLink(
  { state, names }: DesiredInput,
  lookup: ClusterLookup,
  network: NetworkEntry,
): Link | undefined {
  const local = vtepOf(network, lookup.self);
  if (local === "") return undefined;
  return {
    ...plainLink({
      name: vxlanName(names, network.vni),
      kind: "vxlan",
      alias: networkAlias(names, network.id),
      mtu: network.mtu,
      master: SANDBOX_BRIDGE,
    }),
    isLearning: false,
    vxlan: { vni: network.vni, port: state.dataPathPort, local },
  };
}

function endpointPort(
  { names, local }: DesiredInput,
  lookup: ClusterLookup,
  network: NetworkEntry,
  attachment: LocalAttachment,
): Link | undefined {
  const own = ownEndpoints(attachment).find(({ networkId }) => networkId === network.id);
  const endpoint = own === undefined ? undefined : lookup.endpoint(network.id, own.taskId);
  if (own === undefined || endpoint === undefined) return undefined;
  const alias = endpointAlias(names, network.id, own.taskId, own.link);
  const { address, address6 } = endpoint;
  return {
    ...plainLink({
      name: `v${endpointNumber(address, address6).toString(36)}`,
      kind: "veth",
      alias,
      mtu: network.mtu,
      master: SANDBOX_BRIDGE,
    }),
    peer: {
      netns: attachment.netns,
      link: plainLink({
        name: own.link,
        kind: "veth",
        alias,
        mtu: network.mtu,
        mac: endpointMac(address, address6),
      }),
    },
  };
}

/** Joins the host to ingress. */
function ingressPort(
  { names }: DesiredInput,
  lookup: ClusterLookup,
  network: NetworkEntry,
): readonly Link[] {
  const self = lookup.self;
  if (self === undefined) return [];
  const alias = networkAlias(names, network.id);
  const common = { kind: "veth", alias, mtu: network.mtu } as const;
  return [
    {
      ...plainLink({ ...common, name: HOST_PORT, master: SANDBOX_BRIDGE }),
      peer: {
        netns: "",
        link: plainLink({ ...common, name: ingressLink(names), mac: nodeIngressMac(self.index) }),
      },
    },
  ];
}

/** Entries by network, and the objects they were made of: while these say the same, the lists are the same. */
export type RemoteMemo = Map<string, RememberedRemote>;

type RememberedRemote = {
  readonly network: NetworkEntry;
  readonly nodes: readonly NodeEntry[];
  readonly endpoints: readonly EndpointEntry[];
  readonly link: string;
  readonly remote: Remote;
  readonly known: KnownEntries;
};

function rememberedEntries(
  lookup: ClusterLookup,
  network: NetworkEntry,
  link: string,
  memo: RemoteMemo,
): Remote {
  const before = memo.get(network.id);
  const { nodes } = lookup.state;
  const endpoints = lookup.endpointsOn(network.id);
  const isSame =
    before?.network === network &&
    before.link === link &&
    isSameList(before.nodes, nodes, isSameNode) &&
    isSameList(before.endpoints, endpoints, isSamePlace);
  const { remote, known } = isSame ? before : remoteEntries(lookup, network, link, before?.known);
  memo.set(network.id, { network, nodes, endpoints, link, remote, known });
  return remote;
}

function isSameList<T>(
  a: readonly T[],
  b: readonly T[],
  isSame: (one: T, other: T) => boolean,
): boolean {
  const areSame = (one: T, i: number) => {
    const other = b[i];
    return one === other || (other !== undefined && isSame(one, other));
  };
  return a === b || (a.length === b.length && a.every(areSame));
}

function isSameNode(a: NodeEntry, b: NodeEntry): boolean {
  return a.nodeId === b.nodeId && a.index === b.index && a.dataPathAddr === b.dataPathAddr;
}

/** Whether it takes connections, and its names, are nobody's business here. */
function isSamePlace(a: EndpointEntry, b: EndpointEntry): boolean {
  return a.nodeId === b.nodeId && a.address === b.address && a.address6 === b.address6;
}

type Remote = { readonly fdb: readonly FdbEntry[]; readonly neighbours: readonly Neighbour[] };

const NO_REMOTE: Remote = { fdb: [], neighbours: [] };

/** Every remote endpoint, also of a node that is down: it may be back before its tasks are given up. */
function remoteEntries(
  lookup: ClusterLookup,
  network: NetworkEntry,
  link: string,
  before: KnownEntries | undefined,
): Pick<RememberedRemote, "remote" | "known"> {
  const fdb: FdbEntry[] = [];
  const neighbours: Neighbour[] = [];
  const known: KnownEntries = new Map();
  const own = vtepOf(network, lookup.self);
  const isReached = (dst: string) => dst !== "" && isSameFamily(dst, own);
  const add = (entries: Remote): void => {
    fdb.push(...entries.fdb);
    neighbours.push(...entries.neighbours);
  };
  for (const endpoint of lookup.endpointsOn(network.id)) {
    const dst = vtepOf(network, lookup.node(endpoint.nodeId));
    if (endpoint.nodeId === lookup.state.nodeId || !isReached(dst)) continue;
    const entries = entriesOf(endpoint, link, dst, before?.get(endpoint));
    known.set(endpoint, entries);
    add(entries.remote);
  }
  if (!network.isIngress) return { remote: { fdb, neighbours }, known };
  for (const node of lookup.state.nodes) {
    const dst = vtepOf(network, node);
    if (node.nodeId === lookup.state.nodeId || !isReached(dst)) continue;
    const addresses = [network.subnet, network.subnet6]
      .filter((subnet) => subnet !== "")
      .map((subnet) => nodeIngressAddress(subnet, node.index));
    add(entriesTo(nodeIngressMac(node.index), link, dst, addresses));
  }
  return { remote: { fdb, neighbours }, known };
}

type EndpointEntries = { readonly link: string; readonly dst: string; readonly remote: Remote };

/** One endpoint that comes or goes makes the lists of its network anew; the other thousands keep their objects, and are told apart by them. */
type KnownEntries = Map<EndpointEntry, EndpointEntries>;

function entriesOf(
  endpoint: EndpointEntry,
  link: string,
  dst: string,
  known: EndpointEntries | undefined,
): EndpointEntries {
  if (known?.link === link && known.dst === dst) return known;
  const { address, address6 } = endpoint;
  const mac = endpointMac(address, address6);
  return { link, dst, remote: entriesTo(mac, link, dst, [address, address6]) };
}

function entriesTo(mac: string, link: string, dst: string, addresses: readonly string[]): Remote {
  return {
    // The second entry is the bridge's own: without it the frame is flooded to every local endpoint as well.
    fdb: [
      { link, mac, dst },
      { link, mac, dst: "" },
    ],
    neighbours: addresses
      .filter((address) => address !== "")
      .map((address) => ({ link, address, mac })),
  };
}
