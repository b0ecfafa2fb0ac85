/** The indexed scheduler against an obvious slow one: every single decision must be the one that the slow one takes. */
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  type GenericResource,
  type Node,
  TASK_STATE,
  type Task,
  type TaskSpec,
} from "../api/index.js";
import { type Decision, Scheduler } from "./scheduler.js";
import { makeEncrypted, makeNetwork, makeNode, makeSpec, makeTask } from "./testing/objects.js";

const NODE_IDS = ["n1", "n2", "n3", "n4", "n5", "n6"];
const SPECS: readonly { readonly spec: TaskSpec; readonly ports: Task["hostPorts"] }[] = [
  { spec: makeSpec({}), ports: [] },
  { spec: makeSpec({ Placement: { Constraints: ["node.labels.disk==ssd"] } }), ports: [] },
  { spec: makeSpec({ Placement: { MaxReplicas: 1 } }), ports: [] },
  {
    spec: makeSpec({ Resources: { Reservations: { NanoCPUs: 1e9, MemoryBytes: 100 } } }),
    ports: [],
  },
  {
    spec: makeSpec({
      Placement: { Preferences: [{ Spread: { SpreadDescriptor: "node.labels.zone" } }] },
    }),
    ports: [],
  },
  {
    spec: makeSpec({
      Placement: {
        Preferences: [
          { Spread: { SpreadDescriptor: "node.labels.zone" } },
          { Spread: { SpreadDescriptor: "node.labels.disk" } },
        ],
        MaxReplicas: 2,
      },
    }),
    ports: [],
  },
  {
    spec: makeSpec({ Placement: { Platforms: [{ OS: "linux", Architecture: "arm64" }] } }),
    ports: [{ Protocol: "tcp", TargetPort: 80, PublishedPort: 8080, PublishMode: "host" }],
  },
  {
    spec: makeSpec({
      Resources: {
        Reservations: {
          GenericResources: [{ DiscreteResourceSpec: { Kind: "gpu", Value: 2 } }],
        },
      },
    }),
    ports: [],
  },
  { spec: makeSpec({ Networks: [{ Target: "vault" }] }), ports: [] },
  {
    spec: makeSpec({
      Networks: [{ Target: "vault" }],
      Placement: { Preferences: [{ Spread: { SpreadDescriptor: "node.labels.zone" } }] },
    }),
    ports: [],
  },
];
/** Encrypted. */
const VAULT = makeEncrypted(makeNetwork("vault", "10.0.1.0/24"));

/** What nodes list of the kind "gpu". */
const GPUS: readonly (readonly GenericResource[])[] = [
  [],
  [{ DiscreteResourceSpec: { Kind: "gpu", Value: 5 } }],
  ["b", "a", "c"].map((Value) => ({ NamedResourceSpec: { Kind: "gpu", Value } })),
];

type Failure = { readonly nodeId: string; readonly service: string; readonly atMs: number };
type World = {
  readonly nodes: Map<string, Node>;
  readonly tasks: Map<string, Task>;
  failures: Failure[];
};

const held = (task: Task) =>
  task.nodeId !== "" && task.state >= TASK_STATE.assigned && task.state <= TASK_STATE.running;
const active = (task: Task) => held(task) && task.desiredState <= TASK_STATE.complete;
const serviceKey = (task: Task) => `${task.serviceId}/${task.specVersion}`;

const pieces = (of: readonly GenericResource[]) =>
  of.reduce((n, r) => n + ("DiscreteResourceSpec" in r ? r.DiscreteResourceSpec.Value : 0), 0);
const namesOf = (of: readonly GenericResource[]) =>
  of.flatMap((r) => ("NamedResourceSpec" in r ? [r.NamedResourceSpec.Value] : []));

function claimedGpus(world: World, node: Node): readonly GenericResource[] {
  return [...world.tasks.values()]
    .filter((task) => task.nodeId === node.id && held(task))
    .flatMap((task) => task.genericResources);
}

/** Names nobody holds and pieces nobody holds; on a node without names also held names count. */
function freeGpus(world: World, node: Node): number {
  const all = node.description?.Resources.GenericResources ?? [];
  const claimed = claimedGpus(world, node);
  const taken = new Set(namesOf(claimed));
  const names = namesOf(all);
  return (
    pieces(all) -
    pieces(claimed) +
    names.filter((name) => !taken.has(name)).length -
    (names.length === 0 ? taken.size : 0)
  );
}

/** Name of the first filter that fails, written anew from the specification. */
function naiveFilter(world: World, task: Task, node: Node): string | undefined {
  const here = [...world.tasks.values()].filter((other) => other.nodeId === node.id);
  const sum = (of: (t: Task) => number) => here.filter(held).reduce((n, t) => n + of(t), 0);
  const { Placement, Resources } = task.spec;
  const description = node.description;
  if (node.state !== "ready" || node.spec.Availability !== "active") return "ready";
  const cpu = (t: Task) => t.spec.Resources?.Reservations?.NanoCPUs ?? 0;
  const mem = (t: Task) => t.spec.Resources?.Reservations?.MemoryBytes ?? 0;
  if (Resources?.Reservations) {
    if (cpu(task) > 0 && sum(cpu) + cpu(task) > (description?.Resources.NanoCPUs ?? 0))
      return "resource";
    if (mem(task) > 0 && sum(mem) + mem(task) > (description?.Resources.MemoryBytes ?? 0))
      return "resource";
    if (Resources.Reservations.GenericResources && freeGpus(world, node) < 2) return "resource";
  }
  for (const text of Placement?.Constraints ?? []) {
    expect(text).toBe("node.labels.disk==ssd");
    if (node.spec.Labels["disk"] !== "ssd") return "constraint";
  }
  if (Placement?.Platforms && description?.Platform.Architecture !== "aarch64") return "platform";
  if (task.hostPorts.length > 0 && here.some((t) => held(t) && t.hostPorts.length > 0))
    return "hostPort";
  if (task.spec.Networks && description?.WireGuard === "none") return "encryption";
  const replicas = here.filter((t) => active(t) && t.serviceId === task.serviceId).length;
  if (Placement?.MaxReplicas && replicas >= Placement.MaxReplicas) return "maxReplicas";
  return undefined;
}

const EXPLAIN: Record<string, (n: number) => string> = {
  ready: (n) => `${n} node${n === 1 ? "" : "s"} not available for new tasks`,
  resource: (n) => `insufficient resources on ${n} node${n === 1 ? "" : "s"}`,
  constraint: (n) => `scheduling constraints not satisfied on ${n} node${n === 1 ? "" : "s"}`,
  platform: (n) => `unsupported platform on ${n} node${n === 1 ? "" : "s"}`,
  hostPort: (n) => `host-mode port already in use on ${n} node${n === 1 ? "" : "s"}`,
  encryption: (n) => `no WireGuard on ${n} node${n === 1 ? "" : "s"}`,
  maxReplicas: () => "max replicas per node limit exceed",
};
const FILTER_ORDER = Object.keys(EXPLAIN);

function naiveReason(world: World, task: Task): string {
  const counts = new Map<string, number>();
  const own = world.nodes.get(task.nodeId);
  const ownFilter = own && naiveFilter(world, task, own);
  if (ownFilter) return EXPLAIN[ownFilter]?.(1) ?? "";
  for (const node of world.nodes.values()) {
    const name = naiveFilter(world, task, node);
    if (name) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  if (counts.size === 0) return "no suitable node";
  const sorted = [...counts].sort(
    ([a, n], [b, m]) => m - n || FILTER_ORDER.indexOf(a) - FILTER_ORDER.indexOf(b),
  );
  return `no suitable node (${sorted.map(([name, n]) => EXPLAIN[name]?.(n)).join("; ")})`;
}

/** Best node by sorting all feasible ones; spread levels first, by recursion. */
function naivePick(world: World, task: Task, nowMs: number): string | undefined {
  const own = world.nodes.get(task.nodeId);
  if (task.nodeId !== "")
    return own && naiveFilter(world, task, own) === undefined ? task.nodeId : undefined;
  const all = [...world.nodes.values()];
  const tasks = [...world.tasks.values()].filter(active);
  const onNode = (node: Node) => tasks.filter((t) => t.nodeId === node.id);
  const ofService = (node: Node) => onNode(node).filter((t) => t.serviceId === task.serviceId);
  const failures = (node: Node) => {
    const recent = world.failures.filter(
      (f) => f.nodeId === node.id && f.service === serviceKey(task) && f.atMs > nowMs - 300_000,
    ).length;
    return recent < 5 ? 0 : recent;
  };
  const usable = all.filter((node) => naiveFilter(world, task, node) === undefined);
  /** Passes all that is asked of the node alone: what ties between branches look at. */
  const standing = all.filter((node) =>
    [undefined, "encryption", "maxReplicas"].includes(naiveFilter(world, task, node)),
  );
  const labels = (task.spec.Placement?.Preferences ?? []).map((p) =>
    p.Spread.SpreadDescriptor.replace("node.labels.", ""),
  );
  let inside = all;
  for (const label of labels) {
    const value = (node: Node) => node.spec.Labels[label] ?? "";
    const branches = [...new Set(inside.map(value))]
      .map((v) => inside.filter((node) => value(node) === v))
      .filter((branch) => branch.some((node) => usable.includes(node)))
      .map((branch) => ({
        branch,
        count: branch.reduce((n, node) => n + ofService(node).length, 0),
        load: Math.min(...branch.filter((n) => standing.includes(n)).map((n) => onNode(n).length)),
        value: value(branch[0] as Node),
      }));
    branches.sort((a, b) => a.count - b.count || a.load - b.load || (a.value < b.value ? -1 : 1));
    inside = branches[0]?.branch ?? [];
  }
  return inside
    .filter((node) => usable.includes(node))
    .sort(
      (a, b) =>
        failures(a) - failures(b) ||
        ofService(a).length - ofService(b).length ||
        onNode(a).length - onNode(b).length ||
        (a.id < b.id ? -1 : 1),
    )[0]?.id;
}

/** As many as asked for; only names of the node that nobody holds, the lowest of them. */
function expectFit(world: World, task: Task, decision: Decision): void {
  if (decision.kind !== "assign") return;
  const got = decision.genericResources;
  const wanted = task.spec.Resources?.Reservations?.GenericResources ? 2 : 0;
  expect(pieces(got) + namesOf(got).length).toBe(wanted);
  const node = world.nodes.get(decision.nodeId);
  if (!node) throw new Error("placed on no node");
  const taken = new Set(namesOf(claimedGpus(world, node)));
  const free = namesOf(node.description?.Resources.GenericResources ?? [])
    .filter((name) => !taken.has(name))
    .sort();
  expect(namesOf(got)).toEqual(free.slice(0, wanted));
}

/** Drives a scheduler by events and the world beside it. */
class Drive {
  readonly world: World = { nodes: new Map(), tasks: new Map(), failures: [] };
  readonly scheduler = new Scheduler({ explainEveryMs: 0 });
  nowMs = 1_000_000;
  made = 0;

  view() {
    return {
      nodes: () => [...this.world.nodes.values()],
      networks: () => [VAULT],
      tasks: () => [...this.world.tasks.values()],
      task: (id: string) => this.world.tasks.get(id),
    };
  }

  constructor() {
    const created = { table: "network", kind: "created", object: VAULT } as const;
    this.scheduler.applyEvents([created], this.nowMs);
  }

  putNode(node: Node): void {
    const old = this.world.nodes.get(node.id);
    this.world.nodes.set(node.id, node);
    this.scheduler.applyEvents(
      [
        old
          ? { table: "node", kind: "updated", object: node, old }
          : { table: "node", kind: "created", object: node },
      ],
      this.nowMs,
    );
  }

  putTask(task: Task): void {
    const old = this.world.tasks.get(task.id);
    this.world.tasks.set(task.id, task);
    if (task.state === TASK_STATE.failed && task.nodeId !== "" && this.world.nodes.has(task.nodeId))
      this.world.failures.push({
        nodeId: task.nodeId,
        service: serviceKey(task),
        atMs: this.nowMs,
      });
    this.scheduler.applyEvents(
      [
        old
          ? { table: "task", kind: "updated", object: task, old }
          : { table: "task", kind: "created", object: task },
      ],
      this.nowMs,
    );
  }

  /** Asks for decisions and checks each against the slow scheduler, as of just before it. */
  scheduleAndCheck(limit: number): readonly Decision[] {
    const shadow: World = { ...this.world, tasks: new Map(this.world.tasks) };
    const pending = [...shadow.tasks.values()].filter(
      (t) => t.state === TASK_STATE.pending && t.desiredState <= 576,
    );
    const { decisions, isMore } = this.scheduler.schedule(this.nowMs, limit);
    const decided = new Set<string>();
    for (const decision of decisions) {
      const task = shadow.tasks.get(decision.taskId);
      if (!task) throw new Error("decided about an unknown task");
      expect(pending).toContain(task);
      expect(decided.has(task.id)).toBe(false);
      decided.add(task.id);
      const expected = naivePick(shadow, task, this.nowMs);
      if (decision.kind === "assign") {
        expect(decision.nodeId).toBe(expected);
        expectFit(shadow, task, decision);
        const { nodeId, genericResources } = decision;
        const state = TASK_STATE.assigned;
        shadow.tasks.set(task.id, { ...task, nodeId, genericResources, state });
      } else {
        expect(expected).toBeUndefined();
        expect(decision.reason).toBe(naiveReason(shadow, task));
      }
    }
    if (!isMore) {
      // Whoever was not named has no node, and knows it already.
      for (const task of pending)
        if (!decided.has(task.id)) expect(naivePick(shadow, task, this.nowMs)).toBeUndefined();
    }
    return decisions;
  }

  commit(decisions: readonly Decision[], isAccepted: boolean): void {
    if (isAccepted)
      for (const decision of decisions) {
        const task = this.world.tasks.get(decision.taskId);
        if (!task) continue;
        if (decision.kind === "assign")
          this.putTask({
            ...task,
            nodeId: decision.nodeId,
            genericResources: decision.genericResources,
            state: TASK_STATE.assigned,
            err: "",
          });
        else this.putTask({ ...task, err: decision.reason });
      }
    this.scheduler.settle(
      decisions.map((decision) => decision.taskId),
      this.view(),
    );
  }
}

/** `SOAK=1` tries many more. */
const RUNS = process.env["SOAK"] === "1" ? 10_000 : 500;

const step = fc.record({
  what: fc.constantFrom(
    "node",
    "node",
    "dropNode",
    "create",
    "create",
    "progress",
    "progress",
    "remove",
    "schedule",
    "schedule",
    "time",
    "restart",
  ),
  pick: fc.nat(1000),
  value: fc.nat(1000),
});

function runStep(
  drive: Drive,
  { what, pick, value }: { what: string; pick: number; value: number },
): void {
  const { world } = drive;
  const tasks = [...world.tasks.values()];
  const task = tasks[pick % Math.max(1, tasks.length)];
  const nodeId = NODE_IDS[pick % NODE_IDS.length] ?? "";
  switch (what) {
    case "node":
      drive.putNode(
        makeNode(nodeId, {
          labels: {
            ...(value % 3 > 0 ? { zone: `z${value % 3}` } : {}),
            ...(value % 5 > 1 ? { disk: value % 5 > 2 ? "ssd" : "hdd" } : {}),
          },
          availability: value % 7 === 0 ? "drain" : value % 7 === 1 ? "pause" : "active",
          state: value % 11 === 0 ? "down" : "ready",
          arch: value % 2 === 0 ? "x86_64" : "aarch64",
          cpus: value % 4,
          memBytes: 100 * (value % 4),
          generic: GPUS[value % GPUS.length] ?? [],
          wireGuard: (["none", "kernel", undefined] as const)[value % 13],
        }),
      );
      break;
    case "dropNode": {
      const old = world.nodes.get(nodeId);
      if (!old || value % 2 === 0) break;
      world.nodes.delete(nodeId);
      world.failures = world.failures.filter((f) => f.nodeId !== nodeId);
      // Tasks of a removed node are orphaned with it.
      for (const t of tasks)
        if (t.nodeId === nodeId && t.state < 832) drive.putTask({ ...t, state: 832 });
      drive.scheduler.applyEvents([{ table: "node", kind: "removed", old }], drive.nowMs);
      break;
    }
    case "create": {
      const kind = pick % SPECS.length;
      for (let i = 0; i <= value % 5; i++) {
        const made = SPECS[kind];
        if (made)
          drive.putTask(
            makeTask(`t${String(drive.made++).padStart(4, "0")}`, {
              serviceId: `s${kind}-${value % 2}`,
              nodeId: value % 6 === 5 ? nodeId : "",
              spec: made.spec,
              hostPorts: made.ports,
              specVersion: 1,
            }),
          );
      }
      break;
    }
    case "progress": {
      if (!task) break;
      if (value % 4 === 0 && task.desiredState <= TASK_STATE.running)
        drive.putTask({ ...task, desiredState: TASK_STATE.shutdown });
      else if (task.state >= TASK_STATE.assigned && task.state < TASK_STATE.complete)
        drive.putTask({
          ...task,
          state: value % 3 === 0 ? TASK_STATE.running : TASK_STATE.failed,
          statusAtMs: drive.nowMs,
        });
      break;
    }
    case "remove":
      if (!task) break;
      world.tasks.delete(task.id);
      drive.scheduler.applyEvents([{ table: "task", kind: "removed", old: task }], drive.nowMs);
      break;
    case "schedule":
      drive.commit(drive.scheduleAndCheck(1 + (pick % 12)), value % 5 > 0);
      break;
    case "time":
      drive.nowMs += value * 500;
      break;
    case "restart":
      if (value % 3 === 0) drive.scheduler.rebuild(drive.view(), drive.nowMs);
      break;
    default:
      throw new Error(what);
  }
}

test("every decision of the indexed scheduler is the one of the slow scheduler", {
  timeout: 60_000,
}, () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 5, maxLength: 60 }), (steps) => {
      const drive = new Drive();
      for (const [i, id] of NODE_IDS.entries())
        if (i % 2 === 0) drive.putNode(makeNode(id, { cpus: 2, memBytes: 200 }));
      for (const one of steps) {
        runStep(drive, one);
        // A restarted scheduler knows of failures what task records still tell.
        if (one.what === "restart" && one.value % 3 === 0)
          drive.world.failures = [...drive.world.tasks.values()]
            .filter((t) => t.state === TASK_STATE.failed && drive.world.nodes.has(t.nodeId))
            .map((t) => ({ nodeId: t.nodeId, service: serviceKey(t), atMs: t.statusAtMs }));
      }
      drive.commit(drive.scheduleAndCheck(1000), true);
      drive.scheduleAndCheck(1000);
    }),
    { numRuns: RUNS },
  );
});
