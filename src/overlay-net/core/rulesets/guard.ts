import { isIpv6 } from "../address-text.js";
import type { NftTable } from "../kernel-model.js";
import type { NodeNames } from "../names.js";
import { nftTable, regularChain } from "./nft-table.js";
import { ACCEPT_ND, setOf } from "./rule-parts.js";

export type GuardInput = {
  /** "" while this node is on no ingress network. */
  readonly ingressLink: string;
  readonly bridge: string;
  readonly dataPathPort: number;
  /** Of networks in the clear. */
  readonly vnis: readonly number[];
  /** Of networks whose packets go through `tunnelLink` and nowhere else. */
  readonly encryptedVnis: readonly number[];
  readonly tunnelLink: string;
  /** Underlay addresses of the member nodes, either family. */
  readonly members: readonly string[];
  /** Links between which this host did not forward before swarmd made it forward. */
  readonly separateLinks: readonly string[];
  /** IPv6 forwards between all links or none: this host did not before swarmd came, so it still does only from and to links of ours. */
  readonly closesForwarding6: boolean;
  /** IPv6 subnet of the bridge. */
  readonly bridgeSubnet6: string;
};

/**
 * What closes the host's side; in place before any link of ours. VXLAN has no authentication: frames of our networks come from members'
 * addresses or not at all, and no container may send any, for it would leave with a member's address. An encrypted network's frames come
 * and go through WireGuard or not at all, and nothing else does: no container or foreign host is forwarded there.
 */
export function guardTable(names: NodeNames, guard: GuardInput): NftTable {
  const members = [...guard.members].sort();
  const ingress = `"${guard.ingressLink}"`;
  const hasIngress = guard.ingressLink !== "";
  const port = guard.dataPathPort;
  const tunnel = `"${guard.tunnelLink}"`;
  const isEncrypted = guard.encryptedVnis.length > 0;
  return nftTable("inet", `${names.nftTable}_guard`, [
    regularChain("members", [
      ...sourceRules(
        "ip",
        members.filter((address) => !isIpv6(address)),
      ),
      ...sourceRules("ip6", members.filter(isIpv6)),
      "drop",
    ]),
    regularChain("networks", guard.vnis.length === 0 ? [] : [`${vniIn(guard.vnis)} jump members`]),
    {
      name: "in",
      hook: "type filter hook input priority -20; policy accept;",
      rules: [
        `udp dport ${port} jump networks`,
        ...(isEncrypted
          ? [
              `iifname != ${tunnel} udp dport ${port} ${vniIn(guard.encryptedVnis)} drop`,
              `iifname ${tunnel} udp dport ${port} ${vniIn(guard.encryptedVnis)} accept`,
              `iifname ${tunnel} drop`,
            ]
          : []),
        ...(hasIngress
          ? [
              `iifname ${ingress} ${ACCEPT_ND}`,
              `iifname ${ingress} ct state established,related accept`,
              `iifname ${ingress} drop`,
            ]
          : []),
      ],
    },
    {
      name: "forward",
      hook: "type filter hook forward priority -20; policy accept;",
      rules: [
        `iifname "${guard.bridge}" udp dport ${port} drop`,
        ...(isEncrypted ? [`iifname ${tunnel} drop`, `oifname ${tunnel} drop`] : []),
        // Whoever gives himself another address has no way out with it.
        `iifname "${guard.bridge}" meta nfproto ipv6 ip6 saddr != ${guard.bridgeSubnet6} drop`,
        ...(guard.closesForwarding6 ? [closed6(guard)] : []),
        ...(guard.separateLinks.length < 2 ? [] : [separateRule(guard.separateLinks)]),
        ...(hasIngress
          ? [
              `oifname ${ingress} ct state invalid drop`,
              `iifname ${ingress} ct state established,related accept`,
              `oifname ${ingress} ct state established,related accept`,
              `oifname ${ingress} ct status dnat accept`,
              `oifname ${ingress} drop`,
              `iifname ${ingress} drop`,
            ]
          : []),
      ],
    },
    ...(isEncrypted
      ? [
          {
            name: "out",
            hook: "type filter hook output priority -20; policy accept;",
            rules: [`oifname != ${tunnel} udp dport ${port} ${vniIn(guard.encryptedVnis)} drop`],
          },
        ]
      : []),
  ]);
}

/** The VNI is behind the UDP header (64 bits), flags and reserved bits (32): RFC 7348 §5. */
function vniIn(vnis: readonly number[]): string {
  return `@th,96,24 ${setOf([...vnis].sort((a, b) => a - b))}`;
}

function sourceRules(family: "ip" | "ip6", members: readonly string[]): readonly string[] {
  return members.length === 0 ? [] : [`${family} saddr ${setOf(members)} return`];
}

function closed6({ bridge, ingressLink }: GuardInput): string {
  const ours = setOf(
    [bridge, ingressLink].filter((link) => link !== "").map((link) => `"${link}"`),
  );
  return `meta nfproto ipv6 iifname != ${ours} oifname != ${ours} drop`;
}

function separateRule(links: readonly string[]): string {
  const set = setOf([...links].sort().map((link) => `"${link}"`));
  return `iifname ${set} oifname ${set} ct status ! dnat drop`;
}
