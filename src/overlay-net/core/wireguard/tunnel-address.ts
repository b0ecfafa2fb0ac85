/** Where encrypted networks' packets go: addresses, port and sizes of the nodes' WireGuard interfaces. */
import { invariant } from "../../../base/index.js";
import { NODE_INDEX_MAX } from "../ingress-identity.js";

/**
 * Of the range for measurements between networks (RFC 2544), which no network uses for its hosts: an address for each node index. The
 * interface's own route covers the range, so that what has no peer goes nowhere.
 */
export const TUNNEL_RANGE = "198.18.0.0/20";

/** Bytes that WireGuard adds to a packet over IPv6; over IPv4 it is 20 less. */
export const TUNNEL_OVERHEAD = 80;

export function tunnelAddress(index: number): string {
  invariant(
    Number.isInteger(index) && index >= 1 && index <= NODE_INDEX_MAX,
    `node index ${index} is not in 1–${NODE_INDEX_MAX}`,
  );
  return `198.18.${index >> 8}.${index & 255}`;
}

/** UDP port of WireGuard: the one after VXLAN's. 0 while that is not known. */
export function tunnelPort(dataPathPort: number): number {
  return dataPathPort === 0 ? 0 : dataPathPort + 1;
}
