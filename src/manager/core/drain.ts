/**
 * How the tasks of a replicated service leave drained nodes: one that runs goes on until its replacement does, a few at a time, and
 * no longer than until the deadline. Decided anew each time from tasks and nodes.
 */
import { drainDeadlineMs, TASK_STATE, type Task } from "../../api/index.js";
import { isLingering } from "./lingering.js";
import { desired, hasEndedForGood } from "./restart.js";
import type { ServiceContext } from "./service-context.js";
import { isStopped, isWanted, nodeFate, type Slot } from "./task-slot.js";
import { isDirty, makeTask } from "./task-template.js";

/** A slot whose task waits for its replacement to be begun. */
type Waiting = { readonly slot: Slot; readonly task: Task };

/** `going`: tasks are still to leave, so every change of the service's tasks matters. `noRoom`: the plan is full. */
export type DrainProgress = "none" | "going" | "noRoom";

/** `slots` are those that stay; slots that it touches are added to `changed`. */
export function planDrain(
  context: ServiceContext,
  slots: readonly Slot[],
  changed: Set<number>,
): DrainProgress {
  const waiting: Waiting[] = [];
  let underWay = 0;
  let isGoing = false;
  for (const slot of slots) {
    const wanted = slot.tasks.filter(isWanted);
    const leaving = wanted.filter((task) => isLingering(context, slot, task));
    const [first] = leaving;
    // Almost all slots of almost all services.
    if (!first && wanted.length < 2) continue;
    const staying = wanted.filter((task) => !leaving.includes(task));
    if (first) {
      isGoing = true;
      wakeAtDeadlines(context, leaving);
    }
    if (changed.has(slot.number)) {
      if (first) underWay++;
      continue;
    }
    const surplus = first ? replacedTasks(context, leaving, staying) : spareTasks(context, staying);
    if (surplus.length > 0) {
      if (!stop(context, surplus)) return "noRoom";
      changed.add(slot.number);
    } else if (first && staying.length > 0) underWay++;
    else if (first && !hasEndedForGood(slot)) waiting.push({ slot, task: first });
  }
  for (const { slot, task } of waiting) {
    if (underWay >= parallelism(context, task)) continue;
    underWay++;
    if (!begin(context, slot)) return "noRoom";
    changed.add(slot.number);
  }
  return isGoing ? "going" : "none";
}

/** The slot as updates see it: a task that leaves, and has its replacement, is not one of two to be made one. */
export function withoutReplaced(context: ServiceContext, slot: Slot): Slot {
  if (slot.tasks.filter(isWanted).length < 2) return slot;
  const leaving = slot.tasks.filter((task) => isLingering(context, slot, task));
  const isReplaced = slot.tasks.some((task) => isWanted(task) && !leaving.includes(task));
  if (!isReplaced || leaving.length === 0) return slot;
  const tasks = slot.tasks.map((task) =>
    leaving.includes(task) ? { ...task, desiredState: TASK_STATE.shutdown } : task,
  );
  return { ...slot, tasks };
}

/** All that leave once a replacement is reached; before that all but one, since a replacement may have been drained in its turn. */
function replacedTasks(
  { reach }: ServiceContext,
  leaving: readonly Task[],
  staying: readonly Task[],
): readonly Task[] {
  const hasArrived = staying.some(
    (task) => task.state === TASK_STATE.running && reach.isReachable(task),
  );
  return hasArrived ? leaving : leaving.slice(1);
}

/** A drain that was called off leaves slots with two tasks alike: the one that is furthest, then the oldest, stays. */
function spareTasks(context: ServiceContext, staying: readonly Task[]): readonly Task[] {
  const { service, nodeOf } = context;
  const areAlike = staying.every(
    (task) =>
      !isStopped(task) && nodeFate(task, nodeOf) === "fine" && !isDirty(task, service, nodeOf),
  );
  if (!areAlike) return [];
  // Array.sort is stable, so of equals the oldest comes first.
  return [...staying].sort((a, b) => b.state - a.state).slice(1);
}

function stop({ plan }: ServiceContext, tasks: readonly Task[]): boolean {
  return plan.add(...tasks.map((task) => desired(task, TASK_STATE.shutdown)));
}

/** It runs elsewhere, so neither host ports nor a limit per node stand between the two. */
function begin({ plan, service, newTaskId }: ServiceContext, slot: Slot): boolean {
  const task = makeTask(service, {
    id: newTaskId(),
    place: slot,
    desiredState: TASK_STATE.running,
    notBeforeMs: 0,
    nowMs: plan.nowMs,
  });
  plan.dateFrom((slot.tasks.at(-1)?.createdAtMs ?? 0) + 1);
  return plan.add({ kind: "putTask", task });
}

/** Slots of the service that may be under way at the same time, for one on this node to begin. */
function parallelism({ service, nodeOf }: ServiceContext, { nodeId }: Task): number {
  const ofNode = nodeOf(nodeId)?.spec.Drain?.MaxParallel;
  const limit = ofNode ?? service.spec.UpdateConfig?.Parallelism ?? 1;
  return limit === 0 ? Number.POSITIVE_INFINITY : limit;
}

function wakeAtDeadlines({ nodeOf, wakeAt }: ServiceContext, leaving: readonly Task[]): void {
  for (const { nodeId } of leaving) {
    const node = nodeOf(nodeId);
    if (node) wakeAt(drainDeadlineMs(node));
  }
}
