import {
  type ClusterSpec,
  internSpec,
  type Node,
  type Service,
  TASK_STATE,
  type Task,
  type TaskSpec,
} from "../../api/index.js";

const HOUR_NS = 3600e9;

export const CLUSTER_SPEC: ClusterSpec = {
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
  CAConfig: { NodeCertExpiry: 2160 * HOUR_NS },
  TaskDefaults: {},
  EncryptionConfig: { AutoLockManagers: false },
};

export function sampleNode(change: Partial<Node> & { readonly id: string }): Node {
  return {
    versionIndex: 1,
    clientIndex: 1,
    createdAtMs: 0,
    updatedAtMs: 0,
    spec: { Labels: {}, Role: "worker", Availability: "active" },
    role: "worker",
    description: undefined,
    state: "unknown",
    stateMessage: "",
    addr: "",
    manager: undefined,
    nodeIndex: 1,
    bootId: "",
    downSinceMs: 0,
    drainSinceMs: 0,
    ...change,
  };
}

const TASK_SPEC: TaskSpec = internSpec<TaskSpec>({
  ContainerSpec: { Image: "web" },
  ForceUpdate: 0,
  Runtime: "container",
});

export function sampleTask(change: Partial<Task> & { readonly id: string }): Task {
  return {
    versionIndex: 1,
    createdAtMs: 0,
    updatedAtMs: 0,
    serviceId: "s1",
    serviceName: "web",
    slot: 1,
    nodeId: "n1",
    spec: TASK_SPEC,
    specVersion: 1,
    hostPorts: [],
    desiredState: TASK_STATE.running,
    state: TASK_STATE.assigned,
    statusAtMs: 0,
    message: "",
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
    ...change,
  };
}

export function sampleService(
  change: Partial<Service> & { readonly id: string; readonly spec: Service["spec"] },
): Service {
  return {
    versionIndex: 1,
    clientIndex: 1,
    createdAtMs: 0,
    updatedAtMs: 0,
    specVersion: 1,
    previousSpec: undefined,
    previousSpecVersion: 0,
    updateStatus: undefined,
    ports: [],
    registryAuth: "",
    previousRegistryAuth: "",
    jobIteration: 0,
    lastExecutionMs: 0,
    vips: [],
    ...change,
  };
}

export const DESCRIPTION = {
  Hostname: "host1",
  Platform: { Architecture: "x86_64", OS: "linux" },
  Resources: { NanoCPUs: 2e9, MemoryBytes: 1e9 },
  Engine: { EngineVersion: "1.0", Plugins: [] },
  EngineKind: "simulated",
} as const;
