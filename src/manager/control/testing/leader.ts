/** A leader of one: control over a store of its own, with a clock and a Raft group that tests set. */
import {
  type Cluster,
  type NetworkSpec,
  type Node,
  type NodeDescription,
  type Operation,
  TASK_STATE,
  type Task,
} from "../../../api/index.js";
import type { Clock } from "../../../base/index.js";
import { ClusterStore, LocalProposer } from "../../../store/index.js";
import type { Membership, OperationExecutor } from "../../port.js";
import { createControl } from "../control.js";
import type { Capability } from "../field-types.js";

export type Member = {
  readonly memberId: string;
  readonly nodeId: string;
  readonly addr: string;
  readonly isLearner: boolean;
};

export type Leader = {
  readonly store: ClusterStore;
  readonly proposer: LocalProposer;
  readonly control: OperationExecutor;
  /** Set by tests. */
  members: Member[];
  reachable: Set<string>;
  nowMs: number;
  capabilities: Set<Capability>;
};

export function leader(): Leader {
  const store = new ClusterStore({ nowMs: () => 0, yieldToLoop: () => Promise.resolve() });
  const proposer = new LocalProposer(store);
  let tokens = 0;
  const state = {
    store,
    proposer,
    members: [] as Member[],
    reachable: new Set<string>(),
    nowMs: 1_000_000,
    capabilities: new Set<Capability>(),
  };
  const membership: Membership = {
    members: () => state.members,
    reachable: () => state.reachable,
    leaderMemberId: () => undefined,
    add: () => Promise.reject(new Error("not used")),
    remove: () => Promise.reject(new Error("not used")),
  };
  const unused = (): Promise<never> => Promise.reject(new Error("not used"));
  const control = createControl({
    store,
    proposer,
    membership,
    clock: clockOf(state),
    capabilities: state.capabilities,
    newUnlockKey: () => `SWMKEY-1-${++tokens}`,
    newToken: (role) => `SWMTKN-1-${role}-${++tokens}`,
    handlers: { "ca.issue": unused, "raft.join": unused, "raft.leave": unused },
  });
  return Object.assign(state, { control });
}

function clockOf(state: { readonly nowMs: number }): Clock {
  const refuse = (): never => {
    throw new Error("control sets no timers");
  };
  return {
    nowMs: () => state.nowMs,
    wallMs: () => state.nowMs,
    sleep: refuse,
    timeout: refuse,
    setTimer: refuse,
  };
}

/** Makes ports publishable in ingress mode. */
export async function publishing(lead: Leader): Promise<Leader> {
  for (const one of ["overlay", "ingress"] as const) lead.capabilities.add(one);
  const spec = { Name: "ingress", Labels: {}, Driver: "overlay", Scope: "swarm", Ingress: true };
  await run(lead, {
    kind: "network.create",
    networkId: "ingress1",
    spec: spec as NetworkSpec,
  });
  return lead;
}

let requests = 0;

/** Runs an operation as a new request, or as the given one. */
export function run<K extends Operation["kind"]>(
  { control }: Leader,
  operation: Extract<Operation, { kind: K }>,
  requestId = `request-${++requests}`,
): ReturnType<OperationExecutor["execute"]> {
  const signal = new AbortController().signal;
  return control.execute<K>(operation, { requestId, callerNodeId: "", signal });
}

const META = { versionIndex: 0, clientIndex: 0, createdAtMs: 0, updatedAtMs: 0 };

export function cluster(set: Partial<Cluster> = {}): Cluster {
  return {
    ...META,
    id: "cluster1",
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
    joinTokens: { worker: "worker-0", manager: "manager-0" },
    defaultAddrPool: ["10.0.0.0/8"],
    subnetSize: 24,
    dataPathPort: 4789,
    deniedNodes: [],
    ...set,
  };
}

export function node(id: string, set: Partial<Node> = {}): Node {
  return {
    ...META,
    id,
    spec: { Labels: {}, Role: "worker", Availability: "active" },
    role: "worker",
    description: undefined,
    state: "ready",
    stateMessage: "",
    addr: "10.0.0.1",
    manager: undefined,
    nodeIndex: 1,
    bootId: "boot",
    downSinceMs: 0,
    drainSinceMs: 0,
    ...set,
  };
}

export function manager(id: string): Node {
  return node(id, {
    spec: { Labels: {}, Role: "manager", Availability: "active" },
    role: "manager",
    manager: { memberId: `m-${id}`, addr: `${id}:2377` },
  });
}

export function task(id: string, set: Partial<Task> = {}): Task {
  return {
    id,
    versionIndex: 0,
    createdAtMs: 0,
    updatedAtMs: 0,
    serviceId: "s1",
    serviceName: "web",
    slot: 1,
    nodeId: "",
    spec: { ContainerSpec: { Image: "bb" }, ForceUpdate: 0, Runtime: "container" },
    specVersion: 1,
    hostPorts: [],
    desiredState: TASK_STATE.running,
    state: TASK_STATE.new,
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
    ...set,
  };
}

/** A node whose agent has told of itself. */
export function describedNode(id: string, set: Partial<NodeDescription> = {}): Node {
  return node(id, {
    description: {
      Hostname: id,
      Platform: { Architecture: "x86_64", OS: "linux" },
      Resources: { NanoCPUs: 4e9, MemoryBytes: 2 ** 33 },
      Engine: { EngineVersion: "1", Plugins: [] },
      EngineKind: "simulated",
      ...set,
    },
  });
}
