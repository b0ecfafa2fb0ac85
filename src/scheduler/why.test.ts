import { describe, expect, test } from "vitest";
import type { Node, Service, Task } from "../api/index.js";
import { TASK_STATE } from "../api/index.js";
import {
  makeEncrypted,
  makeNetwork,
  makeNode,
  makeSpec,
  makeTask,
  type NodeFields,
} from "./testing/objects.js";
import { whyNode, whyTask } from "./why.js";

const GIB = 2 ** 30;

function viewOf(nodes: readonly Node[], tasks: readonly Task[]) {
  return {
    nodes: () => nodes,
    networks: () => [
      makeNetwork("app", "172.16.0.0/12"),
      makeEncrypted(makeNetwork("vault", "10.0.1.0/24")),
    ],
    tasks: () => tasks,
    tasksByService: (id: string) => tasks.filter((task) => task.serviceId === id),
    service: (): Service | undefined => undefined,
  };
}

const reserve = (Reservations: object) => makeSpec({ Resources: { Reservations } });

describe("what a node says to a task that waits, and the fix", () => {
  test.each<{ name: string; node: NodeFields; task: Partial<Task>; says: string; fix: string }>([
    {
      name: "memory",
      node: { memBytes: 8 * GIB },
      task: { spec: reserve({ MemoryBytes: 9 * GIB }) },
      says: "memory: needs 9GiB, 8GiB free of 8GiB",
      fix: "lower --reserve-memory to 8g, or add a node with 9GiB of memory",
    },
    {
      name: "CPUs",
      node: { cpus: 1 },
      task: { spec: reserve({ NanoCPUs: 1.5e9 }) },
      says: "CPUs: needs 1.5, 1 free of 1",
      fix: "lower --reserve-cpu to 1, or add a node with 1.5 CPUs",
    },
    {
      name: "generic resources that are not there at all",
      node: {},
      task: {
        spec: reserve({ GenericResources: [{ DiscreteResourceSpec: { Kind: "gpu", Value: 2 } }] }),
      },
      says: "gpu: needs 2, 0 free of 0",
      fix: "add a node with 2 gpu",
    },
    {
      name: "a label",
      node: { labels: { disk: "hdd" } },
      task: { spec: makeSpec({ Placement: { Constraints: ["node.labels.disk==ssd"] } }) },
      says: 'node.labels.disk==ssd: node.labels.disk is "hdd"',
      fix: "swarm node update --label-add disk=ssd w1, or swarm service update --constraint-rm 'node.labels.disk==ssd' web",
    },
    {
      name: "a key that does not exist",
      node: {},
      task: { spec: makeSpec({ Placement: { Constraints: ["node.color!=red"] } }) },
      says: "node.color!=red: there is no such key",
      fix: "swarm service update --constraint-rm 'node.color!=red' web",
    },
    {
      name: "availability",
      node: { availability: "drain" },
      task: {},
      says: "availability is drain",
      fix: "swarm node update --availability active w1",
    },
    {
      name: "a network that shares addresses with the node's bridge",
      node: { bridge: "172.20.0.0/20" },
      task: { networks: [{ networkId: "app", address: "172.16.0.2", address6: "", aliases: [] }] },
      says: "network app (172.16.0.0/12) overlaps the node's bridge (172.20.0.0/20)",
      fix: "give app another --subnet, or start swarmd on w1 with another --gwbridge-pool",
    },
    {
      name: "an encrypted network where there is no WireGuard",
      node: { wireGuard: "none" },
      task: { networks: [{ networkId: "vault", address: "10.0.1.2", address6: "", aliases: [] }] },
      says: "network vault is encrypted, and the node has no WireGuard",
      fix: "install wireguard-tools on w1, and wireguard-go where the kernel has no WireGuard",
    },
    {
      name: "a platform",
      node: {},
      task: {
        spec: makeSpec({ Placement: { Platforms: [{ OS: "linux", Architecture: "arm64" }] } }),
      },
      says: "platform: needs linux/arm64, is linux/x86_64",
      fix: "use an image for linux/x86_64",
    },
  ])("$name", ({ node, task, says, fix }) => {
    const waiting = makeTask("t1", task);
    const why = whyTask(viewOf([makeNode("w1", node)], [waiting]), waiting);
    expect(why.nodes[0]?.refusals.map((refusal) => refusal.text)).toEqual([says]);
    expect(why.fix).toBe(fix);
  });

  test("what other tasks hold counts, and the nearest node is the one that is named", () => {
    const held = makeTask("t0", {
      spec: reserve({ MemoryBytes: 7 * GIB }),
      nodeId: "w2",
      state: TASK_STATE.running,
    });
    const waiting = makeTask("t1", { spec: reserve({ MemoryBytes: 2 * GIB }) });
    const nodes = [
      makeNode("w1", { memBytes: GIB / 2 }),
      makeNode("w2"),
      makeNode("w3", { availability: "drain", memBytes: GIB }),
    ];
    const why = whyTask(viewOf(nodes, [held, waiting]), waiting);
    expect(why.nodes.map(({ refusals }) => refusals.length)).toEqual([1, 1, 2]);
    expect(why.fix).toBe("lower --reserve-memory to 1g, or free 1GiB on w2");
  });

  test("a node that fits needs no fix", () => {
    const waiting = makeTask("t1");
    const why = whyTask(viewOf([makeNode("w1")], [waiting]), waiting);
    expect(why).toMatchObject({ waitingCount: 1, fix: undefined, nodes: [{ refusals: [] }] });
  });

  test("a task with a node does not wait", () => {
    const task = makeTask("t1", { nodeId: "w1", state: TASK_STATE.running });
    expect(whyTask(viewOf([makeNode("w1")], [task]), task)).toMatchObject({
      summary: "has its node already",
      nodes: [],
    });
  });
});

test("a node tells what it says to each waiting service; tasks of other nodes do not concern it", () => {
  const nodes = [makeNode("w1", { cpus: 1 }), makeNode("w2")];
  const tasks = [
    makeTask("t1", { serviceId: "big", serviceName: "big", spec: reserve({ NanoCPUs: 2e9 }) }),
    makeTask("t2", { serviceId: "big", serviceName: "big", spec: reserve({ NanoCPUs: 2e9 }) }),
    makeTask("t3", { serviceId: "all", nodeId: "w2" }),
    makeTask("t4"),
  ];
  const why = whyNode(viewOf(nodes, tasks), nodes[0] as Node);
  expect(why.summary).toBe("ready, active, 0 tasks; refuses 1 of 2 services that wait for a node");
  expect(why.services.map((s) => [s.serviceName, s.waitingCount, s.refusals.length])).toEqual([
    ["big", 2, 1],
    ["web", 1, 0],
  ]);
});
