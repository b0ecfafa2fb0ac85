import { type Cidr, formatCidr, formatIp, invariant, parseCidr } from "../../base/index.js";
import { addressWithLength } from "./desired-parts.js";
import { parseIpv4, parsePrefix } from "./ipv4.js";
import { ulaPrefix } from "./network-plan.js";

const LENGTH = 64;
/** Not 0, so that the text of every address begins with that of its subnet: the run of zeros that `::` stands for is behind it. */
const SUBNET_ID = 1n;

/**
 * The IPv6 subnet of a node's bridge: a unique local one whose global id comes from the node's id. It never leaves the node, so nobody has
 * to allocate or remember it.
 */
export function gwbridgeSubnet6(nodeId: string): string {
  return formatCidr(cidr6(nodeId));
}

/** How the text of all its addresses begins. */
export function gwbridgePrefix6(nodeId: string): string {
  const text = formatIp({ family: 6, value: cidr6(nodeId).base });
  invariant(text.endsWith("::"), `${text} is not written as a subnet`);
  return text;
}

/** The counterpart of an IPv4 address on the bridge, with prefix length: the same place in its subnet. */
export function gwbridgeAddress6(nodeId: string, subnet: string, address: string): string {
  const place = parseIpv4(address) - parsePrefix(subnet).base;
  const value = cidr6(nodeId).base + BigInt(place);
  return addressWithLength(formatIp({ family: 6, value }), gwbridgeSubnet6(nodeId));
}

function cidr6(nodeId: string): Cidr {
  const { base } = ulaPrefix(nodeId);
  const cidr = parseCidr(`${formatIp({ family: 6, value: base + (SUBNET_ID << 64n) })}/${LENGTH}`);
  invariant(cidr !== undefined, `no subnet for node ${nodeId}`);
  return cidr;
}
