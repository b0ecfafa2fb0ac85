import type { NftTable } from "../kernel-model.js";
import type { NodeNames } from "../names.js";
import { nftTable } from "./nft-table.js";

/** Ends the name of the table. */
export const DNS_SUFFIX = "_dns";

/** Ports on 127.0.0.11 in a container's namespace where its resolver listens. */
export type DnsPorts = { readonly udpPort: number; readonly tcpPort: number };

/**
 * Port 53 itself stays free: a listener on 127.0.0.11:53 would keep every DNS server in the container from binding 0.0.0.0:53.
 */
export function dnsRedirectTable(names: NodeNames, { udpPort, tcpPort }: DnsPorts): NftTable {
  return nftTable("inet", `${names.nftTable}${DNS_SUFFIX}`, [
    {
      name: "out",
      hook: "type nat hook output priority -105; policy accept;",
      rules: [
        `ip daddr 127.0.0.11 udp dport 53 dnat ip to 127.0.0.11:${udpPort}`,
        `ip daddr 127.0.0.11 tcp dport 53 dnat ip to 127.0.0.11:${tcpPort}`,
      ],
    },
  ]);
}
