/** Clusters by chance: networks, services and tasks on a few nodes, as each node is told of them. */
import * as fc from "fast-check";
import type { LocalFacts } from "../local-facts.js";
import { nodeNames } from "../names.js";
import type { EndpointEntry, NetworkEntry, NetworkState, ServiceEntry } from "../network-state.js";

export type RandomCluster = {
  readonly nodeCount: number;
  readonly tasks: readonly {
    readonly node: number;
    readonly service: number;
    readonly networks: readonly number[];
    readonly isBackend: boolean;
  }[];
  readonly downNodes: readonly number[];
  /** Absent: they have no IPv6 default route. */
  readonly leadOut6?: boolean;
};

const NETWORK_COUNT = 3;

export const anyCluster: fc.Arbitrary<RandomCluster> = fc
  .integer({ min: 1, max: 4 })
  .chain((nodeCount) =>
    fc.record({
      nodeCount: fc.constant(nodeCount),
      tasks: fc.array(
        fc.record({
          node: fc.nat(nodeCount - 1),
          service: fc.nat(2),
          // 0 is ingress.
          networks: fc.subarray([0, 1, 2]),
          isBackend: fc.boolean(),
        }),
        { maxLength: 7 },
      ),
      downNodes: fc.subarray(Array.from({ length: nodeCount }, (_, i) => i)),
      leadOut6: fc.boolean(),
    }),
  );

export function nodeIdOf(node: number): string {
  return `node${node}xxx0123456789abcdefg`;
}

export function dataPathAddrOf(node: number): string {
  return `10.99.0.${node + 1}`;
}

function networkId(network: number): string {
  return network === 0 ? "ingress" : `net${network}`;
}

/** Followed by a colon and the rest, in canonical form. */
function prefix6(network: number): string {
  return network === 0 ? "fd00:" : `fd00:${network}:`;
}

const NETWORKS: readonly NetworkEntry[] = Array.from({ length: NETWORK_COUNT }, (_, i) => ({
  id: networkId(i),
  name: networkId(i),
  vni: 4096 + i,
  subnet: `10.${100 + i}.0.0/16`,
  subnet6: i === 2 ? "" : `${prefix6(i)}:/64`,
  gateway: `10.${100 + i}.0.1`,
  gateway6: i === 2 ? "" : `${prefix6(i)}:1`,
  mtu: 1450,
  isInternal: false,
  isIngress: i === 0,
  isEncrypted: false,
}));

export function endpointsOf(cluster: RandomCluster): readonly EndpointEntry[] {
  return cluster.tasks.flatMap(({ node, service, networks, isBackend }, i) =>
    networks.map((network) => ({
      taskId: `task${i}`,
      networkId: networkId(network),
      nodeId: nodeIdOf(node),
      serviceId: `service${service}`,
      address: `10.${100 + network}.1.${i + 1}`,
      address6: network === 2 ? "" : `${prefix6(network)}:1:${i + 1}`,
      taskName: `service${service}.${i}.task${i}`,
      containerId: "",
      aliases: [],
      isBackend,
    })),
  );
}

function servicesOf(): readonly ServiceEntry[] {
  return NETWORKS.flatMap(({ id, isIngress }, network) =>
    [0, 1, 2].map((service) => ({
      serviceId: `service${service}`,
      name: `service${service}`,
      networkId: id,
      mode: "vip" as const,
      vip: isIngress ? "" : `10.${100 + network}.0.${10 + service}`,
      vip6: isIngress || network === 2 ? "" : `${prefix6(network)}:${10 + service}`,
      aliases: [],
      ports: isIngress
        ? [{ protocol: "tcp" as const, publishedPort: 8000 + service, targetPort: 80, name: "" }]
        : [],
      prefersLocal: service === 1,
    })),
  );
}

/** What the managers tell one node: its own networks and ingress, no others. */
export function stateOf(cluster: RandomCluster, node: number): NetworkState {
  const endpoints = endpointsOf(cluster);
  const own = endpoints.filter(({ nodeId }) => nodeId === nodeIdOf(node));
  const ids = new Set(["ingress", ...own.map((endpoint) => endpoint.networkId)]);
  return {
    index: 1,
    nodeId: nodeIdOf(node),
    dataPathPort: 4789,
    networks: NETWORKS.filter(({ id }) => ids.has(id)),
    endpoints: endpoints.filter((endpoint) => ids.has(endpoint.networkId)),
    services: servicesOf().filter((service) => ids.has(service.networkId)),
    nodes: Array.from({ length: cluster.nodeCount }, (_, i) => ({
      nodeId: nodeIdOf(i),
      index: i + 1,
      dataPathAddr: dataPathAddrOf(i),
      isDown: cluster.downNodes.includes(i),
    })),
  };
}

export function netnsOfTask(node: number, taskId: string): string {
  return `${nodeNames(nodeIdOf(node)).netnsPrefix}${taskId}`;
}

export function localFactsOf(cluster: RandomCluster, node: number): LocalFacts {
  return {
    attachments: cluster.tasks.flatMap((task, i) =>
      task.node !== node
        ? []
        : [
            {
              containerId: `container${i}`,
              taskId: `task${i}`,
              netns: netnsOfTask(node, `task${i}`),
              gwbridgeAddress: i % 3 === 2 ? "" : `172.20.0.${i + 2}`,
              networkIds: task.networks.map(networkId),
              dns: { udpPort: 1053, tcpPort: 1054 },
              proxies: [],
              hostPorts: [],
            },
          ],
    ),
    keepsGwbridge: true,
    gwbridgeSubnet: "172.20.0.0/20",
    gwbridgeMtu: 1500,
    heldPorts: [8000, 8001].map((publishedPort) => ({ protocol: "tcp", publishedPort })),
    uplinks: [{ name: "eth0", acceptRa: 1 }],
    wasForwarding: false,
    wasForwarding6: false,
    hasIpv6: true,
    hasDefaultRoute6: cluster.leadOut6 === true,
    hasBridgeNetfilter: false,
    firewall: { dockerUser: "absent", dockerUser6: "absent", isFirewalldRunning: false },
  };
}

export function inputOf(cluster: RandomCluster, node: number) {
  return {
    state: stateOf(cluster, node),
    names: nodeNames(nodeIdOf(node)),
    local: localFactsOf(cluster, node),
  };
}
