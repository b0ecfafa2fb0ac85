import { isIpv6 } from "../address-text.js";
import {
  MESH_GATEWAY_MAC,
  MESH_MARK,
  MESH_MARK_MASK,
  nodeIngressMac,
  nodeMark,
  nodeZone,
} from "../ingress-identity.js";
import type { NftTable } from "../kernel-model.js";
import type { Proxy6 } from "../mesh-proxies.js";
import type { NodeNames } from "../names.js";
import type { PublishedPort } from "../network-state.js";
import { nftTable, regularChain } from "./nft-table.js";
import { ACCEPT_ND, dnatTo, REFUSE, setOf } from "./rule-parts.js";

/** Ends the name of the table. */
export const TASK_INGRESS_SUFFIX = "_ingress";

export type TaskIngressInput = {
  /** The task's link on the ingress network. */
  readonly link: string;
  /** By family: the ingress network's subnet, and the source address of the default route. "" where there is none, or it leads through ingress. */
  readonly ways: readonly { readonly subnet: string; readonly address: string }[];
  readonly nodeIndexes: readonly number[];
  readonly ports: readonly PublishedPort[];
  /** The task's IPv6 address there, and the relays that listen on it. */
  readonly address6: string;
  readonly proxies: readonly Proxy6[];
};

/**
 * A socket takes this packet: one for its address or for all of them, of both families too. Of what nft can ask of a socket this is answered
 * by the remains of an earlier connection of the same two ports as well, so that a client that uses its port again is not sent elsewhere.
 */
export const SOCKET_FOUND = "socket transparent { 0, 1 }";

const MESH = `and 0x${MESH_MARK_MASK.toString(16)} == 0x${MESH_MARK.toString(16)}`;

/**
 * A task's side of the mesh. The source MAC tells through which node a request came; it goes into the connection's mark, and replies
 * return that way. One client port may reach the same task through two nodes: the connections live in zones of their own, and the
 * input chain, though empty, lets the second one get another source port.
 */
export function taskIngressTable(names: NodeNames, task: TaskIngressInput): NftTable {
  const link = `"${task.link}"`;
  const nodes = [...task.nodeIndexes].sort((a, b) => a - b);
  const ports = task.ports.map((port) => `${port.protocol} . ${port.targetPort}`);
  return nftTable("inet", `${names.nftTable}${TASK_INGRESS_SUFFIX}`, [
    REFUSE,
    regularChain(
      "zones",
      byMac(nodes, "ct original zone set", (index) => `${nodeZone(index)}`),
    ),
    regularChain(
      "marks",
      byMac(nodes, "ct mark set", (index) => hex(nodeMark(index))),
    ),
    regularChain("published", [
      ...(ports.length === 0
        ? []
        : [`meta l4proto . th dport ${setOf([...new Set(ports)].sort())} accept`]),
      ...relayedRules(task),
    ]),
    regularChain("relays", relayRules(task)),
    {
      name: "raw",
      hook: "type filter hook prerouting priority -300; policy accept;",
      rules: [`iifname ${link} jump zones`],
    },
    {
      name: "pre",
      hook: "type filter hook prerouting priority -150; policy accept;",
      rules: [`iifname ${link} ct state new ct direction original jump marks`],
    },
    {
      name: "natpre",
      hook: "type nat hook prerouting priority -100; policy accept;",
      rules: [
        ...(task.proxies.length === 0
          ? []
          : [`iifname ${link} ip6 daddr ${task.address6} ct mark ${MESH} jump relays`]),
        ...datagramRules(task),
      ],
    },
    { name: "natin", hook: "type nat hook input priority 100; policy accept;", rules: [] },
    {
      name: "back",
      hook: "type route hook output priority -150; policy accept;",
      rules: [`ct direction reply ct mark ${MESH} meta mark set ct mark`],
    },
    {
      name: "in",
      hook: "type filter hook input priority 0; policy accept;",
      rules: [
        ACCEPT_ND,
        `iifname ${link} ct state established,related accept`,
        `iifname ${link} ct mark ${MESH} jump published`,
        `iifname ${link} drop`,
      ],
    },
    {
      name: "leave",
      hook: "type filter hook output priority 0; policy accept;",
      // Nothing begins here: the network carries replies alone, also where it has the default route.
      rules: [ACCEPT_ND, `oifname ${link} ct state new jump ${REFUSE.name}`],
    },
  ]);
}

/** The reply's last step: frames to the mesh gateway get the MAC of the node that the mark names. */
export function returnPathTable(
  names: NodeNames,
  { link, nodeIndexes }: Pick<TaskIngressInput, "link" | "nodeIndexes">,
): NftTable {
  const nodes = [...nodeIndexes].sort((a, b) => a - b);
  const macs = nodes.map((index) => `${hex(nodeMark(index))} : ${nodeIngressMac(index)}`);
  return nftTable("netdev", `${names.nftTable}_return`, [
    regularChain(
      "nodes",
      macs.length === 0 ? [] : [`ether daddr set meta mark map ${setOf(macs)}`],
    ),
    {
      name: "egress",
      hook: `type filter hook egress device "${link}" priority 0; policy accept;`,
      rules: [`ether daddr ${MESH_GATEWAY_MAC} jump nodes`, `ether daddr ${MESH_GATEWAY_MAC} drop`],
    },
  ]);
}

/**
 * A datagram's reply gets its source address before the mark leads it back: it would be the default route's. So the request is made to
 * have come to that address. Requests from nodes themselves are answered inside the subnet and stay as they are.
 */
function datagramRules({ link, ways }: TaskIngressInput): readonly string[] {
  return ways
    .filter(({ subnet, address }) => subnet !== "" && address !== "")
    .map(({ subnet, address }) => {
      const family = isIpv6(address) ? "ip6" : "ip";
      return `iifname "${link}" ${family} saddr != ${subnet} ct mark ${MESH} meta l4proto udp ${dnatTo([address])}`;
    });
}

/** What the task has no IPv6 socket for goes to the relay, which asks on IPv4. The packet decides: no look at the task is ever too old. */
function relayRules({ address6, proxies }: TaskIngressInput): readonly string[] {
  if (proxies.length === 0) return [];
  return [
    `${SOCKET_FOUND} return`,
    ...proxies.map(
      ({ protocol, targetPort, port }) =>
        `${protocol} dport ${targetPort} ${dnatTo([address6], port)}`,
    ),
  ];
}

/** Nobody gets to a relay but by the rules above. */
function relayedRules({ address6, proxies }: TaskIngressInput): readonly string[] {
  if (proxies.length === 0) return [];
  const ports = setOf(proxies.map(({ protocol, port }) => `${protocol} . ${port}`));
  return [`ip6 daddr ${address6} ct status dnat meta l4proto . th dport ${ports} accept`];
}

function byMac(
  nodes: readonly number[],
  statement: string,
  valueOf: (index: number) => string,
): readonly string[] {
  if (nodes.length === 0) return [];
  const elements = nodes.map((index) => `${nodeIngressMac(index)} : ${valueOf(index)}`);
  return [`${statement} ether saddr map ${setOf(elements)}`];
}

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}
