/**
 * container.run and container.remove: a container outside services, on attachable networks (spec §6.2). It is one task of no service,
 * made for its node; nothing replaces it when it ends, and its record stays until it is removed.
 */
import {
  containerTaskOf,
  internSpec,
  NO_TASK_NETWORKS,
  type Node,
  type Operation,
  type Precondition,
  TASK_STATE,
  type Task,
  type TaskSpec,
} from "../../api/index.js";
import { ApiError } from "../../base/index.js";
import type { StoreView } from "../../store/index.js";
import { NODE_NETWORKS } from "../core/index.js";
import { notSupported, type WalkContext } from "./field-types.js";
import { invalid } from "./invalid.js";
import { notFound } from "./rejection-errors.js";
import { type Call, type Outcome, runOperation } from "./run-operation.js";
import type { ServiceDeps } from "./service-operations.js";
import { validateService } from "./validate-service.js";

type OperationOf<K extends Operation["kind"]> = Extract<Operation, { kind: K }>;

/** What services have and a single container has not: nothing places, restarts or replaces it. */
const REFUSED = ["RestartPolicy", "Placement"] as const;

export function runContainer(
  deps: ServiceDeps,
  operation: OperationOf<"container.run">,
  call: Call,
): Promise<Outcome<"container.run">> {
  const { taskId, nodeId, name } = operation;
  const context: WalkContext = { operation: "container run", capabilities: deps.capabilities };
  return runOperation<"container.run">(deps, call, () => {
    if (!deps.capabilities.has("overlay")) throw notSupported("Networks", context);
    for (const field of REFUSED)
      if (operation.spec[field] !== undefined)
        throw notSupported(field, context, "; make a service of one task");
    // The same rules as for a service of this one task.
    const { TaskTemplate: template } = validateService(
      { Name: name, TaskTemplate: operation.spec },
      "container run",
      deps.capabilities,
      deps.store,
    );
    const spec = internSpec<TaskSpec>({ ...template, Runtime: "attachment" });
    checkAttachable(spec, deps.store);
    checkNode(deps.store.node(nodeId), nodeId);
    checkNameFree(name, deps.store);
    return {
      preconditions: [
        { kind: "absent", table: "task", id: taskId },
        { kind: "exists", table: "node", id: nodeId },
        ...(spec.Networks ?? []).map(
          ({ Target }): Precondition => ({ kind: "exists", table: "network", id: Target }),
        ),
      ],
      changes: [{ kind: "putTask", task: taskOfNoService(operation, spec, deps.clock.wallMs()) }],
      result: { id: taskId },
    };
  });
}

export function removeContainer(
  deps: ServiceDeps,
  { taskId }: OperationOf<"container.remove">,
  call: Call,
): Promise<Outcome<"container.remove">> {
  return runOperation<"container.remove">(deps, call, () => {
    const task = deps.store.task(taskId);
    if (!task) throw notFound("task", taskId);
    if (containerTaskOf(task) !== undefined)
      throw invalid(
        `task ${taskId} is the connection of container ${task.serviceName} to a network; end it with network disconnect`,
      );
    if (task.serviceId !== "")
      throw invalid(
        `task ${taskId} belongs to service ${task.serviceName}; scale or remove the service`,
      );
    return {
      preconditions: [{ kind: "exists", table: "task", id: taskId }],
      changes: [{ kind: "taskDesired", taskId, desiredState: TASK_STATE.remove }],
      result: {},
    };
  });
}

/** Made for its node. */
export function taskOfNoService(
  {
    taskId,
    nodeId,
    name,
  }: { readonly taskId: string; readonly nodeId: string; readonly name: string },
  spec: TaskSpec,
  nowMs: number,
): Task {
  return {
    ...{ id: taskId, versionIndex: 0, createdAtMs: nowMs, updatedAtMs: nowMs },
    ...{ serviceId: "", serviceName: name, slot: 0, nodeId, spec, specVersion: 0 },
    ...{ hostPorts: [], desiredState: TASK_STATE.running, state: TASK_STATE.new },
    ...{ statusAtMs: nowMs, message: "created", err: "", containerId: "", pid: 0, exitCode: 0 },
    ...{ portStatus: [], notBeforeMs: 0, jobIteration: 0, genericResources: [] },
    ...{ networks: NO_TASK_NETWORKS, networkPhase: 0 },
  };
}

function checkAttachable(spec: TaskSpec, store: StoreView): void {
  const targets = spec.Networks ?? [];
  if (targets.length === 0) throw invalid("Networks: name an attachable network with --network");
  for (const { Target } of targets) {
    if (NODE_NETWORKS.has(Target))
      throw invalid(`Networks: ${Target} is no network of the cluster; name an attachable one`);
    const network = store.network(Target)?.spec;
    if (network && network.Attachable !== true)
      throw new ApiError(
        "PermissionDenied",
        `network ${network.Name} not manually attachable; create it with --attachable`,
      );
  }
}

/** Nobody places it elsewhere, so it is refused where it could not start. */
function checkNode(node: Node | undefined, nodeId: string): void {
  if (!node) throw notFound("node", nodeId);
  const name = node.description?.Hostname ?? nodeId;
  if (node.state !== "ready")
    throw new ApiError("FailedPrecondition", `node ${name} is ${node.state}; choose another one`);
  const { Availability } = node.spec;
  if (Availability !== "active")
    throw new ApiError(
      "FailedPrecondition",
      `the availability of node ${name} is ${Availability}; choose another node, or set it to active`,
    );
}

/** It is a DNS name: two owners would share its answers. */
function checkNameFree(name: string, store: StoreView): void {
  const isSame = (other: string): boolean => other.toLowerCase() === name.toLowerCase();
  const container = store
    .tasks()
    .find(
      (task) =>
        task.serviceId === "" &&
        containerTaskOf(task) === undefined &&
        task.desiredState < TASK_STATE.remove &&
        isSame(task.serviceName),
    );
  if (container)
    throw new ApiError(
      "AlreadyExists",
      `container ${name} already exists (task ${container.id}); remove it or choose another name`,
    );
  if (store.serviceByName(name))
    throw new ApiError("AlreadyExists", `service ${name} already exists; choose another name`);
}
