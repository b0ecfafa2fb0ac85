/** What only the node itself knows; with NetworkState all that its desired kernel state is made of. */
import { ethName } from "./desired-parts.js";
import type { Proxy6 } from "./mesh-proxies.js";
import type { PublishedPort } from "./network-state.js";
import type { DnsPorts } from "./rulesets/dns-redirect.js";
import type { ForeignFirewall } from "./rulesets/foreign-firewall.js";

/** A network that a running container was connected to. */
export type JoinedNetwork = {
  readonly networkId: string;
  /** The attachment's: tells its endpoint in NetworkState. */
  readonly taskId: string;
  /** Of its interface, as `ethName` counts; it stays when others go. */
  readonly place: number;
};

/** A container (or an endpoint made ahead for one) with a namespace of its own. */
export type LocalAttachment = {
  readonly containerId: string;
  /** Tells its endpoints in NetworkState; "" for one that is on no overlay network. */
  readonly taskId: string;
  /** Name below /run/netns. */
  readonly netns: string;
  /** On the node's bridge; "" = not there (all its networks are internal, or it has none). */
  readonly gwbridgeAddress: string;
  /** Overlay networks in the order of its interfaces, from eth1 on. */
  readonly networkIds: readonly string[];
  /** Beside those; absent: none. */
  readonly joined?: readonly JoinedNetwork[];
  /** undefined: no resolver in this namespace. */
  readonly dns: DnsPorts | undefined;
  /** Relays that listen there for its published ports. */
  readonly proxies: readonly Proxy6[];
  readonly hostPorts: readonly Pick<PublishedPort, "protocol" | "publishedPort" | "targetPort">[];
};

export type Uplink = {
  readonly name: string;
  /** As found. 1 turns into 2 where IPv6 forwarding is needed, else the host would lose its routes. */
  readonly acceptRa: number;
};

export type LocalFacts = {
  readonly attachments: readonly LocalAttachment[];
  /** The bridge, the containers' links to it and its table belong to the desired state; false: somebody else makes and keeps them. */
  readonly keepsGwbridge: boolean;
  /** CIDR; its first host address is the bridge's own. */
  readonly gwbridgeSubnet: string;
  /** Bytes. */
  readonly gwbridgeMtu: number;
  /** Published ports whose listener could be bound; others get no rule. */
  readonly heldPorts: readonly Pick<PublishedPort, "protocol" | "publishedPort">[];
  readonly uplinks: readonly Uplink[];
  /** This host forwarded between its links before swarmd came; otherwise it still does not. */
  readonly wasForwarding: boolean;
  /** The same of IPv6, which forwards between all links or none. */
  readonly wasForwarding6: boolean;
  /** The host's kernel speaks IPv6. */
  readonly hasIpv6: boolean;
  /** The host has an IPv6 default route over a link that is not ours: containers get a way out there. */
  readonly hasDefaultRoute6: boolean;
  /** br_netfilter is loaded: bridges must be told to leave iptables alone. */
  readonly hasBridgeNetfilter: boolean;
  readonly firewall: ForeignFirewall;
};

/** One of a container's interfaces on overlay networks. */
export type OwnEndpoint = {
  readonly networkId: string;
  readonly taskId: string;
  readonly link: string;
};

/** Those it was started with, then those it was connected to. */
export function ownEndpoints({
  networkIds,
  taskId,
  joined = [],
}: Pick<LocalAttachment, "networkIds" | "taskId" | "joined">): readonly OwnEndpoint[] {
  return [
    ...networkIds.map((networkId, place) => ({ networkId, taskId, link: ethName(place) })),
    ...joined.map((one) => ({
      networkId: one.networkId,
      taskId: one.taskId,
      link: ethName(one.place),
    })),
  ];
}
