/** The replicated objects. Immutable: a change makes a new object that shares what did not change. */
import type {
  ClusterSpec,
  ConfigSpec,
  GenericResource,
  NetworkSpec,
  NodeDescription,
  NodeRole,
  NodeSpec,
  PortConfig,
  SecretSpec,
  ServiceSpec,
  TaskSpec,
} from "./spec.js";

/** Task states by their wire numbers; order is meaning: an observed state never goes down. */
export const TASK_STATE = {
  new: 0,
  pending: 64,
  assigned: 192,
  accepted: 256,
  preparing: 320,
  ready: 384,
  starting: 448,
  running: 512,
  complete: 576,
  shutdown: 640,
  failed: 704,
  rejected: 768,
  remove: 800,
  orphaned: 832,
} as const;
export type TaskStateName = keyof typeof TASK_STATE;
export type TaskState = (typeof TASK_STATE)[TaskStateName];

/** What every object carries. Indexes are Raft log indexes, times Unix ms. */
export type Meta = {
  readonly id: string;
  /** Log index of the entry that last wrote the object. */
  readonly versionIndex: number;
  /** Log index of the last client write (or automatic rollback): `?version=N` needs clientIndex ≤ N ≤ versionIndex. */
  readonly clientIndex: number;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
};

export type JoinTokens = { readonly worker: string; readonly manager: string };

export type Cluster = Meta & {
  readonly spec: ClusterSpec;
  readonly rootCertPem: string;
  readonly rootKeyPem: string;
  readonly joinTokens: JoinTokens;
  readonly defaultAddrPool: readonly string[];
  readonly subnetSize: number;
  readonly dataPathPort: number;
  /** Removed nodes: their certificates are refused until they have expired. */
  readonly deniedNodes: readonly { readonly nodeId: string; readonly untilMs: number }[];
  /** `SWMKEY-1-…`: what managers' keys on disk are encrypted with. Absent: they lie open (autolock is off). */
  readonly unlockKey?: string;
};

export type NodeState = "unknown" | "down" | "ready" | "disconnected";

export type Node = Meta & {
  readonly spec: NodeSpec;
  /** Observed role: what its certificate may say. Lags spec.Role. */
  readonly role: NodeRole;
  readonly description: NodeDescription | undefined;
  readonly state: NodeState;
  readonly stateMessage: string;
  /** IP as seen by the manager. */
  readonly addr: string;
  /** Present while the node is a Raft member. */
  readonly manager: { readonly memberId: string; readonly addr: string } | undefined;
  /** Stable small number 1–4094. */
  readonly nodeIndex: number;
  /** Of the last registration; a new one means that the host restarted. */
  readonly bootId: string;
  /** When the node went down; 0 while it is not. */
  readonly downSinceMs: number;
  /** When the drain with the present settings began; 0 when the node is not drained, or has been from its start. */
  readonly drainSinceMs: number;
};

export type UpdateState =
  | "updating"
  | "paused"
  | "completed"
  | "rollback_started"
  | "rollback_paused"
  | "rollback_completed";
export type UpdateStatus = {
  readonly state: UpdateState;
  readonly startedAtMs: number;
  /** 0 while unfinished. */
  readonly completedAtMs: number;
  readonly message: string;
};

/** Where a scheduled job stands. Written with the run that a tick starts, so that no tick starts two. */
export type ScheduleState = {
  /** Unix ms of the first tick that nothing was decided about yet; 0 = there is none. */
  readonly nextTickMs: number;
  /** The tick that started the latest run; 0 = none did. */
  readonly lastTickMs: number;
  /** Ticks that nobody could start within the missed window. */
  readonly missedCount: number;
  /** Ticks left out because earlier runs went on. */
  readonly skippedCount: number;
  /** Iterations before the latest that go on beside it (concurrency "allow"). */
  readonly runs: readonly number[];
};

/** A task on its way to another node: `newTaskId` runs before `taskId` goes. */
export type TaskMove = {
  readonly taskId: string;
  readonly newTaskId: string;
  /** Unix ms of its begin. */
  readonly atMs: number;
};

/**
 * Where moving a service's tasks to emptier nodes stands. `stopped`: given up before the tasks were spread evenly, `message` says
 * why. Under `moving` tasks are on their way, or wait for their turn.
 */
export type RebalanceState = {
  readonly state: "moving" | "completed" | "stopped";
  /** Asked for by a command, not begun by itself. */
  readonly isManual: boolean;
  readonly startedAtMs: number;
  /** 0 while it goes on. */
  readonly endedAtMs: number;
  readonly movedCount: number;
  /** Moves in a row whose new task did not come to run. */
  readonly failedCount: number;
  /** Tasks that the fullest place has more than the emptiest: when it began, and when it ended. */
  readonly imbalanceBefore: number;
  readonly imbalanceAfter: number;
  readonly message: string;
  readonly moves: readonly TaskMove[];
  /** Unix ms at which moves of the last minute began; kept for those that begin by themselves. */
  readonly begunAtMs: readonly number[];
};

/** A spec that a service had. */
export type SpecRevision = {
  /** Log index of the entry that made it the service's spec; names it in `rollback --to`. */
  readonly version: number;
  readonly atMs: number;
  readonly spec: ServiceSpec;
  readonly registryAuth: string;
  /** Node id of the manager that took the call; "" where nobody called or it is not known. */
  readonly by: string;
  /** Made by an automatic rollback. */
  readonly isAutomatic: boolean;
};

export type Service = Meta & {
  readonly spec: ServiceSpec;
  /** Log index at which `spec` was last changed by a client or rollback: tells "same spec" quickly. */
  readonly specVersion: number;
  readonly previousSpec: ServiceSpec | undefined;
  readonly previousSpecVersion: number;
  readonly updateStatus: UpdateStatus | undefined;
  /** Ports as allocated (published ports filled in). */
  readonly ports: readonly PortConfig[];
  /** Engine `X-Registry-Auth` value for pulls; never shown. */
  readonly registryAuth: string;
  readonly previousRegistryAuth: string;
  readonly jobIteration: number;
  readonly lastExecutionMs: number;
  /** Present while the job has a schedule. */
  readonly schedule?: ScheduleState | undefined;
  /** Of the latest time that tasks were moved to emptier nodes. */
  readonly rebalance?: RebalanceState | undefined;
  /** One per network in mode vip; none in mode dnsrr. */
  readonly vips: readonly VirtualIp[];
  /** The last specs, oldest first, the present one last. Kept by the store: what a put carries of it counts for nothing. */
  readonly history?: readonly SpecRevision[];
  /** Node id of the manager that took the last change of `spec`. */
  readonly specBy?: string;
};

/** Addresses in canonical text form without prefix length; "" = none of that family. */
export type VirtualIp = {
  readonly networkId: string;
  readonly address: string;
  readonly address6: string;
};

export type PortStatus = {
  readonly protocol: "tcp" | "udp" | "sctp";
  readonly targetPort: number;
  readonly publishedPort: number;
};

/** What a task has on one network. Addresses as in VirtualIp. */
export type TaskNetwork = {
  readonly networkId: string;
  readonly address: string;
  readonly address6: string;
  /** Names of this endpoint alone (attached containers); a service's aliases are in its spec. */
  readonly aliases: readonly string[];
};

/** Stored life of a task's endpoints (contracts §7); only grows. */
export const NETWORK_PHASE = { none: 0, installed: 1, announced: 2, withdrawn: 3 } as const;
export type NetworkPhase = (typeof NETWORK_PHASE)[keyof typeof NETWORK_PHASE];

/** One run in one slot. Flat, fixed shape; `spec` is shared with the service and with its sibling tasks. */
export type Task = {
  readonly id: string;
  readonly versionIndex: number;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
  readonly serviceId: string;
  readonly serviceName: string;
  /** 0 for global tasks. */
  readonly slot: number;
  /** "" until assigned. Never changes afterwards. */
  readonly nodeId: string;
  readonly spec: TaskSpec;
  readonly specVersion: number;
  /** Host-mode ports of the endpoint spec this task was made with. */
  readonly hostPorts: readonly PortConfig[];
  readonly desiredState: TaskState;
  readonly state: TaskState;
  readonly statusAtMs: number;
  readonly message: string;
  readonly err: string;
  readonly containerId: string;
  readonly pid: number;
  readonly exitCode: number;
  readonly portStatus: readonly PortStatus[];
  /** A replacement is not started before this Unix ms (restart delay); 0 = at once. */
  readonly notBeforeMs: number;
  readonly jobIteration: number;
  /** Claimed of its node with the assignment: amounts, or names where the node lists names. Counts until the task has ended. */
  readonly genericResources: readonly GenericResource[];
  /** Held until the task is terminal or gone; the same empty list for all tasks without. Order: as the spec names them, ingress last. */
  readonly networks: readonly TaskNetwork[];
  readonly networkPhase: NetworkPhase;
};

/** CIDRs and addresses in canonical form; "" = none. */
export type Subnet = {
  readonly subnet: string;
  readonly gateway: string;
  /** Addresses for tasks and services come from here when given. */
  readonly ipRange: string;
};

export type Network = Meta & {
  readonly spec: NetworkSpec;
  readonly predefined: boolean;
  /** 0 while nothing is allocated, and for ever where nothing has to be. */
  readonly vni: number;
  /** As allocated: IPv4 first, then IPv6. */
  readonly subnets: readonly Subnet[];
  /** Bytes; 0 while nothing is allocated. */
  readonly mtu: number;
};
export type Secret = Meta & { readonly spec: SecretSpec };
export type Config = Meta & { readonly spec: ConfigSpec };

export type TableName = "cluster" | "node" | "service" | "task" | "network" | "secret" | "config";
export type ObjectOf = {
  readonly cluster: Cluster;
  readonly node: Node;
  readonly service: Service;
  readonly task: Task;
  readonly network: Network;
  readonly secret: Secret;
  readonly config: Config;
};
