/** VXLAN devices send over IPv4 or over IPv6: nodes whose data-path addresses are of different families do not reach each other. */
import { isIpv6 } from "./address-text.js";
import type { NetworkState } from "./network-state.js";

/** Nodes named in one sentence. */
const NAMED_MAX = 5;

export function isSameFamily(a: string, b: string): boolean {
  return isIpv6(a) === isIpv6(b);
}

/** For the operator: which nodes this one cannot send to; "" when there is none. Encrypted networks go through WireGuard, which can. */
export function familyProblem({ nodeId, nodes }: NetworkState): string {
  const own = nodes.find((node) => node.nodeId === nodeId)?.dataPathAddr ?? "";
  if (own === "") return "";
  const others = nodes.filter(({ dataPathAddr: addr }) => addr !== "" && !isSameFamily(addr, own));
  if (others.length === 0) return "";
  const named = others.slice(0, NAMED_MAX).map((node) => `${node.nodeId} (${node.dataPathAddr})`);
  const more = others.length > NAMED_MAX ? ` and ${others.length - NAMED_MAX} more` : "";
  return `this node's data-path address ${own} is of another family than that of ${named.join(", ")}${more}: their containers are not reached from here; give all nodes --data-path-addr of one family`;
}
