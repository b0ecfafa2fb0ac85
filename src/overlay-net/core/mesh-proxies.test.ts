import { expect, test } from "vitest";
import { wantedProxies } from "./mesh-proxies.js";
import type { PublishedPort } from "./network-state.js";
import { inputOf, type RandomCluster } from "./testing/random-cluster.js";

const CLUSTER: RandomCluster = {
  nodeCount: 2,
  downNodes: [],
  tasks: [
    { node: 0, service: 0, networks: [0, 1], isBackend: true },
    // Of another node, and on no ingress.
    { node: 1, service: 0, networks: [0, 1], isBackend: true },
    { node: 0, service: 0, networks: [1], isBackend: true },
  ],
};
const PORTS: readonly PublishedPort[] = [
  { protocol: "tcp", publishedPort: 8080, targetPort: 80, name: "" },
  { protocol: "tcp", publishedPort: 8081, targetPort: 80, name: "" },
  { protocol: "udp", publishedPort: 8080, targetPort: 80, name: "" },
  { protocol: "sctp", publishedPort: 8080, targetPort: 80, name: "" },
];
const CONTAINERS = [0, 2].map((i) => ({
  ...{ containerId: `container${i}`, netnsPath: `/run/netns/c${i}`, taskId: `task${i}` },
}));

function stateWith(ports: readonly PublishedPort[]) {
  const { state } = inputOf(CLUSTER, 0);
  return { ...state, services: state.services.map((one) => ({ ...one, ports })) };
}

test("every target of a published port of this node's own tasks gets one relay, for TCP and UDP", () => {
  const found = wantedProxies(stateWith(PORTS), CONTAINERS);
  expect(found.map((one) => `${one.containerId} ${one.protocol} ${one.targetPort}`)).toEqual([
    "container0 tcp 80",
    "container0 udp 80",
  ]);
  expect(found[0]).toMatchObject({ address: "10.100.1.1", address6: "fd00::1:1" });
});

test.each([
  { name: "without a published port", ports: [], change: {} },
  { name: "with one address alone", ports: PORTS, change: { address6: "" } },
])("a task $name has no relay", ({ ports, change }) => {
  const state = stateWith(ports);
  const endpoints = state.endpoints.map((one) => ({ ...one, ...change }));
  expect(wantedProxies({ ...state, endpoints }, CONTAINERS)).toEqual([]);
});
