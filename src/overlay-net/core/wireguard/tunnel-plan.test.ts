import { expect, test } from "vitest";
import { nodeNames } from "../names.js";
import type { NetworkState } from "../network-state.js";
import { nodeIdOf, type RandomCluster, stateOf } from "../testing/random-cluster.js";
import { tunnelAddress, tunnelPort } from "./tunnel-address.js";
import { tunnelPlan } from "./tunnel-plan.js";

const CLUSTER: RandomCluster = {
  nodeCount: 3,
  downNodes: [1],
  tasks: [
    { node: 0, service: 0, networks: [0, 1], isBackend: true },
    { node: 1, service: 0, networks: [0, 1], isBackend: true },
    { node: 2, service: 1, networks: [0, 2], isBackend: true },
  ],
};

function state(encrypted: readonly string[]): NetworkState {
  const plain = stateOf(CLUSTER, 0);
  return {
    ...plain,
    networks: plain.networks.map((one) => ({ ...one, isEncrypted: encrypted.includes(one.id) })),
    nodes: plain.nodes.map((node) => ({
      ...node,
      tunnel: { publicKey: `key${node.index}`, pairKeys: [`pair${node.index}`] },
    })),
  };
}

const plan = (input: NetworkState) => tunnelPlan(input, nodeNames(nodeIdOf(0)));

test("a node on no encrypted network has no tunnel", () => {
  expect(plan(state([]))).toBeUndefined();
});

test("its peers are the nodes with tasks on its encrypted networks, each with one address inside", () => {
  expect(plan(state(["net1"]))).toEqual({
    link: "swwgnode0xxx",
    address: "198.18.0.1/20",
    port: 4790,
    mtu: 1500,
    index: 1,
    publishedPairKeys: ["pair1"],
    peers: [
      {
        nodeId: nodeIdOf(1),
        index: 2,
        isDown: true,
        publicKey: "key2",
        pairKeys: ["pair2"],
        endpoint: "10.99.0.2:4790",
        allowedIp: "198.18.0.2/32",
      },
    ],
  });
});

test("with encrypted ingress every node is a peer", () => {
  expect(plan(state(["ingress"]))?.peers.map(({ nodeId }) => nodeId)).toEqual([
    nodeIdOf(1),
    nodeIdOf(2),
  ]);
});

test("a node without keys yet is none, and one with an IPv6 address is reached there", () => {
  const { nodes, ...rest } = state(["ingress"]);
  const changed = nodes.map(({ tunnel, ...node }) =>
    node.index === 2 || tunnel === undefined ? node : { ...node, tunnel, dataPathAddr: "fd00::3" },
  );
  const peers = plan({ ...rest, nodes: changed })?.peers;
  expect(peers?.map(({ endpoint }) => endpoint)).toEqual(["[fd00::3]:4790"]);
});

test("nothing is planned before the managers know the node, or its port", () => {
  const input = state(["net1"]);
  expect(plan({ ...input, nodes: input.nodes.slice(1) })).toBeUndefined();
  expect(plan({ ...input, dataPathPort: 0 })).toBeUndefined();
});

test.each([
  { index: 1, address: "198.18.0.1" },
  { index: 256, address: "198.18.1.0" },
  { index: 4094, address: "198.18.15.254" },
])("node $index inside the tunnel is $address", ({ index, address }) => {
  expect(tunnelAddress(index)).toBe(address);
});

test.each([0, 4095, 1.5])("index %s is nobody's", (index) => {
  expect(() => tunnelAddress(index)).toThrow("is not in 1–4094");
});

test("the port is the one after VXLAN's, once that is known", () => {
  expect([tunnelPort(4789), tunnelPort(0)]).toEqual([4790, 0]);
});
