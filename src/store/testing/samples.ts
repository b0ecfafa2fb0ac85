/** Objects as tests need them: complete, plain, with what matters replaced. Not exported from the folder. */
import {
  type Change,
  type Cluster,
  encodeTransaction,
  type Network,
  type Node,
  type Secret,
  type Service,
  type ServiceSpec,
  TASK_STATE,
  type Task,
  type Transaction,
} from "../../api/index.js";
import { ClusterStore } from "../cluster-store.js";
import type { StoreBatch } from "../port.js";
import type { Pace } from "../time-slice.js";

/** A pace for tests in which nothing takes time. */
export const IDLE_PACE: Pace = { nowMs: () => 0, yieldToLoop: () => Promise.resolve() };

/** Ids that sort like their numbers: id("n", 2) < id("n", 10). */
export function id(kind: string, number: number): string {
  return `${kind}${String(number).padStart(25 - kind.length, "0")}`;
}

const META = { versionIndex: 0, clientIndex: 0, createdAtMs: 0, updatedAtMs: 0 };

export function sampleSpec(name: string, set: Partial<ServiceSpec> = {}): ServiceSpec {
  return {
    Name: name,
    Labels: {},
    TaskTemplate: { ContainerSpec: { Image: "bb:latest" }, ForceUpdate: 0, Runtime: "container" },
    Mode: { Replicated: { Replicas: 1 } },
    ...set,
  };
}

export function sampleService(number: number, set: Partial<Service> = {}): Service {
  return {
    ...META,
    id: id("s", number),
    spec: sampleSpec(`svc${number}`),
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
    ...set,
  };
}

export function sampleTask(number: number, set: Partial<Task> = {}): Task {
  return {
    id: id("t", number),
    versionIndex: 0,
    createdAtMs: 0,
    updatedAtMs: 0,
    serviceId: id("s", 1),
    serviceName: "svc1",
    slot: number,
    nodeId: "",
    spec: sampleSpec("svc1").TaskTemplate,
    specVersion: 1,
    hostPorts: [],
    desiredState: TASK_STATE.running,
    state: TASK_STATE.new,
    statusAtMs: 0,
    message: "created",
    err: "",
    containerId: "",
    pid: 0,
    exitCode: 0,
    portStatus: [],
    notBeforeMs: 0,
    jobIteration: 0,
    genericResources: [],
    networks: [],
    networkPhase: 0,
    ...set,
  };
}

export function sampleNode(number: number, set: Partial<Node> = {}): Node {
  return {
    ...META,
    id: id("n", number),
    spec: { Labels: {}, Role: "worker", Availability: "active" },
    role: "worker",
    description: undefined,
    state: "ready",
    stateMessage: "",
    addr: `10.0.0.${number}`,
    manager: undefined,
    nodeIndex: number,
    bootId: "boot1",
    downSinceMs: 0,
    drainSinceMs: 0,
    ...set,
  };
}

export function sampleNetwork(number: number, set: Partial<Network> = {}): Network {
  const spec = { Name: `net${number}`, Labels: {}, Driver: "overlay", Scope: "swarm" } as const;
  return {
    ...META,
    id: id("w", number),
    spec,
    predefined: false,
    vni: 0,
    subnets: [],
    mtu: 0,
    ...set,
  };
}

export function sampleSecret(number: number, set: Partial<Secret> = {}): Secret {
  return { ...META, id: id("x", number), spec: { Name: `sec${number}`, Labels: {} }, ...set };
}

export function sampleCluster(set: Partial<Cluster> = {}): Cluster {
  return {
    ...META,
    id: id("c", 1),
    spec: {
      Name: "default",
      Labels: {},
      Orchestration: { TaskHistoryRetentionLimit: 5 },
      Raft: {
        SnapshotInterval: 10_000,
        KeepOldSnapshots: 0,
        LogEntriesForSlowFollowers: 500,
        ElectionTick: 6,
        HeartbeatTick: 1,
      },
      Dispatcher: { HeartbeatPeriod: 1e9 },
      CAConfig: { NodeCertExpiry: 7776e12 },
      TaskDefaults: {},
      EncryptionConfig: { AutoLockManagers: false },
    },
    rootCertPem: "root",
    rootKeyPem: "key",
    joinTokens: { worker: "w", manager: "m" },
    defaultAddrPool: ["10.0.0.0/8"],
    subnetSize: 24,
    dataPathPort: 4789,
    deniedNodes: [],
    ...set,
  };
}

/** An internal transaction at a fixed time with these changes. */
export function transaction(
  changes: readonly Change[],
  set: Partial<Transaction> = {},
): Transaction {
  return {
    requestId: "",
    atMs: 1000,
    isClient: false,
    preconditions: [],
    changes,
    resultJson: "",
    ...set,
  };
}

/** A store with one service, two nodes, one task each assigned and not, applied as entries 1 to 3. */
export function populated(): ClusterStore {
  const store = new ClusterStore(IDLE_PACE);
  apply(store, [
    { kind: "putService", service: sampleService(1) },
    { kind: "putNode", node: sampleNode(1) },
    { kind: "putNode", node: sampleNode(2) },
  ]);
  apply(store, [{ kind: "putTask", task: sampleTask(1) }]);
  apply(store, [
    {
      kind: "putTask",
      task: sampleTask(2, { nodeId: id("n", 1), state: TASK_STATE.running, message: "started" }),
    },
  ]);
  return store;
}

export function apply(
  store: ClusterStore,
  changes: readonly Change[],
  set: Partial<Transaction> = {},
): ReturnType<ClusterStore["apply"]> {
  return store.apply(store.index + 1, encodeTransaction(transaction(changes, set)));
}

export function batchesOf(store: ClusterStore): StoreBatch[] {
  const batches: StoreBatch[] = [];
  store.subscribe((batch) => batches.push(batch));
  return batches;
}
