/** Phrases that several rulesets share. */
import { isIpv6 } from "../address-text.js";
import type { NftChain } from "./nft-table.js";

/**
 * Translates new connections, by two chains: while the kernel exchanges rules, a connection may find neither the old ones nor the new
 * ones in the first, and one that no chain has translated stays so for good. By the second the exchange is over.
 */
export function translating(
  name: string,
  hook: "prerouting" | "output",
  rules: readonly string[],
): readonly NftChain[] {
  return [
    { name, hook: `type nat hook ${hook} priority -100; policy accept;`, rules },
    { name: `${name}_again`, hook: `type nat hook ${hook} priority -99; policy accept;`, rules },
  ];
}

/** Refuses at once: a client must not wait for a timeout to learn that nobody is there. */
export const REFUSE: NftChain = {
  name: "refuse",
  hook: "",
  rules: ["meta l4proto tcp reject with tcp reset", "reject with icmpx type port-unreachable"],
};

/** Neighbour discovery: IPv6 does not work without, whatever else is closed. */
export const ACCEPT_ND = "icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept";

export function setOf(elements: readonly (string | number)[]): string {
  return `{ ${elements.join(", ")} }`;
}

/**
 * An even choice for each new connection. Random rather than in turn: every namespace counts for itself, and many young ones would all
 * start with the same backend. `targetPort` needs a rule that has matched the transport protocol.
 */
export function dnatTo(addresses: readonly string[], targetPort?: number): string {
  const [first = ""] = addresses;
  const family = isIpv6(first) ? "ip6" : "ip";
  const port = targetPort === undefined ? "" : `:${targetPort}`;
  if (addresses.length === 1) {
    const target = port !== "" && family === "ip6" ? `[${first}]` : first;
    return `dnat ${family} to ${target}${port}`;
  }
  const choices = addresses.map((address, i) => `${i} : ${address}`);
  const map = `numgen random mod ${addresses.length} map ${setOf(choices)}`;
  return `dnat ${family} to ${map}${port === "" ? "" : ` ${port.replace(":", ": ")}`}`;
}

/** Usable in a chain's name. */
export function nameOf(address: string): string {
  return address.replace(/[.:]/g, "_");
}
