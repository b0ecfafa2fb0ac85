/** Functions of addresses in text form, both families alike. */
import {
  addressBits,
  formatIp,
  type IpAddress,
  invariant,
  parseCidr,
  parseIp,
} from "../../base/index.js";
import { macOf } from "./ipv4.js";

export function isIpv6(text: string): boolean {
  return text.includes(":");
}

/** Bits of the prefix of a CIDR. */
export function prefixLengthOf(cidr: string): number {
  return Number(cidr.slice(cidr.indexOf("/") + 1));
}

/** The address `distance` before the last one of a prefix (0 is the last: IPv4's broadcast address). */
export function addressFromEnd(cidr: string, distance: number): string {
  const parsed = parseCidr(cidr);
  invariant(parsed !== undefined, `"${cidr}" is not a subnet`);
  const { family, base, length } = parsed;
  const last = base + (1n << BigInt(addressBits(family) - length)) - 1n;
  return formatIp({ family, value: last - BigInt(distance) });
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
  return Number(parsedIp(address || address6).value & 0xffff_ffffn);
}

function parsedIp(text: string): IpAddress {
  const address = parseIp(text);
  invariant(address !== undefined, `"${text}" is not an IP address`);
  return address;
}
