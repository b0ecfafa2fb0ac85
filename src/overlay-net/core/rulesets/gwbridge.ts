import type { NftTable } from "../kernel-model.js";
import type { NodeNames } from "../names.js";
import type { HostPortRule } from "../node-ruleset.js";
import { nftTable, regularChain } from "./nft-table.js";
import { dnatTo, setOf, translating } from "./rule-parts.js";

/**
 * The node's bridge: outbound masquerade, host-mode ports, and nobody else gets in. Its ports are isolated, so what goes from one
 * container to another passes here and is dropped, unless it asked for a published port.
 */
export function gwbridgeTable(
  names: NodeNames,
  subnet: string,
  ports: readonly HostPortRule[],
): NftTable {
  const bridge = `"${names.bridge}"`;
  const sorted = [...ports].sort((a, b) => (portName(a) < portName(b) ? -1 : 1));
  const local = "meta nfproto ipv4 fib daddr type local jump ports";
  return nftTable("inet", names.nftTable, [
    ...sorted.map((port) => regularChain(portName(port), [translation(port)])),
    regularChain("ports", verdicts(sorted)),
    ...translating("pre", "prerouting", [local]),
    ...translating("out", "output", [local]),
    {
      name: "post",
      hook: "type nat hook postrouting priority 100; policy accept;",
      rules: [
        `ip saddr ${subnet} oifname != ${bridge} masquerade`,
        `ip saddr 127.0.0.0/8 oifname ${bridge} masquerade`,
        `ip saddr ${subnet} ip daddr ${subnet} ct status dnat masquerade`,
      ],
    },
    {
      name: "fwd_guard",
      hook: "type filter hook forward priority 0; policy accept;",
      rules: [
        "ct state established,related accept",
        `oifname ${bridge} ct status dnat accept`,
        `oifname ${bridge} drop`,
      ],
    },
  ]);
}

function portName({ protocol, publishedPort }: HostPortRule): string {
  return `h_${protocol}_${publishedPort}`;
}

function translation({ protocol, address, targetPort }: HostPortRule): string {
  return `meta l4proto ${protocol} ${dnatTo([address], targetPort)}`;
}

function verdicts(ports: readonly HostPortRule[]): readonly string[] {
  if (ports.length === 0) return [];
  const elements = ports.map(
    (port) => `${port.protocol} . ${port.publishedPort} : goto ${portName(port)}`,
  );
  return [`meta l4proto . th dport vmap ${setOf(elements)}`];
}
