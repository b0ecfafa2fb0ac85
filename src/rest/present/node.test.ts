import { expect, test } from "vitest";
import type { Node } from "../../api/index.js";
import { presentNode } from "./node.js";

const NODE: Node = {
  id: "n1",
  versionIndex: 1,
  clientIndex: 1,
  createdAtMs: 0,
  updatedAtMs: 0,
  spec: { Labels: {}, Role: "worker", Availability: "active" },
  role: "worker",
  description: {
    Hostname: "host1",
    Platform: { Architecture: "x86_64", OS: "linux" },
    Resources: { NanoCPUs: 1, MemoryBytes: 1 },
    Engine: { EngineVersion: "1", Plugins: [] },
    EngineKind: "containerd",
    Routes: ["10.0.0.0/8"],
    Tunnel: { Implementation: "wireguard-go", PublicKey: "p", PairKeys: ["q"] },
  },
  state: "ready",
  stateMessage: "",
  addr: "10.0.0.1",
  manager: undefined,
  nodeIndex: 1,
  bootId: "b",
  downSinceMs: 0,
  drainSinceMs: 0,
};

test("what encrypts a node's networks is shown, without what only nodes need", () => {
  const shown = presentNode(NODE, undefined, () => ({ isLeader: false, reachability: "unknown" }));
  expect(shown.Description).toMatchObject({
    Encryption: { Implementation: "wireguard-go", PublicKey: "p" },
  });
  expect(Object.keys(shown.Description)).not.toContain("Tunnel");
  expect(Object.keys(shown.Description)).not.toContain("Routes");
});
