/** Tasks as a service wants them now: making new ones, and telling whether an existing one is out of date. */
import {
  type GenericResource,
  internSpec,
  NO_TASK_NETWORKS,
  type Node,
  type PortConfig,
  type Service,
  sameSpec,
  TASK_STATE,
  type Task,
  type TaskSpec,
  type TaskState,
} from "../../api/index.js";
import { meetsConstraints } from "../../scheduler/index.js";
import { needsAllocation, overlayTargets, wantsIngress } from "./network-needs.js";
import type { Place } from "./task-slot.js";

export type NewTask = {
  readonly id: string;
  readonly place: Place;
  readonly desiredState: TaskState;
  /** Unix ms; 0 = at once. */
  readonly notBeforeMs: number;
  readonly nowMs: number;
};

/**
 * A task of the service's current spec. Without networks nothing has to be allocated, so it is born pending and the scheduler
 * may take it one entry earlier.
 */
export function makeTask(service: Service, made: NewTask): Task {
  const spec = templateOf(service);
  const isReadyToPlace = !needsAllocation(service);
  return {
    id: made.id,
    versionIndex: 0,
    createdAtMs: made.nowMs,
    updatedAtMs: made.nowMs,
    serviceId: service.id,
    serviceName: service.spec.Name,
    slot: made.place.nodeId === "" ? made.place.number : 0,
    nodeId: made.place.nodeId,
    spec,
    specVersion: service.specVersion,
    hostPorts: hostPortsOf(service),
    desiredState: made.desiredState,
    state: isReadyToPlace ? TASK_STATE.pending : TASK_STATE.new,
    statusAtMs: made.nowMs,
    message: isReadyToPlace ? PENDING_MESSAGE : "created",
    err: "",
    containerId: "",
    pid: 0,
    exitCode: 0,
    portStatus: [],
    notBeforeMs: made.notBeforeMs,
    jobIteration: made.place.iteration,
    genericResources: NO_RESOURCES,
    networks: NO_TASK_NETWORKS,
    networkPhase: 0,
  };
}

export const PENDING_MESSAGE = "pending task scheduling";

/**
 * Whether the task has to be replaced to be what the service wants. A change of the placement alone does not matter to a task whose
 * node satisfies the new constraints.
 */
export function isDirty(
  task: Task,
  service: Service,
  nodeOf: (id: string) => Node | undefined,
): boolean {
  if (task.specVersion === service.specVersion) return false;
  if (!sameSpec(task.hostPorts, hostPortsOf(service))) return true;
  const template = templateOf(service);
  // Ports in ingress mode reach a task through an address of its own, which it gets at its start or not at all.
  if (wantsIngress(service) && task.networks.length <= overlayTargets(task.spec).length)
    return true;
  if (sameSpec(task.spec, template)) return false;
  if (!sameSpec(withoutPlacement(task.spec), withoutPlacement(template))) return true;
  const node = nodeOf(task.nodeId);
  return !node || !meetsConstraints(template.Placement?.Constraints ?? [], node);
}

const templates = new WeakMap<TaskSpec, TaskSpec>();
const bare = new WeakMap<TaskSpec, object>();
const hostPorts = new WeakMap<readonly PortConfig[], readonly PortConfig[]>();

/** The template as the object that the service's tasks share. */
export function templateOf(service: Service): TaskSpec {
  const template = service.spec.TaskTemplate;
  let shared = templates.get(template);
  if (!shared) {
    shared = internSpec(template);
    templates.set(template, shared);
  }
  return shared;
}

function withoutPlacement(spec: TaskSpec): object {
  let rest = bare.get(spec);
  if (!rest) {
    const { Placement: _, ...others } = spec;
    rest = internSpec(others);
    bare.set(spec, rest);
  }
  return rest;
}

const NO_PORTS: readonly PortConfig[] = internSpec([]);
const NO_RESOURCES: readonly GenericResource[] = internSpec([]);

function hostPortsOf(service: Service): readonly PortConfig[] {
  const ports = service.spec.EndpointSpec?.Ports;
  if (!ports) return NO_PORTS;
  let found = hostPorts.get(ports);
  if (!found) {
    found = internSpec(ports.filter((port) => port.PublishMode === "host"));
    hostPorts.set(ports, found);
  }
  return found;
}
