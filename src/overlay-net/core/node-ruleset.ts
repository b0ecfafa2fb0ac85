import type { NodeNames } from "./names.js";
import { gwbridgeTable } from "./rulesets/gwbridge.js";
import { replaceScript } from "./rulesets/nft-table.js";

export type HostPortRule = {
  readonly protocol: "tcp" | "udp" | "sctp";
  readonly publishedPort: number;
  /** a.b.c.d */
  readonly address: string;
  readonly targetPort: number;
};

/**
 * Script that replaces the node's table for its bridge, in one transaction; established connections keep their translation across
 * it (conntrack holds them).
 */
export function nodeRuleset(
  names: NodeNames,
  subnet: string,
  ports: readonly HostPortRule[],
): string {
  return replaceScript(gwbridgeTable(names, subnet, ports));
}
