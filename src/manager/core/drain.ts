/**
 * How the tasks of a replicated service leave drained nodes: one that runs goes on until its replacement does, a few at a time, and
 * no longer than until the deadline. Decided anew each time from tasks and nodes.
 */
import { drainDeadlineMs, TASK_STATE, type Task } from "../../api/index.js";
import { isLingering } from "./lingering.js";
import { desired, hasEndedForGood, waitsForOthers } from "./restart.js";
import type { ServiceContext } from "./service-context.js";
import { isStopped, isWanted, nodeFate, type Slot } from "./task-slot.js";
import { isDirty, makeTask } from "./task-template.js";

/** A slot whose task waits for its replacement to be begun. */
type Waiting = { readonly slot: Slot; readonly task: Task };

/** Running tasks of a slot that are to leave, oldest first. */
type Departure = {
  readonly leaving: readonly Task[];
  /** The one of them that goes on until a replacement is there: an up to date one, one that is reached, the newest. */
  readonly last: Task;
  /** As up to date as `last`. An older task that an update is about to stop is none. */
  readonly replacements: readonly Task[];
  /** Replacements of an older spec that do not run yet: one of the present spec is to take their place. */
  readonly superseded: readonly Task[];
  /** Wanted tasks that do not leave, replacements or not. */
  readonly stayingCount: number;
};

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
    const departure = departureOf(context, slot);
    if (departure) {
      isGoing = true;
      wakeAtDeadlines(context, departure.leaving);
    }
    if (changed.has(slot.number)) {
      if (departure) underWay++;
      continue;
    }
    const surplus = departure ? replacedTasks(context, departure) : spareTasks(context, slot);
    if (surplus.length > 0) {
      if (!stop(context, surplus)) return "noRoom";
      changed.add(slot.number);
    } else if (!departure) continue;
    else if (departure.replacements.length > 0) underWay++;
    // No third one is made: an outdated task beside the one that leaves is the update's to stop first, and of two that leave one stops
    // as soon as the other is reached.
    else if (departure.leaving.length > 1) underWay++;
    else if (departure.stayingCount === 0 && !hasEndedForGood(slot))
      waiting.push({ slot, task: departure.last });
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
  const departure = departureOf(context, slot);
  if (!departure || departure.replacements.length === 0) return slot;
  const tasks = slot.tasks.map((task) =>
    departure.leaving.includes(task) ? { ...task, desiredState: TASK_STATE.shutdown } : task,
  );
  return { ...slot, tasks, isBeingLeft: true };
}

/** undefined when nothing of the slot lingers on a drained node. */
function departureOf(context: ServiceContext, slot: Slot): Departure | undefined {
  const leaving = slot.tasks.filter((task) => isLingering(context, slot, task));
  const newest = leaving.at(-1);
  if (!newest) return undefined;
  const isClean = (task: Task): boolean => !isDirty(task, context.service, context.nodeOf);
  const clean = leaving.filter(isClean);
  const last = clean.findLast((task) => isReached(context, task)) ?? clean.at(-1) ?? newest;
  const staying = slot.tasks.filter((task) => isWanted(task) && !leaving.includes(task));
  const replacements = staying.filter((task) => isClean(task) || !isClean(last));
  const superseded = staying.filter((task) => task.state < TASK_STATE.running && !isClean(task));
  return { leaving, last, replacements, superseded, stayingCount: staying.length };
}

/** All that leave once a replacement is reached; before that all but the last. And what is superseded. */
function replacedTasks(
  context: ServiceContext,
  { leaving, last, replacements, superseded }: Departure,
): readonly Task[] {
  if (replacements.some((task) => isReached(context, task))) return [...leaving, ...superseded];
  const others = isReached(context, last) ? leaving.filter((task) => task !== last) : [];
  return [...others, ...superseded];
}

function isReached({ reach }: ServiceContext, task: Task): boolean {
  return task.state === TASK_STATE.running && reach.isReachable(task);
}

/** A drain that was called off leaves slots with two tasks alike: the one that is furthest, then the oldest, stays. */
function spareTasks({ service, nodeOf }: ServiceContext, slot: Slot): readonly Task[] {
  const wanted = slot.tasks.filter(isWanted);
  // Almost all slots of almost all services.
  if (wanted.length < 2) return [];
  const areAlike = wanted.every(
    (task) =>
      !isStopped(task) && nodeFate(task, nodeOf) === "fine" && !isDirty(task, service, nodeOf),
  );
  if (!areAlike) return [];
  // Array.sort is stable, so of equals the oldest comes first.
  return wanted.sort((a, b) => b.state - a.state).slice(1);
}

function stop({ plan }: ServiceContext, tasks: readonly Task[]): boolean {
  return plan.add(...tasks.map((task) => desired(task, TASK_STATE.shutdown)));
}

/** It runs elsewhere, so neither host ports nor a limit per node stand between the two. */
function begin(context: ServiceContext, slot: Slot): boolean {
  const { plan, service, newTaskId } = context;
  const task = makeTask(service, {
    id: newTaskId(),
    place: slot,
    desiredState: waitsForOthers(context, slot) ? TASK_STATE.ready : TASK_STATE.running,
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
