/** Dispatcher messages to domain types and back. What does not parse is a broken contract: the session ends and is opened again. */
import type { swarm } from "../../api/index.js";
import {
  type GenericResource,
  type Labels,
  NETWORK_PHASE,
  type NetworkPhase,
  type PortConfig,
  safeUint,
  TASK_STATE,
  type TaskNetwork,
  type TaskSpec,
  type TaskState,
} from "../../api/index.js";
import type { NetworkMessage } from "../core/network/network-queue.js";
import type { AssignmentMessage } from "../core/task/assignment-set.js";
import type { Assignment, TaskStatus } from "../core/task/types.js";

const STATES: ReadonlySet<number> = new Set(Object.values(TASK_STATE));
const PHASES: ReadonlySet<number> = new Set(Object.values(NETWORK_PHASE));

/** Throws RangeError for a number that is no task state. */
export function toTaskState(raw: number): TaskState {
  if (!STATES.has(raw)) throw new RangeError(`unknown task state ${raw}`);
  return raw as TaskState;
}

/** Throws RangeError for a number that is no network phase. */
export function toNetworkPhase(raw: number): NetworkPhase {
  if (!PHASES.has(raw)) throw new RangeError(`unknown network phase ${raw}`);
  return raw as NetworkPhase;
}

/** The body stays as it came: the net process reads it. */
export function toNetworkMessage(
  raw: swarm.dispatcher.NetworkAssignments.$Properties,
): NetworkMessage {
  return {
    isComplete: raw.complete ?? false,
    appliesTo: safeUint(raw.appliesTo ?? 0, "networks.applies_to"),
    resultsIn: safeUint(raw.resultsIn ?? 0, "networks.results_in"),
    body: raw.bodyJson ?? new Uint8Array(),
  };
}

export function toAssignmentMessage(
  raw: swarm.dispatcher.Assignments.$Properties,
): AssignmentMessage {
  // Parsed once and shared by all tasks that run it.
  const specs = (raw.specs ?? []).map((bytes) => parseJson(bytes) as TaskSpec);
  return {
    isComplete: raw.complete ?? false,
    appliesTo: safeUint(raw.appliesTo ?? 0, "assignments.applies_to"),
    resultsIn: safeUint(raw.resultsIn ?? 0, "assignments.results_in"),
    tasks: (raw.tasks ?? []).map((task) => toAssignment(task, specs)),
    removedTaskIds: raw.removedTaskIds ?? [],
  };
}

function toAssignment(
  raw: swarm.dispatcher.TaskAssignment.$Properties,
  specs: readonly TaskSpec[],
): Assignment {
  const spec = specs[(raw.specRef ?? 0) - 1];
  if (spec === undefined) {
    throw new RangeError(`task ${raw.taskId}: spec ${raw.specRef} of ${specs.length}`);
  }
  return {
    taskId: raw.taskId ?? "",
    serviceId: raw.serviceId ?? "",
    serviceName: raw.serviceName ?? "",
    slot: raw.slot ?? 0,
    spec,
    desiredState: toTaskState(raw.desiredState ?? 0),
    notBeforeMs: raw.notBeforeMs ?? 0,
    hostPorts: (parseJson(raw.hostPortsJson) ?? []) as readonly PortConfig[],
    registryAuth: raw.registryAuth ?? "",
    serviceLabels: (parseJson(raw.serviceLabelsJson) ?? {}) as Labels,
    versionIndex: safeUint(raw.versionIndex ?? 0, "task.version_index"),
    genericResources: (parseJson(raw.genericResourcesJson) ?? []) as readonly GenericResource[],
    networks: (parseJson(raw.networksJson) ?? []) as readonly TaskNetwork[],
    networkPhase: toNetworkPhase(raw.networkPhase ?? 0),
  };
}

function parseJson(bytes: Uint8Array | null | undefined): unknown {
  if (bytes === undefined || bytes === null || bytes.length === 0) return undefined;
  return JSON.parse(Buffer.from(bytes).toString("utf8"));
}

export function fromTaskStatus(status: TaskStatus): swarm.objects.TaskStatus.$Properties {
  return {
    taskId: status.taskId,
    state: status.state,
    atMs: status.atMs,
    message: status.message,
    err: status.err,
    containerId: status.containerId,
    pid: status.pid,
    exitCode: status.exitCode,
    portStatus: status.portStatus.map((port) => ({ ...port })),
  };
}
