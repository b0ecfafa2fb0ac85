/** What managers would say of a cluster with two nodes: networks, services and tasks for the measures. */
import { type BenchHost, FAR, NEAR } from "./hosts.js";

export type Endpoint = {
  readonly taskId: string;
  readonly networkId: string;
  readonly nodeId: string;
  readonly serviceId: string;
  readonly address: string;
  readonly address6: string;
  readonly taskName: string;
  readonly containerId: string;
  readonly aliases: readonly string[];
  readonly isBackend: boolean;
};

export type Tunnel = { readonly publicKey: string; readonly pairKeys: readonly string[] };

/** As the managers' message, with what the measures use of it. */
export type NetworkState = {
  readonly index: number;
  readonly nodeId: string;
  readonly dataPathPort: number;
  readonly networks: readonly object[];
  readonly endpoints: readonly Endpoint[];
  readonly services: readonly object[];
  readonly nodes: readonly object[];
};

/** The network of all measures but the encrypted one. */
export const PLAIN = "plain";
export const ENCRYPTED = "encrypted";
const NETWORKS = {
  [PLAIN]: { vni: 4_097, base: "10.60", mtu: 1_450 },
  [ENCRYPTED]: { vni: 4_098, base: "10.61", mtu: 1_370 },
} as const;
type NetworkId = keyof typeof NETWORKS;

/** Places of endpoints in their subnet, so that groups do not meet. */
const PLACES = { client: 300, server: 310, local: 1_000, backend: 4_000, crowd: 10_000 } as const;
type Group = keyof typeof PLACES;

/** Services whose tasks are all on the other node, so many behind each. */
export const SERVICE_COUNT = 20;
export const BACKENDS_EACH = 10;
/** The service that is connected to; its tasks are the servers. */
export const WEB = "web";
export const WEB_VIP = "10.60.250.1";
export const SERVER_COUNT = 3;

export function addressOf(networkId: NetworkId, group: Group, i: number): string {
  const place = PLACES[group] + i;
  return `${NETWORKS[networkId].base}.${place >> 8}.${place & 255}`;
}

export function taskOf(group: Group, i: number): string {
  return `${group}${i}`;
}

function endpoint(
  networkId: NetworkId,
  host: BenchHost,
  group: Group,
  i: number,
  serviceId = "",
): Endpoint {
  const taskId = taskOf(group, i);
  return {
    ...{ taskId, networkId, nodeId: host.nodeId, serviceId, taskName: taskId, containerId: taskId },
    ...{ address: addressOf(networkId, group, i), address6: "", aliases: [] },
    isBackend: serviceId !== "",
  };
}

/** The i-th backend of the services on the other node. */
export function backend(i: number): Endpoint {
  return endpoint(PLAIN, FAR, "backend", i, `svc${Math.floor(i / BACKENDS_EACH)}`);
}

export type Content = {
  readonly index: number;
  /** Tasks of the near node that can be attached, beside the two clients. */
  readonly localCount: number;
  /** Tasks of the far node that nobody there runs: only their entries count. */
  readonly crowdCount: number;
  /** By node id; undefined: no encrypted network. */
  readonly tunnels: ReadonlyMap<string, Tunnel> | undefined;
};

export function stateFor(host: BenchHost, content: Content): NetworkState {
  const { index, tunnels } = content;
  const networkIds: readonly NetworkId[] = tunnels === undefined ? [PLAIN] : [PLAIN, ENCRYPTED];
  return {
    ...{ index, nodeId: host.nodeId, dataPathPort: 4_789 },
    networks: networkIds.map((id) => networkEntry(id)),
    endpoints: networkIds.flatMap((id) => [
      ...some(2, (i) => endpoint(id, NEAR, "client", i)),
      ...some(SERVER_COUNT, (i) => endpoint(id, FAR, "server", i, id === PLAIN ? WEB : "")),
      ...(id === PLAIN ? crowd(content) : []),
    ]),
    services: [
      serviceEntry(WEB, WEB_VIP),
      ...some(SERVICE_COUNT, (i) => serviceEntry(`svc${i}`, `10.60.251.${i + 1}`)),
    ],
    nodes: [NEAR, FAR].map((node) => {
      const tunnel = tunnels?.get(node.nodeId);
      const entry = { nodeId: node.nodeId, index: node.index, dataPathAddr: node.address };
      return { ...entry, isDown: false, ...(tunnel === undefined ? {} : { tunnel }) };
    }),
  };
}

function crowd({ localCount, crowdCount }: Content): readonly Endpoint[] {
  return [
    ...some(localCount, (i) => endpoint(PLAIN, NEAR, "local", i)),
    ...some(SERVICE_COUNT * BACKENDS_EACH, backend),
    ...some(crowdCount, (i) => endpoint(PLAIN, FAR, "crowd", i)),
  ];
}

function networkEntry(id: NetworkId): object {
  const { vni, base, mtu } = NETWORKS[id];
  return {
    ...{ id, name: id, vni, mtu, subnet: `${base}.0.0/16`, subnet6: "" },
    ...{ gateway: `${base}.0.1`, gateway6: "", isInternal: false, isIngress: false },
    isEncrypted: id === ENCRYPTED,
  };
}

function serviceEntry(serviceId: string, vip: string): object {
  return {
    ...{ serviceId, name: serviceId, networkId: PLAIN, mode: "vip", vip, vip6: "" },
    ...{ aliases: [], ports: [], prefersLocal: false },
  };
}

function some<T>(count: number, make: (i: number) => T): readonly T[] {
  return Array.from({ length: count }, (_, i) => make(i));
}
