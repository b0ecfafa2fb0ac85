/** Stands in for orchestrator, scheduler and agents in tests of the door: gives every service the tasks it wants, already running. */
import {
  type Change,
  type Service,
  TASK_STATE,
  type Task,
  type TaskState,
} from "../../api/index.js";
import { newId } from "../../base/index.js";
import { Allocator, Plan } from "../../manager/core/index.js";
import type { FakeCluster } from "./fake-cluster.js";

/** One pass; safe to repeat. Tasks go to the workers in turn. */
export async function settle(cluster: FakeCluster): Promise<void> {
  await allocate(cluster);
  for (const service of cluster.store.services()) {
    const changes = plan(cluster, service);
    if (changes.length > 0) await cluster.write(changes);
    await start(cluster, service);
    await finishUpdate(cluster, service);
  }
}

/** The manager's own allocator, until it has nothing more to do. */
async function allocate(cluster: FakeCluster): Promise<void> {
  const allocator = new Allocator();
  allocator.reset(cluster.store);
  for (;;) {
    const plan = new Plan(cluster.nowMs);
    allocator.plan(cluster.store, plan);
    if (plan.changes.length === 0) return;
    await cluster.write(plan.changes);
    allocator.reset(cluster.store);
  }
}

/** Tasks on networks of the cluster are made new, and run once they have their addresses. */
async function start(cluster: FakeCluster, service: Service): Promise<void> {
  const isNew = ({ state }: Task): boolean => state < TASK_STATE.running;
  if (!cluster.store.tasksByService(service.id).some(isNew)) return;
  await allocate(cluster);
  const changes = cluster.store
    .tasksByService(service.id)
    .filter(isNew)
    .map((task): Change => {
      const { id: taskId, containerId, pid, exitCode, portStatus } = task;
      const status = { state: TASK_STATE.running, message: "started", err: "" };
      const { nowMs: atMs } = cluster;
      return {
        kind: "taskStatus",
        taskId,
        ...status,
        atMs,
        containerId,
        pid,
        exitCode,
        portStatus,
      };
    });
  await cluster.write(changes);
}

function plan(cluster: FakeCluster, service: Service): readonly Change[] {
  const { Mode: mode } = service.spec;
  const tasks = cluster.store.tasksByService(service.id);
  const changes: Change[] = [];
  const fill = (slot: number, nodeId: string, desired: TaskState, state: TaskState): void => {
    const inSlot = tasks.filter(
      (task) => task.slot === slot && (slot !== 0 || task.nodeId === nodeId),
    );
    const isFresh = (task: Task): boolean =>
      task.desiredState === desired &&
      JSON.stringify(task.spec) === JSON.stringify(service.spec.TaskTemplate);
    if (inSlot.some(isFresh)) return;
    for (const task of inSlot) changes.push(shutDown(task));
    changes.push({
      kind: "putTask",
      task: makeTask(
        cluster,
        service,
        slot,
        nodeId,
        desired,
        needsAddresses(service) ? TASK_STATE.new : state,
      ),
    });
  };
  const workers = cluster.store.nodes().filter((node) => node.spec.Role === "worker");
  const workerOf = (slot: number): string => workers[slot % workers.length]?.id ?? "";
  if ("Replicated" in mode) {
    for (let slot = 1; slot <= mode.Replicated.Replicas; slot += 1) {
      fill(slot, workerOf(slot), TASK_STATE.running, TASK_STATE.running);
    }
    for (const task of tasks) {
      if (task.slot > mode.Replicated.Replicas) {
        changes.push({ kind: "delete", table: "task", id: task.id });
      }
    }
  } else if ("Global" in mode) {
    for (const node of cluster.store.nodes()) {
      fill(0, node.id, TASK_STATE.running, TASK_STATE.running);
    }
  } else if ("ReplicatedJob" in mode) {
    for (let slot = 0; slot < mode.ReplicatedJob.TotalCompletions; slot += 1) {
      fill(slot, workerOf(slot), TASK_STATE.complete, TASK_STATE.complete);
    }
  }
  return changes;
}

async function finishUpdate(cluster: FakeCluster, service: Service): Promise<void> {
  const isUpdate =
    service.previousSpec !== undefined &&
    service.updateStatus === undefined &&
    JSON.stringify(service.previousSpec.TaskTemplate) !== JSON.stringify(service.spec.TaskTemplate);
  if (!isUpdate) return;
  const status = { startedAtMs: cluster.nowMs, completedAtMs: 0 };
  const change = (state: "updating" | "completed", message: string): Change => ({
    kind: "serviceUpdateStatus",
    serviceId: service.id,
    specVersion: service.specVersion,
    updateStatus: {
      ...status,
      state,
      message,
      completedAtMs: state === "completed" ? cluster.nowMs : 0,
    },
  });
  await cluster.write([change("updating", "update in progress")]);
  await cluster.write([change("completed", "update completed")]);
}

function needsAddresses({ spec }: Service): boolean {
  const isNode = new Set(["bridge", "host", "none"]);
  return (
    (spec.EndpointSpec?.Ports ?? []).some((port) => port.PublishMode === "ingress") ||
    (spec.TaskTemplate.Networks ?? []).some(({ Target }) => !isNode.has(Target ?? ""))
  );
}

function shutDown(task: Task): Change {
  return { kind: "taskDesired", taskId: task.id, desiredState: TASK_STATE.shutdown };
}

function makeTask(
  cluster: FakeCluster,
  service: Service,
  slot: number,
  nodeId: string,
  desiredState: TaskState,
  state: TaskState,
): Task {
  const id = newId(cluster.random);
  const isDone = state === TASK_STATE.complete;
  return {
    id,
    versionIndex: 0,
    createdAtMs: cluster.nowMs,
    updatedAtMs: cluster.nowMs,
    serviceId: service.id,
    serviceName: service.spec.Name,
    slot,
    nodeId,
    spec: service.spec.TaskTemplate,
    specVersion: service.specVersion,
    hostPorts: [],
    desiredState,
    state,
    statusAtMs: cluster.nowMs,
    message: isDone ? "finished" : "started",
    err: "",
    containerId: Buffer.from(`${id}${id}`.slice(0, 32)).toString("hex"),
    pid: isDone ? 0 : 4711,
    exitCode: 0,
    portStatus: [],
    notBeforeMs: 0,
    jobIteration: service.jobIteration,
    genericResources: [],
    networks: [],
    networkPhase: 0,
  };
}
