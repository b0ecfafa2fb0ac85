/**
 * What the managers tell one node about its networks: facts of the cluster, no kernel state yet. Complete, then as differences;
 * versioned by the store index it was made at. Addresses carry no prefix length unless said so; "" means there is none.
 */

/** A planned stop is held for open connections this long at most, unless the service says otherwise (contracts §7). */
export const DRAIN_DEFAULT_MS = 2_000;

/** A network some task of this node is on (ingress: every node). */
export type NetworkEntry = {
  readonly id: string;
  readonly name: string;
  readonly vni: number;
  /** CIDR; "" when the network has no such family. */
  readonly subnet: string;
  readonly subnet6: string;
  readonly gateway: string;
  readonly gateway6: string;
  /** Bytes, the same on all nodes. */
  readonly mtu: number;
  readonly isInternal: boolean;
  readonly isIngress: boolean;
  readonly isEncrypted: boolean;
};

/** Stored life of an endpoint: programmed on its own node, known to the others, taken out before the stop. */
export type EndpointPhase = "installed" | "announced" | "withdrawn";

/** One task (or attached container) on one network, wherever it runs. The MAC is a function of the address. */
export type EndpointEntry = {
  readonly taskId: string;
  readonly networkId: string;
  readonly nodeId: string;
  /** "" for an attached container. */
  readonly serviceId: string;
  readonly address: string;
  readonly address6: string;
  /** Container name: `service.slot.taskId`. */
  readonly taskName: string;
  readonly containerId: string;
  /** Names of this endpoint alone; a service's aliases are on the service. */
  readonly aliases: readonly string[];
  /** Running, healthy, not being stopped: new connections may go there. */
  readonly isBackend: boolean;
};

export type PublishedPort = {
  readonly protocol: "tcp" | "udp" | "sctp";
  readonly publishedPort: number;
  readonly targetPort: number;
  /** Name of the port for SRV answers; "" = none. */
  readonly name: string;
};

/** A service as seen on one network. On ingress it carries its published ports. */
export type ServiceEntry = {
  readonly serviceId: string;
  readonly name: string;
  readonly networkId: string;
  readonly mode: "vip" | "dnsrr";
  readonly vip: string;
  readonly vip6: string;
  readonly aliases: readonly string[];
  readonly ports: readonly PublishedPort[];
  /** Ingress traffic goes to backends on the node that took it, while it has any. */
  readonly prefersLocal: boolean;
  /** How long a planned stop of its tasks is held for connections that are still open; absent: DRAIN_DEFAULT_MS. */
  readonly drainMs?: number;
};

export type NodeEntry = {
  readonly nodeId: string;
  /** 1–4094: its ingress address, MAC, connection mark and zone. */
  readonly index: number;
  /** Underlay address: where its VXLAN packets go to and come from. */
  readonly dataPathAddr: string;
  readonly isDown: boolean;
  /** Absent before it was on an encrypted network. */
  readonly tunnel?: NodeTunnelKeys;
};

/** Public keys of a node's WireGuard interface, in base64. */
export type NodeTunnelKeys = {
  readonly publicKey: string;
  /** Public parts of what the keys of its pairs are made with, oldest first. */
  readonly pairKeys: readonly string[];
};

export type NetworkState = {
  /** Store index this was made at; what the agent acknowledges. */
  readonly index: number;
  readonly nodeId: string;
  /** UDP port of VXLAN. */
  readonly dataPathPort: number;
  readonly networks: readonly NetworkEntry[];
  /** All endpoints of those networks, local and remote. */
  readonly endpoints: readonly EndpointEntry[];
  readonly services: readonly ServiceEntry[];
  readonly nodes: readonly NodeEntry[];
};
