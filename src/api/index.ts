export { containerTaskOf } from "./attachment.js";
export { ChildChannel } from "./child-channel.js";
export { canonicalJson } from "./codec/canonical-json.js";
export { readTaskStatus, type TaskStatusReport, taskStatusMessage } from "./codec/changes.js";
export { CodecError, type CodecErrorCode } from "./codec/codec-error.js";
export {
  decodeSnapshotRecord,
  encodeSnapshotRecord,
  type SnapshotRecord,
  type StoredResultRecord,
} from "./codec/snapshots.js";
export {
  decodeSpec,
  encodeSpec,
  internedSpecCount,
  internSpec,
  sameSpec,
  specText,
} from "./codec/spec-interning.js";
export { NO_TASK_NETWORKS, readPortStatus, SpecTable } from "./codec/tasks.js";
export {
  decodeTransaction,
  encodeTransaction,
  RESULT_LENGTH_MAX,
  TRANSACTION_FORMAT,
} from "./codec/transactions.js";
export { drainDeadlineMs } from "./drain.js";
export { LOCAL_OPTION, prefersLocal } from "./endpoint-options.js";
export {
  EXIT_CODE,
  type ExitReason,
  type FromChild,
  type LocalState,
  type ManagerAddr,
  type ManagerStart,
  type NodeIdentity,
  type OwnRenewal,
  type RaftKeys,
  type ToChild,
} from "./ipc.js";
export { ENCRYPTED_OPTION, isEncrypted } from "./network-options.js";
export { type NodeConfig, nodePaths } from "./node-config.js";
export {
  type Cluster,
  type Config,
  type JoinTokens,
  type Meta,
  NETWORK_PHASE,
  type Network,
  type NetworkPhase,
  type Node,
  type NodeState,
  type ObjectOf,
  type PortStatus,
  type RebalanceState,
  type ScheduleState,
  type Secret,
  type Service,
  type SpecRevision,
  type Subnet,
  TASK_STATE,
  type TableName,
  type Task,
  type TaskMove,
  type TaskNetwork,
  type TaskState,
  type TaskStateName,
  type UpdateState,
  type UpdateStatus,
  type VirtualIp,
} from "./objects.js";
export type { Operation, OperationKind, OperationResult, ResultOf } from "./operations.js";
export { isOpenPort, keptPorts, portKey } from "./published-ports.js";
export {
  caService,
  controlService,
  dispatcherService,
  netService,
  raftService,
  tunnelService,
} from "./rpc.js";
export { isGlobal, isJob, scheduleOf } from "./service-mode.js";
export type {
  Availability,
  ClusterSpec,
  ConfigSpec,
  ContainerSpec,
  DrainConfig,
  EndpointSpec,
  FailureAction,
  FileTarget,
  GenericResource,
  HealthcheckSpec,
  JobConcurrency,
  JobSchedule,
  JournalSpec,
  Labels,
  MountSpec,
  NetworkAttachmentSpec,
  NetworkSpec,
  NetworkTarget,
  NodeDescription,
  NodeRole,
  NodeSpec,
  NodeTunnel,
  Placement,
  PortConfig,
  PortProtocol,
  PrivilegesSpec,
  ProxiedPort6,
  RebalanceMode,
  ResourceLimits,
  ResourceRequirements,
  ResourceReservations,
  RestartPolicy,
  SecretSpec,
  ServiceMode,
  ServiceSpec,
  TaskSpec,
  UpdateConfig,
  UpdateOrder,
} from "./spec.js";
export {
  ACTOR_LENGTH_MAX,
  type ApplyOutcome,
  type Change,
  type Precondition,
  REQUESTER_DOORS,
  type Rejection,
  type Requester,
  type RequesterDoor,
  type Transaction,
} from "./transaction.js";
export { safeUint, swarm } from "./wire.js";
