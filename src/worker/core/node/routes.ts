/** The node's own routes, so that networks can be chosen clear of them (contracts §7). */
import { formatCidr, parseCidr } from "../../../base/index.js";

/** Most that a node reports of each family; of more, those that cover most. */
export const ROUTES_MAX = 256;

const UP = 0x1;
const ADDRESS_BITS = 32;

const DEFAULT_ROUTE_LENGTH = 0;
/** Multicast and link-local prefixes are on every link, a host's own addresses in routes of their own. */
const V6_NOISE = /^(?:fe[89ab]|ff)/;
const V6_COLUMNS = 10;
/** The node's own way into the cluster's ingress network: what is reached by it is that network. */
const OWN_LINK = /^swin[0-9a-z]{8}$/;

/** The same of /proc/net/ipv6_route: what leads somewhere, without what every link has. */
export function routeCidrs6(text: string): readonly string[] {
  const found = new Map<string, number>();
  for (const line of text.split("\n")) {
    const columns = line.trim().split(/\s+/);
    const [destination = "", length = "", , , , , , , flags = "", link = ""] = columns;
    const bits = Number.parseInt(length, 16);
    if (
      columns.length !== V6_COLUMNS ||
      link === "lo" ||
      OWN_LINK.test(link) ||
      V6_NOISE.test(destination)
    )
      continue;
    if (bits === DEFAULT_ROUTE_LENGTH || (Number.parseInt(flags, 16) & UP) === 0) continue;
    const cidr = parseCidr(`${destination.replace(/(.{4})(?=.)/g, "$1:")}/${bits}`);
    if (cidr) found.set(formatCidr(cidr), bits);
  }
  return ordered(found);
}

/**
 * CIDRs of the kernel's main IPv4 table, from the text of /proc/net/route (hex in the host's byte order, here little-endian: every platform
 * of ours). The default route says nothing and is left out. Sorted, each once.
 */
export function routeCidrs(text: string): readonly string[] {
  const found = new Map<string, number>();
  for (const line of text.split("\n").slice(1)) {
    const [, destination, , flags, , , , mask] = line.split(/\s+/);
    if (destination === undefined || mask === undefined) continue;
    const length = prefixLength(littleEndian(mask));
    if (length === 0 || (Number.parseInt(flags ?? "0", 16) & UP) === 0) continue;
    found.set(`${dotted(littleEndian(destination))}/${length}`, length);
  }
  return ordered(found);
}

/** Those that cover most first, and no more than are taken. */
function ordered(found: ReadonlyMap<string, number>): readonly string[] {
  const byReach = [...found].sort(([a, m], [b, n]) => m - n || (a < b ? -1 : 1));
  return byReach.slice(0, ROUTES_MAX).map(([cidr]) => cidr);
}

function littleEndian(hex: string): readonly number[] {
  const value = Number.parseInt(hex, 16);
  return [value & 0xff, (value >>> 8) & 0xff, (value >>> 16) & 0xff, value >>> 24];
}

function dotted(octets: readonly number[]): string {
  return octets.join(".");
}

function prefixLength(octets: readonly number[]): number {
  const bits = octets.map((octet) => octet.toString(2).padStart(8, "0")).join("");
  const end = bits.indexOf("0");
  return end < 0 ? ADDRESS_BITS : end;
}
