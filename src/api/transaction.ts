/** One transaction = one Raft entry. Preconditions are checked in apply, the same on every node (contracts §1). */
import type {
  Cluster,
  Config,
  Network,
  NetworkPhase,
  Node,
  NodeState,
  PortStatus,
  RebalanceState,
  Secret,
  Service,
  Subnet,
  TableName,
  Task,
  TaskNetwork,
  TaskState,
  UpdateStatus,
  VirtualIp,
} from "./objects.js";
import type { GenericResource, NodeDescription, NodeRole, PortConfig } from "./spec.js";

export type Precondition =
  /** The object's versionIndex is exactly `index` (internal read-modify-write). */
  | {
      readonly kind: "versionIs";
      readonly table: TableName;
      readonly id: string;
      readonly index: number;
    }
  /** A client's `?version=`: clientIndex ≤ index ≤ versionIndex, else "update out of sequence". */
  | {
      readonly kind: "clientVersion";
      readonly table: TableName;
      readonly id: string;
      readonly index: number;
    }
  | { readonly kind: "exists"; readonly table: TableName; readonly id: string }
  | { readonly kind: "absent"; readonly table: TableName; readonly id: string }
  /** No other object of the table has this name (case-insensitive). */
  | {
      readonly kind: "nameFree";
      readonly table: "service" | "network" | "secret" | "config";
      readonly name: string;
      /** The object that may have it. */
      readonly exceptId: string;
    }
  /** No service other than `exceptServiceId` publishes this port in a conflicting mode. */
  | {
      readonly kind: "portFree";
      readonly protocol: "tcp" | "udp" | "sctp";
      readonly publishedPort: number;
      readonly publishMode: "ingress" | "host";
      readonly exceptServiceId: string;
    }
  /** No service and no live task refers to it. */
  | {
      readonly kind: "unreferenced";
      readonly table: "network" | "secret" | "config";
      readonly id: string;
    }
  /** No task that is not terminal, no service and no gateway of the network has this address (canonical form), but for `exceptId`. */
  | {
      readonly kind: "addressFree";
      readonly networkId: string;
      readonly address: string;
      readonly exceptId: string;
    }
  /** No network other than `exceptId` has this VNI. */
  | { readonly kind: "vniFree"; readonly vni: number; readonly exceptId: string }
  /** No subnet of another network than `exceptId` overlaps this CIDR. */
  | { readonly kind: "subnetFree"; readonly subnet: string; readonly exceptId: string }
  /** Implied by every transaction: its bytes can be decoded here. Seen in rejections only, never sent. */
  | { readonly kind: "decodable" };

/**
 * Whole-object puts belong with a version precondition. The narrow changes touch only their fields, commute with each
 * other, and are ignored (not rejected) when the object is gone or the change would go backwards.
 */
export type Change =
  | { readonly kind: "putCluster"; readonly cluster: Cluster }
  | { readonly kind: "putNode"; readonly node: Node }
  | { readonly kind: "putService"; readonly service: Service }
  | { readonly kind: "putTask"; readonly task: Task }
  | { readonly kind: "putNetwork"; readonly network: Network }
  | { readonly kind: "putSecret"; readonly secret: Secret }
  | { readonly kind: "putConfig"; readonly config: Config }
  | { readonly kind: "delete"; readonly table: TableName; readonly id: string }
  /** Desired state; never goes back. `notBeforeMs` is left alone when undefined. */
  | {
      readonly kind: "taskDesired";
      readonly taskId: string;
      readonly desiredState: TaskState;
      readonly notBeforeMs?: number;
    }
  /** Scheduler: only while the task has no node and is wanted; sets state assigned and clears `err`. */
  | {
      readonly kind: "taskAssign";
      readonly taskId: string;
      readonly nodeId: string;
      readonly message: string;
      /** What the task gets of the node's generic resources; absent: none. */
      readonly genericResources?: readonly GenericResource[];
    }
  /** Observed state; a lower or equal one with the same text is dropped. pid/exitCode/… as the agent reports them. */
  | {
      readonly kind: "taskStatus";
      readonly taskId: string;
      readonly state: TaskState;
      readonly atMs: number;
      readonly message: string;
      readonly err: string;
      readonly containerId: string;
      readonly pid: number;
      readonly exitCode: number;
      readonly portStatus: readonly PortStatus[];
    }
  /** Updater: ignored unless the service still has this specVersion. */
  | {
      readonly kind: "serviceUpdateStatus";
      readonly serviceId: string;
      readonly specVersion: number;
      readonly updateStatus: UpdateStatus | undefined;
    }
  /** Rebalancing: ignored unless the service still has this specVersion. */
  | {
      readonly kind: "serviceRebalance";
      readonly serviceId: string;
      readonly specVersion: number;
      readonly rebalance: RebalanceState;
    }
  /**
   * Updater: the previous spec again, in exchange for the present one (automatic rollback). Ignored unless the service still has this
   * specVersion and a previous spec; where a port of that was taken meanwhile, the update is paused instead.
   */
  | {
      readonly kind: "serviceRollBack";
      readonly serviceId: string;
      readonly specVersion: number;
      /** Of the new update status. */
      readonly message: string;
    }
  /** Dispatcher: what is observed of a node. Undefined fields are left alone. */
  | {
      readonly kind: "nodeStatus";
      readonly nodeId: string;
      readonly state?: NodeState;
      readonly stateMessage?: string;
      readonly addr?: string;
      readonly description?: NodeDescription;
      readonly bootId?: string;
    }
  | {
      readonly kind: "nodeRole";
      readonly nodeId: string;
      readonly role?: NodeRole;
      /** null clears it. */
      readonly manager?: { readonly memberId: string; readonly addr: string } | null;
    }
  /** Allocator: while the network has no VNI; later with the same VNI and subnets, for another MTU. */
  | {
      readonly kind: "networkAllocated";
      readonly networkId: string;
      readonly vni: number;
      readonly subnets: readonly Subnet[];
      readonly mtu: number;
    }
  /** Allocator: ignored unless the service still has this specVersion. */
  | {
      readonly kind: "serviceEndpoint";
      readonly serviceId: string;
      readonly specVersion: number;
      readonly vips: readonly VirtualIp[];
      readonly ports: readonly PortConfig[];
    }
  /** Allocator: only while the task is new; makes it pending (an attachment: assigned) and clears `err`. */
  | {
      readonly kind: "taskNetworks";
      readonly taskId: string;
      readonly networks: readonly TaskNetwork[];
      readonly message: string;
    }
  /** Never goes back. */
  | {
      readonly kind: "taskNetworkPhase";
      readonly taskId: string;
      readonly phase: NetworkPhase;
    };

/** Ways into the cluster: REST, the CA and Raft membership by a node's certificate, the leader's own loops. */
export const REQUESTER_DOORS = ["rest", "node", "system"] as const;
export type RequesterDoor = (typeof REQUESTER_DOORS)[number];
/** Longer names of clients are cut: they are the clients' own to choose. */
export const ACTOR_LENGTH_MAX = 64;

/** Who asked for a transaction, as far as the cluster knows. For the journal alone: nothing is decided by it. */
export type Requester = {
  /** The manager that took a REST call or whose loop wrote; at door "node" the node that asked. "" when unknown. */
  readonly nodeId: string;
  readonly door: RequesterDoor;
  /** REST: the client's User-Agent. node: what it asked for. system: name of the leader loop. */
  readonly actor: string;
};

export type Transaction = {
  /** Made by the manager that took a client's call; "" for internal writers. Apply remembers results by it. */
  readonly requestId: string;
  /** Unix ms by the leader's clock: becomes createdAt/updatedAt. Apply reads no clock. */
  readonly atMs: number;
  /** True for client writes: sets clientIndex of the objects it puts. */
  readonly isClient: boolean;
  readonly preconditions: readonly Precondition[];
  readonly changes: readonly Change[];
  /** Kept with the requestId and returned to retries: canonical JSON, at most 4 KiB. */
  readonly resultJson: string;
  readonly requester?: Requester;
};

export type Rejection = {
  readonly code:
    | "OUT_OF_SEQUENCE"
    | "NAME_CONFLICT"
    | "PORT_CONFLICT"
    | "ADDRESS_CONFLICT"
    | "VNI_CONFLICT"
    | "SUBNET_CONFLICT"
    | "NOT_FOUND"
    | "EXISTS"
    | "IN_USE"
    /** The entry's bytes are no transaction of a known format; `precondition` is "decodable". */
    | "BAD_FORMAT";
  /** Which precondition failed, for the caller's message. */
  readonly precondition: Precondition;
  /** Names or ids of the objects in the way. */
  readonly conflictsWith: readonly string[];
};

export type ApplyOutcome =
  | { readonly kind: "applied"; readonly index: number; readonly resultJson: string }
  | { readonly kind: "rejected"; readonly index: number; readonly rejection: Rejection };
