/** How a cluster without faults differs from what its services want. */
import { containerTaskOf, isJob, type Service, TASK_STATE, type Task } from "../api/index.js";
import type { StoreView } from "../store/index.js";
import { describe, type TaskChecks } from "./task-checks.js";

/** All nodes are up and active. */
export function differencesOf(store: StoreView, checks: TaskChecks): string[] {
  const found: string[] = [];
  for (const service of store.services()) {
    const tasks = store
      .tasksByService(service.id)
      .filter((task) => !isOfRemovedNode(task, service, store));
    const wanted = tasks.filter((task) => task.desiredState <= TASK_STATE.complete);
    // A slot is done by whoever completed it: also by a task that was given up while its node was away.
    const filling = isJob(service.spec.Mode)
      ? tasks.filter((task) => isDone(task, service))
      : wanted;
    const slots = new Set(filling.map((task) => checks.slotKey(task)));
    const count = slotCount(service, store.nodes().length);
    if (slots.size !== count) found.push(`${service.id}: ${slots.size} slots, ${count} wanted`);
    if (filling === wanted && wanted.length > count)
      found.push(`${service.id}: ${wanted.length} tasks, ${count} wanted`);
    const goal = isJob(service.spec.Mode) ? TASK_STATE.complete : TASK_STATE.running;
    for (const task of wanted) {
      if (task.state !== goal)
        found.push(`${describe(task)} is not where it is to be: ${task.err}`);
      if (!isPaused(service) && imageOf(task) !== service.spec.TaskTemplate.ContainerSpec.Image)
        found.push(`${describe(task)} has ${imageOf(task)}`);
    }
    const state = service.updateStatus?.state;
    if (state === "updating" || state === "rollback_started")
      found.push(`${service.id} is still ${state}`);
  }
  for (const task of store.tasks()) {
    const containerTaskId = containerTaskOf(task);
    if (containerTaskId !== undefined) found.push(...wrongOf(task, store.task(containerTaskId)));
    else if (!store.service(task.serviceId)) found.push(`${describe(task)} has no service`);
  }
  return found;
}

/** An attachment is there as long as its container is, and nobody disconnected it. */
function wrongOf(task: Task, container: Task | undefined): string[] {
  const isAlive =
    container !== undefined &&
    container.state === TASK_STATE.running &&
    container.desiredState <= TASK_STATE.complete;
  if (!isAlive) return [`${describe(task)}: its container is gone`];
  if (task.desiredState > TASK_STATE.running) return [`${describe(task)} is still there`];
  return task.state === TASK_STATE.running ? [] : [`${describe(task)} does not run: ${task.err}`];
}

/** Slots that are filled when all nodes are up: of jobs, completed. */
function slotCount({ spec: { Mode: mode } }: Service, nodeCount: number): number {
  if ("Replicated" in mode) return mode.Replicated.Replicas;
  return "ReplicatedJob" in mode ? mode.ReplicatedJob.TotalCompletions : nodeCount;
}

function isDone(task: Task, service: Service): boolean {
  return task.jobIteration === service.jobIteration && task.state === TASK_STATE.complete;
}

/** Where there is a slot per node, the slot went with it. */
function isOfRemovedNode(task: Task, service: Service, store: StoreView): boolean {
  return "GlobalJob" in service.spec.Mode && store.node(task.nodeId) === undefined;
}

function isPaused(service: Service): boolean {
  return service.updateStatus?.state.endsWith("paused") ?? false;
}

function imageOf(task: Task): string {
  return task.spec.ContainerSpec.Image;
}
