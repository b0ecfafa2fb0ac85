import { endpointMac, endpointNumber } from "./address-text.js";
import type { ClusterLookup, DesiredInput } from "./cluster-lookup.js";
import { isSameFamily } from "./data-path-family.js";
import { emptyNetns, ethName, plainLink } from "./desired-parts.js";
import { nodeIngressAddress, nodeIngressMac } from "./ingress-identity.js";
import type { FdbEntry, Link, Neighbour, NetnsState } from "./kernel-model.js";
import type { LocalAttachment } from "./local-facts.js";
import { endpointAlias, ingressLink, networkAlias, sandboxNetns, vxlanName } from "./names.js";
import type { NetworkEntry, NetworkState, NodeEntry } from "./network-state.js";
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
  const place = attachment.networkIds.indexOf(network.id);
  const endpoint = place < 0 ? undefined : lookup.endpoint(network.id, attachment.taskId);
  if (endpoint === undefined) return undefined;
  const alias = endpointAlias(names, network.id, attachment.taskId, ethName(place));
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
        name: ethName(place),
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

/** Entries by network, of the state they were made from: as long as that is the same object, so are the lists. */
export type RemoteMemo = Map<string, { readonly state: NetworkState; readonly remote: Remote }>;

function rememberedEntries(
  lookup: ClusterLookup,
  network: NetworkEntry,
  link: string,
  memo: RemoteMemo,
): Remote {
  const known = memo.get(network.id);
  if (known?.state === lookup.state) return known.remote;
  const remote = remoteEntries(lookup, network, link);
  memo.set(network.id, { state: lookup.state, remote });
  return remote;
}

type Remote = { readonly fdb: readonly FdbEntry[]; readonly neighbours: readonly Neighbour[] };

const NO_REMOTE: Remote = { fdb: [], neighbours: [] };

/** Every remote endpoint, also of a node that is down: it may be back before its tasks are given up. */
function remoteEntries(lookup: ClusterLookup, network: NetworkEntry, link: string): Remote {
  const fdb: FdbEntry[] = [];
  const neighbours: Neighbour[] = [];
  const own = vtepOf(network, lookup.self);
  const isReached = (dst: string) => dst !== "" && isSameFamily(dst, own);
  const add = (mac: string, dst: string, addresses: readonly string[]) => {
    // The second entry is the bridge's own: without it the frame is flooded to every local endpoint as well.
    fdb.push({ link, mac, dst }, { link, mac, dst: "" });
    for (const address of addresses) {
      if (address !== "") neighbours.push({ link, address, mac });
    }
  };
  for (const { nodeId, address, address6 } of lookup.endpointsOn(network.id)) {
    const dst = vtepOf(network, lookup.node(nodeId));
    if (nodeId === lookup.state.nodeId || !isReached(dst)) continue;
    add(endpointMac(address, address6), dst, [address, address6]);
  }
  if (!network.isIngress) return { fdb, neighbours };
  for (const node of lookup.state.nodes) {
    const dst = vtepOf(network, node);
    if (node.nodeId === lookup.state.nodeId || !isReached(dst)) continue;
    const addresses = [network.subnet, network.subnet6]
      .filter((subnet) => subnet !== "")
      .map((subnet) => nodeIngressAddress(subnet, node.index));
    add(nodeIngressMac(node.index), dst, addresses);
  }
  return { fdb, neighbours };
}
