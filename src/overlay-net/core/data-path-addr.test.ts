import { expect, test } from "vitest";
import type { Node } from "../../api/index.js";
import { ClusterStore } from "../../store/index.js";
import {
  apply,
  IDLE_PACE,
  sampleCluster,
  sampleNetwork,
  sampleNode,
} from "../../store/testing/samples.js";
import { NetworkTracker } from "./network-tracker.js";
import { networkStateFor } from "./node-view.js";

const ingress = {
  ...sampleNetwork(1),
  spec: { ...sampleNetwork(1).spec, Ingress: true },
  vni: 4096,
  subnets: [{ subnet: "10.255.0.0/16", gateway: "10.255.0.1", ipRange: "" }],
};

const described = (number: number, addr: string, DataPathAddr?: string): Node =>
  sampleNode(number, {
    addr,
    description: {
      Hostname: `n${number}`,
      Platform: { Architecture: "x86_64", OS: "linux" },
      Resources: { NanoCPUs: 4e9, MemoryBytes: 2 ** 33 },
      Engine: { EngineVersion: "1", Plugins: [] },
      EngineKind: "containerd",
      ...(DataPathAddr !== undefined && { DataPathAddr }),
    },
  });

test("tunnels lead to the address that a node names for them, or to the one it is known by", () => {
  const store = new ClusterStore(IDLE_PACE);
  apply(store, [
    { kind: "putCluster", cluster: sampleCluster() },
    { kind: "putNetwork", network: ingress },
    { kind: "putNode", node: described(1, "10.99.0.11", "192.0.2.11") },
    { kind: "putNode", node: described(2, "10.99.0.12") },
  ]);
  const { nodes } = networkStateFor(store, sampleNode(1).id);
  expect(nodes.map(({ dataPathAddr }) => dataPathAddr)).toEqual(["192.0.2.11", "10.99.0.12"]);
});

test("another address is told to all nodes", () => {
  const store = new ClusterStore(IDLE_PACE);
  const known = described(1, "10.99.0.11");
  apply(store, [
    { kind: "putCluster", cluster: sampleCluster() },
    { kind: "putNetwork", network: ingress },
    { kind: "putNode", node: known },
    { kind: "putNode", node: described(2, "10.99.0.12") },
  ]);
  const tracker = new NetworkTracker(store);
  const moved = described(1, "10.99.0.11", "192.0.2.11");
  apply(store, [{ kind: "putNode", node: moved }]);
  const deltas = tracker.step([{ table: "node", kind: "updated", old: known, object: moved }]);
  expect(deltas?.get(sampleNode(2).id)).toMatchObject({
    nodes: { set: [{ dataPathAddr: "192.0.2.11" }] },
  });
});
