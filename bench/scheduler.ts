/**
 * Placements per second of CPU of the scheduler alone, in memory: half the nodes pass the constraint, 20 racks to spread over, CPUs and
 * memory reserved, every task placed. `npx rolldown bench/scheduler.ts --platform node --file bench/out/scheduler.mjs && node bench/out/scheduler.mjs`
 */
import { type Node, TASK_STATE, type Task, type TaskSpec } from "../src/api/index.js";
import { Scheduler } from "../src/scheduler/index.js";

const RACK_COUNT = 20;
const TASK_COUNT = 50_000;
/** As the leader's loop asks for them. */
const BATCH = 200;

const LIMITS: Readonly<Record<number, number>> = { 1_000: 200_000, 10_000: 100_000 };

function node(number: number): Node {
  const id = `node${String(number).padStart(6, "0")}`;
  return {
    id,
    versionIndex: 1,
    clientIndex: 1,
    createdAtMs: 0,
    updatedAtMs: 0,
    spec: {
      Labels: { rack: `r${number % RACK_COUNT}`, disk: number % 40 < 20 ? "ssd" : "hdd" },
      Role: "worker",
      Availability: "active",
    },
    role: "worker",
    description: {
      Hostname: id,
      Platform: { Architecture: "x86_64", OS: "linux" },
      Resources: { NanoCPUs: 64e9, MemoryBytes: 256 * 2 ** 30 },
      Engine: { EngineVersion: "1", Plugins: [] },
      EngineKind: "simulated",
    },
    state: "ready",
    stateMessage: "",
    addr: "10.0.0.1",
    manager: undefined,
    nodeIndex: number + 1,
    bootId: "",
    downSinceMs: 0,
    drainSinceMs: 0,
  };
}

const template: TaskSpec = {
  ContainerSpec: { Image: "bb" },
  ForceUpdate: 0,
  Runtime: "container",
  Resources: { Reservations: { NanoCPUs: 1e8, MemoryBytes: 64 * 2 ** 20 } },
  Placement: {
    Constraints: ["node.labels.disk==ssd"],
    Preferences: [{ Spread: { SpreadDescriptor: "node.labels.rack" } }],
  },
};

function task(number: number, perService: number): Task {
  const serviceId = `service${Math.floor(number / perService)}`;
  return {
    id: `task${String(number).padStart(8, "0")}`,
    versionIndex: 1,
    createdAtMs: 0,
    updatedAtMs: 0,
    serviceId,
    serviceName: serviceId,
    slot: (number % perService) + 1,
    nodeId: "",
    spec: template,
    specVersion: 1,
    hostPorts: [],
    desiredState: TASK_STATE.running,
    state: TASK_STATE.pending,
    statusAtMs: 0,
    message: "",
    err: "",
    containerId: "",
    pid: 0,
    exitCode: 0,
    portStatus: [],
    notBeforeMs: 0,
    jobIteration: 0,
    networks: [],
    networkPhase: 0,
    genericResources: [],
  };
}

function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Placed tasks, and CPU ms of all that the scheduler does for them: its queue, the decisions, taking in their events. */
function run(nodeCount: number, perService: number): { placed: number; ms: number } {
  const nodes = Array.from({ length: nodeCount }, (_, i) => node(i));
  const tasks = new Map<string, Task>();
  for (let i = 0; i < TASK_COUNT; i++) {
    const made = task(i, perService);
    tasks.set(made.id, made);
  }
  const view = {
    nodes: () => nodes,
    networks: () => [],
    tasks: () => [] as Task[],
    task: (id: string) => tasks.get(id),
  };
  const scheduler = new Scheduler();
  scheduler.rebuild(view, 0);
  const created = [...tasks.values()].map(
    (object) => ({ table: "task", kind: "created", object }) as const,
  );
  let placed = 0;
  let startMs = cpuMs();
  scheduler.applyEvents(created, 0);
  let ms = cpuMs() - startMs;
  for (;;) {
    startMs = cpuMs();
    const { decisions } = scheduler.schedule(0, BATCH);
    ms += cpuMs() - startMs;
    if (decisions.length === 0) return { placed, ms };
    const events = decisions.flatMap((decision) => {
      const old = tasks.get(decision.taskId);
      if (!old || decision.kind !== "assign") return [];
      const object: Task = { ...old, nodeId: decision.nodeId, state: TASK_STATE.assigned };
      tasks.set(object.id, object);
      placed++;
      return [{ table: "task", kind: "updated", object, old } as const];
    });
    const taskIds = decisions.map((decision) => decision.taskId);
    startMs = cpuMs();
    scheduler.applyEvents(events, 0);
    scheduler.settle(taskIds, view);
    ms += cpuMs() - startMs;
  }
}

/** A leader's process has run for long: what the compiler still does in its threads in the first of them is not the scheduler's. */
const WARM_UPS = 3;
const MEASURED = 9;

/** The median of those after the warm-up. */
function measure(nodeCount: number, perService: number): boolean {
  for (let i = 0; i < WARM_UPS; i++) run(nodeCount, perService);
  const runs = Array.from({ length: MEASURED }, () => run(nodeCount, perService));
  runs.sort((a, b) => a.ms - b.ms);
  const median = runs[MEASURED >> 1] ?? { placed: 0, ms: 1 };
  const perSec = Math.round((median.placed * 1000) / median.ms);
  const limit = LIMITS[nodeCount] ?? 0;
  const isGood = perSec >= limit && median.placed === TASK_COUNT;
  process.stdout.write(
    `${nodeCount} nodes, ${perService} tasks per service: ${perSec} placements per CPU second, ` +
      `${median.placed} of ${TASK_COUNT} placed (limit ${limit}): ${isGood ? "ok" : "MISSED"}\n`,
  );
  return isGood;
}

const results = [1_000, 10_000].flatMap((nodeCount) =>
  [1, 10, 1_000].map((perService) => measure(nodeCount, perService)),
);
process.exitCode = results.every(Boolean) ? 0 : 1;
