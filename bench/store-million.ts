/**
 * A million tasks in the store: memory, and the longest stall of the loop while 10,000 of them change every second.
 * `npx rolldown bench/store-million.ts --platform node --file bench/out/store-million.mjs && node --expose-gc bench/out/store-million.mjs`
 */
import { constants, monitorEventLoopDelay, PerformanceObserver } from "node:perf_hooks";
import { setImmediate, setTimeout } from "node:timers/promises";
import {
  type Change,
  encodeTransaction,
  type Node,
  type Service,
  TASK_STATE,
  type Task,
} from "../src/api/index.js";
import { ClusterStore } from "../src/store/index.js";

const TASK_COUNT = 1_000_000;
const PER_SERVICE = 100;
const NODE_COUNT = 10_000;
const PER_ENTRY = 200;
const UPDATES_PER_SEC = 10_000;
const UPDATE_SEC = 8;
const TICK_MS = 20;

const MEMORY_MAX_MB = 700;
const STALL_MAX_MS = 60;

const META = { versionIndex: 0, clientIndex: 0, createdAtMs: 0, updatedAtMs: 0 };
const id = (kind: string, number: number): string => `${kind}${String(number).padStart(24, "0")}`;

const store = new ClusterStore({
  nowMs: () => performance.now(),
  yieldToLoop: () => setImmediate(),
});

function commit(changes: readonly Change[]): void {
  const transaction = {
    requestId: "",
    atMs: Date.now(),
    isClient: false,
    preconditions: [],
    changes,
    resultJson: "",
  };
  const outcome = store.apply(store.index + 1, encodeTransaction(transaction));
  if (outcome.kind !== "applied") throw new Error(JSON.stringify(outcome));
}

function node(number: number): Node {
  return {
    ...META,
    id: id("n", number),
    spec: { Labels: {}, Role: "worker", Availability: "active" },
    role: "worker",
    description: undefined,
    state: "ready",
    stateMessage: "",
    addr: "10.0.0.1",
    manager: undefined,
    nodeIndex: 1,
    bootId: "",
    downSinceMs: 0,
    drainSinceMs: 0,
  };
}

function service(number: number): Service {
  return {
    ...META,
    id: id("s", number),
    spec: {
      Name: `svc-${number}`,
      Labels: {},
      TaskTemplate: {
        ContainerSpec: { Image: "registry.local/app:1", Env: [`SERVICE=${number}`] },
        ForceUpdate: 0,
        Runtime: "container",
      },
      Mode: { Replicated: { Replicas: PER_SERVICE } },
    },
    specVersion: 0,
    previousSpec: undefined,
    previousSpecVersion: 0,
    updateStatus: undefined,
    ports: [],
    registryAuth: "",
    previousRegistryAuth: "",
    jobIteration: 0,
    lastExecutionMs: 0,
    vips: [],
  };
}

function task(number: number): Task {
  const of = service(Math.floor(number / PER_SERVICE));
  return {
    id: id("t", number),
    versionIndex: 0,
    createdAtMs: 0,
    updatedAtMs: 0,
    serviceId: of.id,
    serviceName: of.spec.Name,
    slot: (number % PER_SERVICE) + 1,
    nodeId: id("n", number % NODE_COUNT),
    spec: of.spec.TaskTemplate,
    specVersion: 1,
    hostPorts: [],
    desiredState: TASK_STATE.running,
    state: TASK_STATE.running,
    statusAtMs: Date.now(),
    message: "started",
    err: "",
    containerId: number.toString(16).padStart(64, "0"),
    pid: number % 30_000,
    exitCode: 0,
    portStatus: [],
    notBeforeMs: 0,
    jobIteration: 0,
    networks: [],
    networkPhase: 0,
    genericResources: [],
  };
}

/** `make(0)` … `make(count - 1)`, in entries as the leader's loops write them. */
async function fill(count: number, make: (number: number) => Change): Promise<void> {
  for (let from = 0; from < count; from += PER_ENTRY) {
    const size = Math.min(PER_ENTRY, count - from);
    commit(Array.from({ length: size }, (_, i) => make(from + i)));
    if ((from / PER_ENTRY) % 50 === 0) await setImmediate();
  }
}

function memoryMb(): number {
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return (heapUsed + external) / 2 ** 20;
}

/** A container that restarts its health: the status of one task, new text. */
function update(number: number, round: number): Change {
  return {
    kind: "taskStatus",
    taskId: id("t", number),
    state: TASK_STATE.running,
    atMs: Date.now(),
    message: round % 2 === 0 ? "started" : "healthy",
    err: "",
    containerId: number.toString(16).padStart(64, "0"),
    pid: (number + round) % 30_000,
    exitCode: 0,
    portStatus: [],
  };
}

const baseMb = memoryMb();
await fill(NODE_COUNT, (i) => ({ kind: "putNode", node: node(i) }));
await fill(TASK_COUNT / PER_SERVICE, (i) => ({ kind: "putService", service: service(i) }));
await fill(TASK_COUNT, (i) => ({ kind: "putTask", task: task(i) }));
const storeMb = memoryMb() - baseMb;

/** Longest pause of the collector, ms, by its kind: what is left of a stall is the store's own work, or the machine's. */
const pauseMs = new Map<unknown, number>();
new PerformanceObserver((list) => {
  for (const entry of list.getEntriesByType("gc")) {
    const kind: unknown = Reflect.get(Object(Reflect.get(entry, "detail")), "kind");
    pauseMs.set(kind, Math.max(pauseMs.get(kind) ?? 0, entry.duration));
  }
}).observe({ entryTypes: ["gc"] });
const longest = (kind: number): string => (pauseMs.get(kind) ?? 0).toFixed(0);
const delay = monitorEventLoopDelay({ resolution: 5 });
delay.enable();
const startMs = performance.now();
let done = 0;
for (let round = 1; performance.now() - startMs < UPDATE_SEC * 1000; round++) {
  const due = Math.floor(((performance.now() - startMs) * UPDATES_PER_SEC) / 1000);
  while (done < due) {
    const first = (done * 7919) % TASK_COUNT;
    const size = Math.min(PER_ENTRY, due - done);
    commit(Array.from({ length: size }, (_, i) => update((first + i * 101) % TASK_COUNT, round)));
    done += size;
  }
  await setTimeout(TICK_MS);
}
delay.disable();
const stallMs = delay.max / 1e6;
const perSec = Math.round((done * 1000) / (performance.now() - startMs));
const isGood = storeMb < MEMORY_MAX_MB && stallMs < STALL_MAX_MS;
process.stdout.write(
  `${TASK_COUNT} tasks: ${storeMb.toFixed(0)} MB (limit ${MEMORY_MAX_MB}); ${perSec} updates/s, longest stall ` +
    `${stallMs.toFixed(0)} ms, p99 ${(delay.percentile(99) / 1e6).toFixed(0)} ms (limit ${STALL_MAX_MS}); ` +
    `longest pauses of the collector: young ${longest(constants.NODE_PERFORMANCE_GC_MINOR)} ms, ` +
    `whole heap ${longest(constants.NODE_PERFORMANCE_GC_MAJOR)} ms; ` +
    `resident ${(process.memoryUsage().rss / 2 ** 20).toFixed(0)} MB: ${isGood ? "ok" : "MISSED"}\n`,
);
process.exitCode = isGood ? 0 : 1;
