import type { NodeNames } from "./names.js";

export type HostPortRule = {
  readonly protocol: "tcp" | "udp" | "sctp";
  readonly publishedPort: number;
  /** a.b.c.d */
  readonly address: string;
  readonly targetPort: number;
};

/**
 * The node's whole nft table: outbound masquerade, host-mode ports, and a closed bridge. Loaded as one transaction that
 * replaces the former table; established connections keep their translation across it (conntrack holds them).
 */
export function nodeRuleset(
  names: NodeNames,
  subnet: string,
  ports: readonly HostPortRule[],
): string {
  const dnat = ports.map(
    (port) =>
      `    fib daddr type local ${port.protocol} dport ${port.publishedPort} dnat ip to ${port.address}:${port.targetPort};`,
  );
  return `table inet ${names.nftTable} { }
delete table inet ${names.nftTable}
table inet ${names.nftTable} {
  chain pre {
    type nat hook prerouting priority -100; policy accept;
${dnat.join("\n")}
  }
  chain out {
    type nat hook output priority -100; policy accept;
${dnat.join("\n")}
  }
  chain post {
    type nat hook postrouting priority 100; policy accept;
    ip saddr ${subnet} oifname != "${names.bridge}" masquerade;
    ip saddr 127.0.0.0/8 oifname "${names.bridge}" masquerade;
    ip saddr ${subnet} ip daddr ${subnet} ct status dnat masquerade;
  }
  chain fwd_guard {
    type filter hook forward priority 0; policy accept;
    ct state established,related accept;
    oifname "${names.bridge}" ct status dnat accept;
    oifname "${names.bridge}" drop;
  }
}
`;
}
