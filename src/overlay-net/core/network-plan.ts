/** What a network is given: VNI, subnets, MTU. Pure functions of its spec and of what others have. */
import { type Cluster, isEncrypted, type NetworkSpec, type Subnet } from "../../api/index.js";
import {
  type Cidr,
  cidrsOverlap,
  formatCidr,
  formatIp,
  parseCidr,
  parseIp,
} from "../../base/index.js";
import { firstAddress, freeSubnet } from "./ipam.js";
import { nextVni, VNI_OPTION, wantedVni } from "./vni.js";
import { TUNNEL_OVERHEAD } from "./wireguard/tunnel-address.js";

export const MTU_OPTION = "com.docker.network.driver.mtu";
/** MTU of the underlay unless the option says otherwise. */
export const UNDERLAY_MTU = 1500;
/** Least that the protocols need (RFC 791, RFC 8200). */
const MTU_MIN = { 4: 68, 6: 1280 } as const;
/** Outer Ethernet, IPv4, UDP and VXLAN headers. */
export const VXLAN_OVERHEAD = 50;
/** What an IPv6 header has more than one of IPv4. Encrypted networks' VXLAN is IPv4 inside WireGuard, whatever that goes over. */
const IPV6_MORE = 20;
/** Ingress serves every node and every task with a published port. */
const INGRESS_LENGTH = 16;
/** What ingress leaves to others of a pool that is hardly larger. */
const INGRESS_SHARE_BITS = 4;
/** One per node index with its gateway (contracts §7), at the end of the ingress subnet. */
const NODE_ADDRESSES = 4096;
const ULA_LENGTH = 64;

export type Others = {
  readonly cluster: Pick<Cluster, "id" | "defaultAddrPool" | "subnetSize">;
  /** Subnets of all other networks, allocated or asked for. */
  readonly subnets: readonly { readonly networkName: string; readonly cidr: Cidr }[];
  /** What the nodes' own routes lead to. */
  readonly routes: readonly Cidr[];
  readonly underlay: Underlay;
  readonly isVniFree: (vni: number) => boolean;
  readonly lastVni: number;
};

/** What lies below the networks. */
export type Underlay = {
  /** What the nodes' links carry, bytes. Nodes that say nothing are left out. */
  readonly mtus: readonly number[];
  /** Some node sends over IPv6. */
  readonly hasIpv6: boolean;
};

export type NetworkPlan =
  | {
      readonly kind: "planned";
      readonly vni: number;
      readonly subnets: readonly Subnet[];
      readonly mtu: number;
    }
  | { readonly kind: "impossible"; readonly reason: string };

export function planNetwork(spec: NetworkSpec, others: Others): NetworkPlan {
  const vni = chooseVni(spec, others);
  if (typeof vni === "string") return { kind: "impossible", reason: vni };
  const families = spec.EnableIPv6 === true ? ([4, 6] as const) : ([4] as const);
  const subnets: Subnet[] = [];
  for (const family of families) {
    const subnet = chooseSubnet(spec, family, others);
    if (typeof subnet === "string") return { kind: "impossible", reason: subnet };
    subnets.push(subnet);
  }
  const least = MTU_MIN[spec.EnableIPv6 === true ? 6 : 4];
  const mtu = overlayMtu(spec, others.underlay);
  const overhead = overlayOverhead(spec, others.underlay);
  if (mtu < least)
    return {
      kind: "impossible",
      reason: `a node's underlay carries ${mtu + overhead} bytes, the network needs ${least + overhead}: raise the MTU of its link`,
    };
  return { kind: "planned", vni, subnets, mtu };
}

/** Bytes that are added to a network's packets on the underlay. */
export function overlayOverhead(
  spec: Pick<NetworkSpec, "Options">,
  { hasIpv6 }: Pick<Underlay, "hasIpv6"> = { hasIpv6: false },
): number {
  if (isEncrypted(spec)) return VXLAN_OVERHEAD + TUNNEL_OVERHEAD;
  return VXLAN_OVERHEAD + (hasIpv6 ? IPV6_MORE : 0);
}

/** Bytes: what every node can carry, and no more than the option or 1500 says. */
export function overlayMtu(spec: NetworkSpec, underlay: Underlay): number {
  const wished = Number(spec.Options?.[MTU_OPTION] ?? UNDERLAY_MTU);
  return Math.min(wished, ...underlay.mtus) - overlayOverhead(spec, underlay);
}

/**
 * What a network that has its MTU should have now, bytes. It falls as soon as a node carries less, and rises only while nobody is on it: a
 * node that has not heard of it yet would drop the larger packets, and tell nobody. Never less than the protocols need: then that one
 * node cannot carry full packets, and the others go on.
 */
export function nextMtu(
  { spec, mtu }: { readonly spec: NetworkSpec; readonly mtu: number },
  underlay: Underlay,
  isInUse: () => boolean,
): number {
  const least = MTU_MIN[spec.EnableIPv6 === true ? 6 : 4];
  const fits = Math.max(least, overlayMtu(spec, underlay));
  return fits > mtu && isInUse() ? mtu : fits;
}

/** How many addresses at the end of a network's subnet are its nodes': none but on ingress, and there at most half. */
export function nodeAddressCount(spec: NetworkSpec, subnet: Cidr): number {
  if (spec.Ingress !== true) return 0;
  const bits = (subnet.family === 4 ? 32 : 128) - subnet.length;
  return bits > 12 ? NODE_ADDRESSES : Math.floor(2 ** (bits - 1));
}

/** The cluster's ULA /48 (RFC 4193 §3.2.2): its global id comes from the cluster's, which is random. */
export function ulaPrefix(clusterId: string): Cidr {
  const mask = (1n << 40n) - 1n;
  let globalId = 0n;
  for (const character of clusterId)
    globalId = (globalId * 36n + BigInt(character.charCodeAt(0))) & mask;
  return { family: 6, base: ((0xfdn << 40n) | globalId) << 80n, length: 48 };
}

function chooseVni(spec: NetworkSpec, { isVniFree, lastVni }: Others): number | string {
  const wanted = wantedVni(spec.Options?.[VNI_OPTION]);
  if (wanted.kind === "bad") return wanted.reason;
  if (wanted.kind === "fixed")
    return isVniFree(wanted.vni)
      ? wanted.vni
      : `VXLAN id ${wanted.vni} is in use by another network`;
  return nextVni(isVniFree, lastVni) ?? "all VXLAN ids are in use";
}

function chooseSubnet(spec: NetworkSpec, family: 4 | 6, others: Others): Subnet | string {
  const config = (spec.IPAM?.Config ?? []).find(
    ({ Subnet }) => parseCidr(Subnet ?? "")?.family === family,
  );
  const given = parseCidr(config?.Subnet ?? "");
  const cidr = given ?? fromPools(spec, family, others);
  if (cidr === undefined) return exhausted(spec, family, others);
  const other = others.subnets.find((each) => cidrsOverlap(each.cidr, cidr));
  if (other)
    return `subnet ${formatCidr(cidr)} overlaps ${formatCidr(other.cidr)} of network ${other.networkName}`;
  const gateway = parseIp(config?.Gateway ?? "");
  const range = parseCidr(config?.IPRange ?? "");
  return {
    subnet: formatCidr(cidr),
    gateway: gateway ? formatIp(gateway) : firstAddress(cidr),
    ipRange: range ? formatCidr(range) : "",
  };
}

function fromPools(spec: NetworkSpec, family: 4 | 6, others: Others): Cidr | undefined {
  const taken = [...others.routes, ...others.subnets.map(({ cidr }) => cidr)];
  const isIngress = spec.Ingress === true;
  if (family === 6)
    return freeSubnet([ulaPrefix(others.cluster.id)], () => ULA_LENGTH, taken, isIngress);
  const { defaultAddrPool, subnetSize } = others.cluster;
  const pools = defaultAddrPool.flatMap((pool) => parseCidr(pool) ?? []);
  return isIngress
    ? freeSubnet(pools, (pool) => ingressLength(pool, subnetSize), taken, true)
    : freeSubnet(pools, () => subnetSize, taken);
}

/** A /16, but at most a sixteenth of the pool, and never less than any network gets. Taken from the end: users count from the start. */
function ingressLength(pool: Cidr, subnetSize: number): number {
  const share = Math.max(INGRESS_LENGTH, pool.length + INGRESS_SHARE_BITS);
  return Math.max(pool.length, Math.min(share, Math.max(INGRESS_LENGTH, subnetSize)));
}

function exhausted(spec: NetworkSpec, family: 4 | 6, { cluster }: Others): string {
  if (family === 6)
    return `no free IPv6 subnet in ${formatCidr(ulaPrefix(cluster.id))}; name one with --subnet`;
  return `no free subnet for network ${spec.Name} in the default address pools ${cluster.defaultAddrPool.join(", ")}; name one with --subnet`;
}
