import { describe, expect, test } from "vitest";
import { type Network, type Node, TASK_STATE, type Task, type TaskSpec } from "../api/index.js";
import { Scheduler } from "./scheduler.js";
import {
  makeEncrypted,
  makeNetwork,
  makeNode,
  makeSpec,
  makeTask,
  type NodeFields,
} from "./testing/objects.js";

const NOW = 1_000_000_000;

class Cluster {
  readonly scheduler = new Scheduler({ explainEveryMs: 0 });
  readonly nodes = new Map<string, Node>();
  readonly tasks = new Map<string, Task>();
  networks: readonly Network[] = [];
  nowMs = NOW;
  #made = 0;

  view() {
    return {
      nodes: () => [...this.nodes.values()],
      networks: () => this.networks,
      tasks: () => [...this.tasks.values()],
      task: (id: string) => this.tasks.get(id),
    };
  }

  node(id: string, fields: NodeFields = {}): this {
    const node = makeNode(id, fields);
    const old = this.nodes.get(id);
    this.nodes.set(id, node);
    this.scheduler.applyEvents(
      [
        old
          ? { table: "node", kind: "updated", object: node, old }
          : { table: "node", kind: "created", object: node },
      ],
      this.nowMs,
    );
    return this;
  }

  put(task: Task): Task {
    const old = this.tasks.get(task.id);
    this.tasks.set(task.id, task);
    this.scheduler.applyEvents(
      [
        old
          ? { table: "task", kind: "updated", object: task, old }
          : { table: "task", kind: "created", object: task },
      ],
      this.nowMs,
    );
    return task;
  }

  tasksOf(count: number, spec: Partial<TaskSpec> = {}, fields: Partial<Task> = {}): this {
    const shared = makeSpec(spec);
    for (let i = 0; i < count; i++)
      this.put(makeTask(`t${String(++this.#made).padStart(5, "0")}`, { spec: shared, ...fields }));
    return this;
  }

  /** Schedules and commits. Node ids of the assigned, in order; reasons of the others. */
  run(): { nodes: string[]; reasons: string[] } {
    const { decisions } = this.scheduler.schedule(this.nowMs, 10_000);
    const nodes: string[] = [];
    const reasons = new Set<string>();
    for (const decision of decisions) {
      const task = this.tasks.get(decision.taskId);
      if (!task) throw new Error("unknown task");
      if (decision.kind === "wait") {
        reasons.add(decision.reason);
        this.put({ ...task, err: decision.reason });
      } else {
        nodes.push(decision.nodeId);
        const { nodeId, genericResources } = decision;
        this.put({ ...task, nodeId, genericResources, state: TASK_STATE.assigned, err: "" });
      }
    }
    this.scheduler.settle(
      decisions.map((decision) => decision.taskId),
      this.view(),
    );
    return { nodes, reasons: [...reasons] };
  }

  counts(): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const { nodeId } of this.tasks.values()) counts[nodeId] = (counts[nodeId] ?? 0) + 1;
    return counts;
  }
}

describe("the explanation", () => {
  const two = (fields: NodeFields) => new Cluster().node("a", fields).node("b", fields);
  const hostPort = {
    hostPorts: [
      { Protocol: "tcp", TargetPort: 80, PublishedPort: 8080, PublishMode: "host" },
    ] as const,
  };
  test.each<{ name: string; cluster: Cluster; reason: string }>([
    { name: "no node", cluster: new Cluster().tasksOf(1), reason: "no suitable node" },
    {
      name: "none ready, plural",
      cluster: two({ state: "down" }).tasksOf(1),
      reason: "no suitable node (2 nodes not available for new tasks)",
    },
    {
      name: "none ready, singular",
      cluster: new Cluster().node("a", { availability: "drain" }).tasksOf(1),
      reason: "no suitable node (1 node not available for new tasks)",
    },
    {
      name: "CPU",
      cluster: two({ cpus: 1 }).tasksOf(1, { Resources: { Reservations: { NanoCPUs: 2e9 } } }),
      reason: "no suitable node (insufficient resources on 2 nodes)",
    },
    {
      name: "memory",
      cluster: new Cluster()
        .node("a", { memBytes: 1 })
        .tasksOf(1, { Resources: { Reservations: { MemoryBytes: 2 } } }),
      reason: "no suitable node (insufficient resources on 1 node)",
    },
    {
      name: "generic resources",
      cluster: new Cluster()
        .node("a", { generic: [{ NamedResourceSpec: { Kind: "gpu", Value: "g1" } }] })
        .tasksOf(1, {
          Resources: {
            Reservations: {
              GenericResources: [{ DiscreteResourceSpec: { Kind: "gpu", Value: 2 } }],
            },
          },
        }),
      reason: "no suitable node (insufficient resources on 1 node)",
    },
    {
      name: "volume plugin",
      cluster: two({ plugins: [{ Type: "Volume", Name: "local" }] }).tasksOf(1, {
        ContainerSpec: {
          Image: "i",
          Mounts: [
            { Type: "volume", Target: "/v", VolumeOptions: { DriverConfig: { Name: "nfs" } } },
          ],
        },
      }),
      reason: "no suitable node (missing plugin on 2 nodes)",
    },
    {
      name: "log plugin",
      cluster: new Cluster()
        .node("a", { plugins: [{ Type: "Log", Name: "json-file" }] })
        .tasksOf(1, { LogDriver: { Name: "syslog" } }),
      reason: "no suitable node (missing plugin on 1 node)",
    },
    {
      name: "constraints",
      cluster: two({}).tasksOf(1, { Placement: { Constraints: ["node.labels.x==y"] } }),
      reason: "no suitable node (scheduling constraints not satisfied on 2 nodes)",
    },
    {
      name: "an unknown constraint key",
      cluster: two({}).tasksOf(1, { Placement: { Constraints: ["node.colour!=red"] } }),
      reason: "no suitable node (scheduling constraints not satisfied on 2 nodes)",
    },
    {
      name: "platform",
      cluster: two({}).tasksOf(1, { Placement: { Platforms: [{ Architecture: "arm64" }] } }),
      reason: "no suitable node (unsupported platform on 2 nodes)",
    },
    {
      name: "host port",
      cluster: new Cluster().node("a").tasksOf(2, {}, hostPort),
      reason: "no suitable node (host-mode port already in use on 1 node)",
    },
    {
      name: "max replicas",
      cluster: two({}).tasksOf(3, { Placement: { MaxReplicas: 1 } }),
      reason: "no suitable node (max replicas per node limit exceed)",
    },
    {
      name: "several, most frequent first",
      cluster: two({})
        .node("c")
        .node("d", { availability: "pause" })
        .node("e", { labels: { x: "y" }, cpus: 0 })
        .tasksOf(1, {
          Placement: { Constraints: ["node.labels.x==y"] },
          Resources: { Reservations: { NanoCPUs: 1 } },
        }),
      reason:
        "no suitable node (scheduling constraints not satisfied on 3 nodes; 1 node not available for new tasks; insufficient resources on 1 node)",
    },
  ])("$name: $reason", ({ cluster, reason }) => {
    expect(cluster.run().reasons).toEqual([reason]);
    // Told once; told again only when it changed.
    expect(cluster.run().reasons).toEqual([]);
  });
});

describe("placement", () => {
  test("spreads a service over the nodes, whatever else runs there", () => {
    const cluster = new Cluster().node("a").node("b").node("c");
    cluster.tasksOf(6, {}, { serviceId: "other", nodeId: "a", state: TASK_STATE.running });
    expect(cluster.tasksOf(6).run().nodes.sort()).toEqual(["a", "a", "b", "b", "c", "c"]);
    cluster.node("d").tasksOf(2);
    expect(cluster.run().nodes).toEqual(["d", "d"]);
  });

  test("platforms match in either spelling, and blanks match any", () => {
    const platforms = (Architecture: string, OS = "linux") => ({
      Placement: { Platforms: [{ Architecture, OS }] },
    });
    const cluster = new Cluster().node("arm", { arch: "aarch64" }).node("intel");
    expect(cluster.tasksOf(1, platforms("arm64")).run().nodes).toEqual(["arm"]);
    expect(cluster.tasksOf(1, platforms("amd64"), { serviceId: "s2" }).run().nodes).toEqual([
      "intel",
    ]);
    expect(cluster.tasksOf(1, platforms("x86_64"), { serviceId: "s3" }).run().nodes).toEqual([
      "intel",
    ]);
    expect(cluster.tasksOf(2, platforms(""), { serviceId: "s4" }).run().nodes).toHaveLength(2);
  });

  test("plugins may be listed with a tag, and nodes that list no log drivers take any", () => {
    const cluster = new Cluster()
      .node("a", { plugins: [{ Type: "Volume", Name: "nfs:latest" }] })
      .tasksOf(1, {
        LogDriver: { Name: "syslog" },
        ContainerSpec: {
          Image: "i",
          Mounts: [
            { Type: "volume", Target: "/v", VolumeOptions: { DriverConfig: { Name: "nfs" } } },
          ],
        },
      });
    expect(cluster.run().nodes).toEqual(["a"]);
  });

  test("a node where five tasks of a spec failed comes last for it, for five minutes", () => {
    const cluster = new Cluster().node("a").node("b");
    const fail = (version: number, nodeId: string) => {
      const id = `f${version}${nodeId}${cluster.tasks.size}`;
      const task = makeTask(id, { nodeId, state: TASK_STATE.running, specVersion: version });
      cluster.put(cluster.put(task) && { ...task, state: TASK_STATE.failed });
    };
    cluster.tasksOf(3, {}, { serviceId: "other", nodeId: "b", state: TASK_STATE.running });
    for (let i = 0; i < 4; i++) fail(1, "a");
    expect(cluster.tasksOf(1).run().nodes).toEqual(["a"]);
    fail(1, "a");
    expect(cluster.tasksOf(3).run().nodes).toEqual(["b", "b", "b"]);
    // Another spec has a clean record there.
    expect(cluster.tasksOf(1, {}, { specVersion: 2 }).run().nodes).toEqual(["a"]);
    cluster.nowMs += 5 * 60_000;
    expect(cluster.tasksOf(1).run().nodes).toEqual(["a"]);
  });

  test("ended tasks free what they held", () => {
    const big = { Resources: { Reservations: { NanoCPUs: 3e9 } } };
    const cluster = new Cluster().node("a", { cpus: 4 }).tasksOf(2, big);
    expect(cluster.run().nodes).toEqual(["a"]);
    const first = [...cluster.tasks.values()].find((task) => task.nodeId === "a");
    if (first) cluster.put({ ...first, desiredState: TASK_STATE.shutdown });
    // Still running: no longer counted for the spread, yet in possession of its CPUs.
    expect(cluster.run().nodes).toEqual([]);
    if (first)
      cluster.put({
        ...first,
        desiredState: TASK_STATE.shutdown,
        state: TASK_STATE.shutdown,
      });
    expect(cluster.run().nodes).toEqual(["a"]);
  });

  test("unwanted, unallocated and ended tasks are left alone", () => {
    const cluster = new Cluster().node("a");
    cluster.tasksOf(1, {}, { desiredState: TASK_STATE.shutdown });
    cluster.tasksOf(1, {}, { state: TASK_STATE.new });
    cluster.tasksOf(1, {}, { state: TASK_STATE.failed });
    expect(cluster.run()).toEqual({ nodes: [], reasons: [] });
    expect(cluster.scheduler.pendingCount).toBe(0);
  });
});

describe("placement preferences", () => {
  const spread = (...labels: string[]) => ({
    Placement: {
      Preferences: labels.map((label) => ({
        Spread: { SpreadDescriptor: `node.labels.${label}` },
      })),
    },
  });

  test("branches get equal shares, whatever their size; nodes without the label are one branch", () => {
    const cluster = new Cluster()
      .node("a1", { labels: { zone: "a" } })
      .node("b1", { labels: { zone: "b" } })
      .node("b2", { labels: { zone: "b" } })
      .node("b3", { labels: { zone: "b" } })
      .node("none");
    cluster.tasksOf(12, spread("zone")).run();
    expect(cluster.counts()).toEqual({ a1: 4, b1: 2, b2: 1, b3: 1, none: 4 });
  });

  test("nested: zones first, then racks within", () => {
    const cluster = new Cluster()
      .node("n1", { labels: { zone: "a", rack: "r1" } })
      .node("n2", { labels: { zone: "a", rack: "r2" } })
      .node("n3", { labels: { zone: "a", rack: "r2" } })
      .node("n4", { labels: { zone: "b", rack: "r1" } });
    cluster.tasksOf(8, spread("zone", "rack")).run();
    expect(cluster.counts()).toEqual({ n1: 2, n2: 1, n3: 1, n4: 4 });
  });

  test("scaling up evens out what a lopsided start left", () => {
    const cluster = new Cluster().node("a", { labels: { zone: "a" } });
    cluster.tasksOf(4, spread("zone")).run();
    cluster
      .node("b", { labels: { zone: "b" } })
      .tasksOf(6, spread("zone"))
      .run();
    expect(cluster.counts()).toEqual({ a: 5, b: 5 });
  });

  test("a branch that can take no more leaves its share to the others", () => {
    const cluster = new Cluster()
      .node("a", { labels: { zone: "a" }, cpus: 1 })
      .node("b", { labels: { zone: "b" }, cpus: 8 });
    const spec = { ...spread("zone"), Resources: { Reservations: { NanoCPUs: 1e9 } } };
    const { reasons } = cluster.tasksOf(10, spec).run();
    expect(cluster.counts()).toEqual({ a: 1, b: 8, "": 1 });
    expect(reasons).toEqual(["no suitable node (insufficient resources on 2 nodes)"]);
  });

  test("services of one task do not all land in the first branch", () => {
    const cluster = new Cluster();
    for (let i = 0; i < 20; i++)
      cluster.node(`n${String(i).padStart(2, "0")}`, { labels: { zone: `z${i % 4}` } });
    for (let i = 0; i < 40; i++) cluster.tasksOf(1, spread("zone"), { serviceId: `s${i}` }).run();
    expect(new Set(Object.values(cluster.counts()))).toEqual(new Set([2]));
  });
});

describe("a decision that does not come true", () => {
  test("is given back: the task waits again, its place is free", () => {
    const big = { Resources: { Reservations: { NanoCPUs: 3e9 } } };
    const cluster = new Cluster().node("a", { cpus: 4 }).tasksOf(1, big);
    const first = cluster.scheduler.schedule(NOW, 10).decisions;
    expect(first).toHaveLength(1);
    // While it is in flight it is not decided again, and its place is taken.
    cluster.tasksOf(1, big, { serviceId: "other" });
    expect(cluster.scheduler.schedule(NOW, 10).decisions).toMatchObject([{ kind: "wait" }]);
    cluster.scheduler.settle(
      first.map((decision) => decision.taskId),
      cluster.view(),
    );
    expect(cluster.run().nodes).toEqual(["a"]);
  });

  test("the limit is kept, and says that there is more", () => {
    const cluster = new Cluster().node("a").tasksOf(5);
    const first = cluster.scheduler.schedule(NOW, 3);
    expect([first.decisions.length, first.isMore]).toEqual([3, true]);
    const second = cluster.scheduler.schedule(NOW, 3);
    expect([second.decisions.length, second.isMore]).toEqual([2, false]);
  });
});

test("explanations are renewed once a second, not with every change of a node", () => {
  const scheduler = new Scheduler();
  const constrained = makeSpec({ Placement: { Constraints: ["node.labels.x==y"] } });
  const waiting = makeTask("t", { spec: constrained });
  const told = { ...waiting, err: "no suitable node" };
  scheduler.applyEvents([{ table: "task", kind: "created", object: waiting }], NOW);
  expect(scheduler.schedule(NOW, 10).decisions).toMatchObject([{ reason: "no suitable node" }]);
  scheduler.applyEvents(
    [
      { table: "task", kind: "updated", object: told, old: waiting },
      { table: "node", kind: "created", object: makeNode("a") },
    ],
    NOW + 10,
  );
  expect(scheduler.schedule(NOW + 10, 10)).toMatchObject({ decisions: [], wakeAtMs: NOW + 1000 });
  expect(scheduler.schedule(NOW + 1000, 10).decisions).toMatchObject([
    { reason: "no suitable node (scheduling constraints not satisfied on 1 node)" },
  ]);
});

describe("tasks made for one node", () => {
  const cpus = (count: number) => ({ Resources: { Reservations: { NanoCPUs: count * 1e9 } } });

  test("come before all others, whatever came first", () => {
    const cluster = new Cluster().node("a", { cpus: 1 }).tasksOf(1, cpus(1), { serviceId: "any" });
    cluster.tasksOf(1, cpus(1), { serviceId: "all", nodeId: "a", slot: 0 });
    expect(cluster.run().nodes).toEqual(["a"]);
    expect([...cluster.tasks.values()].filter((t) => t.nodeId === "a")).toMatchObject([
      { serviceId: "all", state: TASK_STATE.assigned },
    ]);
  });

  test("are told again why they wait when the first time was not stored", () => {
    const cluster = new Cluster().node("a", { cpus: 1 });
    cluster.tasksOf(1, cpus(2), { serviceId: "all", nodeId: "a", slot: 0 });
    const { decisions } = cluster.scheduler.schedule(NOW, 10);
    expect(decisions).toMatchObject([{ kind: "wait" }]);
    expect(cluster.scheduler.schedule(NOW, 10).decisions).toEqual([]);
    const taskIds = decisions.map(({ taskId }) => taskId);
    cluster.scheduler.settle(taskIds, cluster.view());
    expect(cluster.scheduler.schedule(NOW, 10).decisions).toEqual(decisions);
    // Nothing ended since that was decided before.
    cluster.scheduler.settle([], cluster.view());
    expect(cluster.scheduler.schedule(NOW, 10).decisions).toEqual([]);
  });

  test("wait with the bare explanation and hold nothing meanwhile", () => {
    const cluster = new Cluster().node("a", { cpus: 2 }).tasksOf(1, cpus(3), { nodeId: "a" });
    expect(cluster.run()).toEqual({ nodes: [], reasons: ["insufficient resources on 1 node"] });
    expect(cluster.run()).toEqual({ nodes: [], reasons: [] });
    expect(cluster.tasksOf(1, cpus(2), { serviceId: "small" }).run().nodes).toEqual(["a"]);
  });

  test("start when their node is ready again", () => {
    const cluster = new Cluster().node("a", { state: "down" }).tasksOf(1, {}, { nodeId: "a" });
    expect(cluster.run().reasons).toEqual(["1 node not available for new tasks"]);
    expect(cluster.node("a").run().nodes).toEqual(["a"]);
    expect(cluster.scheduler.pendingCount).toBe(0);
  });
});

test("generic resources: names are claimed lowest first and come back when the task ends", () => {
  const gpus = (values: string) =>
    [...values].map((Value) => ({ NamedResourceSpec: { Kind: "gpu", Value } }));
  const wants = {
    Resources: {
      Reservations: { GenericResources: [{ DiscreteResourceSpec: { Kind: "gpu", Value: 2 } }] },
    },
  };
  const cluster = new Cluster().node("a", { generic: gpus("cab") }).tasksOf(2, wants);
  expect(cluster.run()).toEqual({
    nodes: ["a"],
    reasons: ["no suitable node (insufficient resources on 1 node)"],
  });
  const [first, second] = [...cluster.tasks.values()];
  expect(first?.genericResources).toEqual(gpus("ab"));
  if (first) cluster.put({ ...first, state: TASK_STATE.complete });
  cluster.run();
  expect(cluster.tasks.get(second?.id ?? "")?.genericResources).toEqual(gpus("ab"));
});

describe("a network that overlaps the bridge of a node", () => {
  const onApp = (): Partial<Task> => ({
    networks: [{ networkId: "app", address: "172.16.0.2", address6: "", aliases: [] }],
  });
  const app = makeNetwork("app", "172.16.0.0/12");

  test("has its tasks on other nodes, and others' tasks everywhere", () => {
    const cluster = new Cluster();
    cluster.networks = [app, makeNetwork("other", "10.0.0.0/24")];
    cluster.node("a", { bridge: "172.20.0.0/20" }).node("b", { bridge: "192.168.0.0/20" });
    cluster.scheduler.rebuild(cluster.view(), NOW);
    expect(cluster.tasksOf(3, {}, onApp()).run().nodes).toEqual(["b", "b", "b"]);
    expect(cluster.tasksOf(2, {}, { serviceId: "free" }).run().nodes).toEqual(["a", "b"]);
  });

  test("the reason is told while there is no other node, until the network is gone", () => {
    const cluster = new Cluster().node("a", { bridge: "172.20.0.0/20" });
    cluster.scheduler.applyEvents([{ table: "network", kind: "created", object: app }], NOW);
    expect(cluster.tasksOf(1, {}, onApp()).run()).toEqual({
      nodes: [],
      reasons: ["no suitable node (network overlaps the bridge of 1 node)"],
    });
    expect(cluster.node("b", { bridge: "10.9.0.0/20" }).run().nodes).toEqual(["b"]);
    cluster.scheduler.applyEvents([{ table: "network", kind: "removed", old: app }], NOW);
    expect(cluster.tasksOf(1, {}, { ...onApp(), serviceId: "late" }).run().nodes).toEqual(["a"]);
  });

  test("what was made for that node says so too", () => {
    const cluster = new Cluster();
    cluster.networks = [app];
    cluster.node("a", { bridge: "172.20.0.0/20" });
    cluster.scheduler.rebuild(cluster.view(), NOW);
    expect(cluster.tasksOf(1, {}, { ...onApp(), nodeId: "a" }).run().reasons).toEqual([
      "network overlaps the bridge of 1 node",
    ]);
  });
});

describe("an encrypted network", () => {
  const onApp = (): Partial<Task> => ({
    networks: [{ networkId: "app", address: "10.0.1.2", address6: "", aliases: [] }],
  });
  const app = makeEncrypted(makeNetwork("app", "10.0.1.0/24"));

  test("has its tasks on nodes with WireGuard, or that do not say; others' tasks are everywhere", () => {
    const cluster = new Cluster();
    cluster.networks = [app, makeNetwork("other", "10.0.0.0/24")];
    cluster.node("a", { wireGuard: "none" }).node("b", { wireGuard: "wireguard-go" }).node("c");
    cluster.scheduler.rebuild(cluster.view(), NOW);
    expect(cluster.tasksOf(2, {}, onApp()).run().nodes).toEqual(["b", "c"]);
    const onOther = { ...onApp().networks?.[0], networkId: "other" } as Task["networks"][number];
    expect(cluster.tasksOf(1, {}, { serviceId: "free", networks: [onOther] }).run().nodes).toEqual([
      "a",
    ]);
  });

  test("the reason is told while no node has WireGuard, and the tasks go where it is installed", () => {
    const cluster = new Cluster().node("a", { wireGuard: "none" }).node("b", { wireGuard: "none" });
    cluster.scheduler.applyEvents([{ table: "network", kind: "created", object: app }], NOW);
    expect(cluster.tasksOf(1, {}, onApp()).run()).toEqual({
      nodes: [],
      reasons: ["no suitable node (no WireGuard on 2 nodes)"],
    });
    expect(cluster.node("b", { wireGuard: "kernel" }).run().nodes).toEqual(["b"]);
  });

  test("what was made for a node without WireGuard says so too", () => {
    const cluster = new Cluster();
    cluster.networks = [app];
    cluster.node("a", { wireGuard: "none" });
    cluster.scheduler.rebuild(cluster.view(), NOW);
    expect(cluster.tasksOf(1, {}, { ...onApp(), nodeId: "a" }).run().reasons).toEqual([
      "no WireGuard on 1 node",
    ]);
  });
});
