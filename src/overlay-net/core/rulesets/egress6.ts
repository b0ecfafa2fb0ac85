import type { NftTable } from "../kernel-model.js";
import type { NodeNames } from "../names.js";
import type { HostPortRule } from "../node-ruleset.js";
import { nftTable, regularChain } from "./nft-table.js";
import { dnatTo, setOf, translating } from "./rule-parts.js";

export type Egress6Input = {
  readonly subnet: string;
  /** Host-mode ports, each with the container's IPv6 address. */
  readonly ports: readonly HostPortRule[];
};

/**
 * The bridge's IPv6 side while the host has a way out: containers leave with the host's address, and host-mode ports lead to them with the
 * client's own. Nobody else gets in: the bridge's table drops what no rule here has translated. [::1] has no routing, and stays the host's.
 */
export function egressTable6(names: NodeNames, { subnet, ports }: Egress6Input): NftTable {
  const bridge = `"${names.bridge}"`;
  const sorted = [...ports].sort((a, b) => (portName(a) < portName(b) ? -1 : 1));
  const local = "meta nfproto ipv6 ip6 daddr != ::1 fib daddr type local jump ports";
  return nftTable("inet", `${names.nftTable}_egress6`, [
    ...sorted.map((port) =>
      regularChain(portName(port), [
        `meta l4proto ${port.protocol} ${dnatTo([port.address], port.targetPort)}`,
      ]),
    ),
    regularChain("ports", sorted.length === 0 ? [] : [verdicts(sorted)]),
    ...translating("pre", "prerouting", [local]),
    ...translating("out", "output", [local]),
    {
      name: "post",
      hook: "type nat hook postrouting priority 100; policy accept;",
      rules: [
        `ip6 saddr ${subnet} oifname != ${bridge} masquerade`,
        `ip6 saddr ${subnet} ip6 daddr ${subnet} ct status dnat masquerade`,
      ],
    },
    {
      name: "forward",
      hook: "type filter hook forward priority 0; policy accept;",
      rules: [
        `oifname ${bridge} ct state established,related accept`,
        `oifname ${bridge} ip6 daddr ${subnet} ct status dnat accept`,
        `oifname ${bridge} ip6 daddr ${subnet} drop`,
      ],
    },
  ]);
}

function portName({ protocol, publishedPort }: HostPortRule): string {
  return `h_${protocol}_${publishedPort}`;
}

function verdicts(ports: readonly HostPortRule[]): string {
  const elements = ports.map(
    (port) => `${port.protocol} . ${port.publishedPort} : goto ${portName(port)}`,
  );
  return `meta l4proto . th dport vmap ${setOf(elements)}`;
}
