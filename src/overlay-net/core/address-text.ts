/** Addresses and prefixes of both families in text form. IPv4 arithmetic is in ipv4.ts. */
import { formatIpv4, macOf, parseIpv4, parsePrefix, prefixSize } from "./ipv4.js";

export function isIpv6(text: string): boolean {
  return text.includes(":");
}

/** Bits of the prefix of a CIDR. */
export function prefixLengthOf(cidr: string): number {
  return Number(cidr.slice(cidr.indexOf("/") + 1));
}

/** The address `distance` before the last one of a prefix (0 is the last: IPv4's broadcast address). */
export function addressFromEnd(cidr: string, distance: number): string {
  if (!isIpv6(cidr)) {
    const prefix = parsePrefix(cidr);
    return formatIpv4(prefix.base + prefixSize(prefix) - 1 - distance);
  }
  const mask = (1n << BigInt(128 - prefixLengthOf(cidr))) - 1n;
  return formatIpv6((parseIpv6(cidr.slice(0, cidr.indexOf("/"))) | mask) - BigInt(distance));
}

/**
 * MAC of an endpoint: a function of its address, so that every node computes the same one. IPv4 decides when there is one; an endpoint
 * with IPv6 alone takes the low 32 bits, which differ inside a subnet that is filled from its start.
 */
export function endpointMac(address: string, address6: string): string {
  return macOf(endpointNumber(address, address6));
}

/** 32 bits that tell the endpoints of one network apart. */
export function endpointNumber(address: string, address6: string): number {
  return address === "" ? Number(parseIpv6(address6) & 0xffffffffn) : parseIpv4(address);
}

function parseIpv6(text: string): bigint {
  const [head = "", tail] = text.split("::");
  const before = head === "" ? [] : head.split(":");
  const after = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => "0");
  return [...before, ...zeros, ...after].reduce(
    (value, group) => (value << 16n) + BigInt(`0x${group}`),
    0n,
  );
}

/** RFC 5952: lower case, the longest run of zero groups (of at least two, the first of equals) as `::`. */
function formatIpv6(value: bigint): string {
  const groups = Array.from({ length: 8 }, (_, i) =>
    ((value >> BigInt(112 - 16 * i)) & 0xffffn).toString(16),
  );
  const text = groups.join(":");
  const runs = text.match(/\b0(?::0)+\b/g) ?? [];
  const longest = runs.reduce((best, run) => (run.length > best.length ? run : best), "");
  if (longest === "") return text;
  const at = text.indexOf(longest);
  const left = text.slice(0, at).replace(/:$/, "");
  const right = text.slice(at + longest.length).replace(/^:/, "");
  return `${left}::${right}`;
}
