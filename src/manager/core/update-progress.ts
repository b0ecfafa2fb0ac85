/** How far a running update has come: which slots it has given a new task, and what became of those. All from task records. */
import { type Service, TASK_STATE, type Task } from "../../api/index.js";
import { mayRestart } from "./restart-policy.js";
import type { ServiceContext } from "./service-context.js";
import { isStopped, isWanted, type Slot } from "./task-slot.js";
import { isDirty } from "./task-template.js";
import type { UpdatePace } from "./update-config.js";

/** A slot that the update has given a new task. */
export type RenewedSlot = {
  readonly slot: Slot;
  /** The first task of the current spec since the last one of another, made since the update began. */
  readonly first: Task;
  /** The one of an older spec before it. */
  readonly replaced: Task;
  /** `first` and its restarts, oldest first. */
  readonly renewals: readonly Task[];
};

/**
 * undefined if the update has not touched the slot. Whether a task is of the current spec is told by what is in it: scaling in
 * the middle of an update makes a new spec version, but no new tasks.
 */
export function renewedSlot(
  slot: Slot,
  service: Service,
  startedAtMs: number,
  nodeOf: ServiceContext["nodeOf"],
): RenewedSlot | undefined {
  const at = slot.tasks.findLastIndex((task) => isDirty(task, service, nodeOf));
  const replaced = slot.tasks[at];
  // One that is followed by a task of another spec is older than this update, whatever the clock said as it was made.
  const clean = slot.tasks.slice(at + 1);
  const renewals = clean.filter(({ createdAtMs }) => createdAtMs >= startedAtMs);
  const [first] = renewals;
  if (!replaced || !first) return undefined;
  // Of an update before this one to the same spec: it had filled the slot, and is restarted, unless it was given up for the old task.
  if (first !== clean[0] && !livedAt(replaced, startedAtMs)) return undefined;
  return { slot, first, replaced, renewals };
}

function livedAt(task: Task, atMs: number): boolean {
  return isWanted(task) || task.updatedAtMs >= atMs;
}

/** `sinceMs` orders failures; `text` names the task. */
export type UpdateFailure = { readonly sinceMs: number; readonly text: string };

/**
 * A slot fails once, however often: when a new task, or a restart of it, ends early and of itself, or when none runs by the
 * deadline.
 */
export function failureOf(
  context: ServiceContext,
  pace: UpdatePace,
  renewed: RenewedSlot,
): UpdateFailure | undefined {
  const failed = renewed.renewals.find((task) => hasFailed(context, pace, task));
  if (failed) {
    const reason = failed.err === "" ? "" : ` (${placeOf(failed)}: ${failed.err})`;
    const text = `due to failure or early termination of task ${failed.id}${reason}`;
    return { sinceMs: failed.statusAtMs, text };
  }
  const late = lateTask(context, pace, renewed);
  return late && { sinceMs: lateAtMs(late, pace), text: `as ${notRunning(late, pace)}` };
}

/** The wanted new task of the slot when it does not run though its deadline is over; else that is looked at again then. */
export function lateTask(
  context: ServiceContext,
  pace: UpdatePace,
  { renewals }: RenewedSlot,
): Task | undefined {
  const newest = renewals.at(-1);
  if (!newest || !isWanted(newest) || newest.state >= TASK_STATE.running) return undefined;
  const atMs = lateAtMs(newest, pace);
  if (context.plan.nowMs >= atMs) return newest;
  context.wakeAt(atMs);
  return undefined;
}

function lateAtMs(task: Task, pace: UpdatePace): number {
  return Math.max(task.createdAtMs, task.notBeforeMs) + pace.deadlineMs;
}

/** "slot 3: task X not running after 600s: no suitable node (…)". */
function notRunning(task: Task, pace: UpdatePace): string {
  const reason = task.err || task.message;
  const after = `${placeOf(task)}: task ${task.id} not running after ${pace.deadlineMs / 1000}s`;
  return reason === "" ? after : `${after}: ${reason}`;
}

function placeOf(task: Task): string {
  return task.slot > 0 ? `slot ${task.slot}` : `node ${task.nodeId}`;
}

/**
 * Ended of itself, early. One that was stopped on request, or whose node was removed, says nothing about the spec; nor does one that
 * finished well and whose policy lets it be.
 */
function hasFailed(context: ServiceContext, pace: UpdatePace, task: Task): boolean {
  if (!isStopped(task)) return false;
  if (task.state === TASK_STATE.shutdown || task.state === TASK_STATE.orphaned) return false;
  if (task.state === TASK_STATE.complete && !mustStayUp(task)) return false;
  return context.memory.endedWithin(task, pace.monitorMs, context.plan.nowMs);
}

function mustStayUp(task: Task): boolean {
  return (task.spec.RestartPolicy?.Condition ?? "any") === "any";
}

/** Whether all slots are as the update was to make them. */
export type Outcome =
  | { readonly kind: "done" }
  /** All run or have finished, but some only since lately: look again at this Unix ms. */
  | { readonly kind: "settling"; readonly untilMs: number }
  /** `canCome`: at least one of those that do not run may still come up. */
  | { readonly kind: "incomplete"; readonly canCome: boolean; readonly text: string };

export function outcomeOf(
  context: ServiceContext,
  pace: UpdatePace,
  slots: readonly Slot[],
): Outcome {
  const { plan, memory } = context;
  const missing: Task[] = [];
  let canCome = slots.length < slotCount(context.service);
  let untilMs = 0;
  for (const slot of slots) {
    const task = slot.tasks.findLast(isWanted) ?? slot.tasks.at(-1);
    if (!task || hasFinished(task, slot)) continue;
    const runsSinceMs =
      task.state === TASK_STATE.running ? memory.arrivedAtMs(task, plan.nowMs) : undefined;
    if (runsSinceMs === undefined) {
      missing.push(task);
      canCome ||= isWanted(task);
    } else untilMs = Math.max(untilMs, runsSinceMs + pace.monitorMs);
  }
  const [named] = missing;
  if (named || canCome) {
    const what = `${missing.length} of ${slotCount(context.service) || slots.length} tasks not running`;
    return { kind: "incomplete", canCome, text: named ? `${what}: ${describe(named)}` : what };
  }
  return plan.nowMs < untilMs ? { kind: "settling", untilMs } : { kind: "done" };
}

function hasFinished(task: Task, slot: Slot): boolean {
  return task.state === TASK_STATE.complete && !isWanted(task) && !mayRestart(task, slot);
}

function describe(task: Task): string {
  const reason = task.err || task.message;
  return `${placeOf(task)}: task ${task.id}${reason === "" ? "" : `: ${reason}`}`;
}

/** Slots that there are to be; 0 where nodes decide. */
function slotCount(service: Service): number {
  const { Mode } = service.spec;
  return "Replicated" in Mode ? Mode.Replicated.Replicas : 0;
}
