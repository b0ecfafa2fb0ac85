/** What the agent knows of one task: the manager's wish (assignment) and what was observed (status). */
import {
  type GenericResource,
  type Labels,
  type NetworkPhase,
  type PortConfig,
  type PortStatus,
  TASK_STATE,
  type TaskNetwork,
  type TaskSpec,
  type TaskState,
} from "../../../api/index.js";

/** One task as the manager gave it to this node. */
export type Assignment = {
  readonly taskId: string;
  readonly serviceId: string;
  readonly serviceName: string;
  /** 0 for global tasks. */
  readonly slot: number;
  readonly spec: TaskSpec;
  readonly desiredState: TaskState;
  /** Unix ms; not started before. 0 = at once. */
  readonly notBeforeMs: number;
  readonly hostPorts: readonly PortConfig[];
  /** Engine `X-Registry-Auth` value, "" without one. */
  readonly registryAuth: string;
  readonly serviceLabels: Labels;
  readonly versionIndex: number;
  /** What the task got of the node's generic resources. */
  readonly genericResources: readonly GenericResource[];
  /** Overlay networks in the order of its interfaces, ingress last; empty: the node's bridge alone. */
  readonly networks: readonly TaskNetwork[];
  readonly networkPhase: NetworkPhase;
};

/** What the agent reports. `state` never goes down. */
export type TaskStatus = {
  readonly taskId: string;
  readonly state: TaskState;
  readonly atMs: number;
  readonly message: string;
  readonly err: string;
  /** 64 hex digits, "" before the container exists. */
  readonly containerId: string;
  readonly pid: number;
  readonly exitCode: number;
  readonly portStatus: readonly PortStatus[];
};

/** Display and container name: `<service>.<slot>.<taskId>`, global tasks have their node's id as slot. */
export function taskName(
  assignment: Pick<Assignment, "serviceId" | "serviceName" | "slot" | "taskId">,
  nodeId: string,
): string {
  if (assignment.serviceId === "") return assignment.serviceName;
  const slot = assignment.slot === 0 ? nodeId : String(assignment.slot);
  return `${assignment.serviceName}.${slot}.${assignment.taskId}`;
}

/** Desired states only move forward; a lower one is a late message. */
export function laterDesired(current: TaskState, asked: TaskState): TaskState {
  return asked > current ? asked : current;
}

/** Whether the task's run is over. */
export function isTerminal(state: TaskState): boolean {
  return state >= TASK_STATE.complete;
}
