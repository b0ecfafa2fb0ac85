/** Keeps the wanted task of each slot alive: replaces what ended or lost its node, starts replacements when their time has come. */
import { type Change, isJob, type Service, TASK_STATE, type Task } from "../../api/index.js";
import { isLingering } from "./lingering.js";
import { mayRestart, OLD_TASK_WAIT_MS, restartDelayMs } from "./restart-policy.js";
import type { ServiceContext } from "./service-context.js";
import { isStopped, isWanted, mayStillRun, nodeFate, type Slot } from "./task-slot.js";
import { isDirty, makeTask } from "./task-template.js";
import { paceOf } from "./update-config.js";

/**
 * `settled`: nothing to do. `waiting`: for a delay, or for an old task to stop. `changed`: in this turn; to be left alone until that
 * is applied, and it counts as filled. `noRoom`: the plan is full.
 */
export type SlotCare = "settled" | "waiting" | "changed" | "noRoom";

export function careForSlot(context: ServiceContext, slot: Slot): SlotCare {
  // One that lingers is no stand-in for its replacement, which is restarted like any other.
  const wanted = slot.tasks.filter((task) => isWanted(task) && !isLingering(context, slot, task));
  for (const task of wanted) {
    if (isStopped(task) || nodeFate(task, context.nodeOf) !== "fine")
      return replace(context, slot, task, wanted);
  }
  let care: SlotCare = "settled";
  for (const task of wanted) {
    if (task.desiredState !== TASK_STATE.ready) continue;
    care = startWhenDue(context, slot, task);
    if (care !== "waiting") return care;
  }
  return care;
}

function replace(
  context: ServiceContext,
  slot: Slot,
  task: Task,
  wanted: readonly Task[],
): SlotCare {
  const { plan, service, nodeOf } = context;
  const fate = nodeFate(task, nodeOf);
  // A task that fails before its own delay is over waits for that end: else a missing image would be pulled in a hot loop.
  if (isStopped(task) && task.desiredState === TASK_STATE.ready && plan.nowMs < task.notBeforeMs) {
    context.wakeAt(task.notBeforeMs);
    return "waiting";
  }
  const shutDown: Change = desired(task, TASK_STATE.shutdown);
  if (isStandIn(context, task, wanted) || !mayRestart(task, slot))
    return plan.add(shutDown) ? "changed" : "noRoom";
  const delayMs = fate === "fine" ? restartDelayMs(task) : 0;
  const waitsForOld = mayStillRun(task, nodeOf) || waitsForOthers(context, slot);
  const replacement = makeTask(service, {
    id: context.newTaskId(),
    place: slot,
    desiredState: delayMs > 0 || waitsForOld ? TASK_STATE.ready : goalOf(service),
    notBeforeMs: delayMs > 0 ? plan.nowMs + delayMs : 0,
    nowMs: plan.nowMs,
  });
  plan.dateFrom((slot.tasks.at(-1)?.createdAtMs ?? 0) + 1);
  return plan.add(shutDown, { kind: "putTask", task: replacement }) ? "changed" : "noRoom";
}

/** One that is stopped first may be stopping still: that of an update whose new task is lost, a replacement that was given up. */
export function waitsForOthers({ service, nodeOf }: ServiceContext, slot: Slot): boolean {
  if (paceOf(service).isStartFirst) return false;
  return slot.tasks.some((old) => !isWanted(old) && mayStillRun(old, nodeOf));
}

/**
 * Another wanted task fills the slot already: in a start-first update the new one beside the old. The old one that fails then is
 * not replaced; a failing new one is, since the update waits for it.
 */
function isStandIn(context: ServiceContext, task: Task, wanted: readonly Task[]): boolean {
  const { service, nodeOf } = context;
  const others = wanted.filter((other) => other !== task && !isStopped(other));
  if (others.length === 0) return false;
  return isDirty(task, service, nodeOf) || others.some((other) => !isDirty(other, service, nodeOf));
}

/** Desired ready → running (jobs: complete) once the delay is over and the old tasks of the slot have stopped, or have been waited for long enough. */
function startWhenDue(context: ServiceContext, slot: Slot, task: Task): SlotCare {
  const { plan, nodeOf, service } = context;
  if (plan.nowMs < task.notBeforeMs) {
    context.wakeAt(task.notBeforeMs);
    return "waiting";
  }
  const waitEndMs = task.createdAtMs + OLD_TASK_WAIT_MS;
  const isWaiting = slot.tasks.some((old) => !isWanted(old) && mayStillRun(old, nodeOf));
  if (isWaiting && plan.nowMs < waitEndMs) {
    context.wakeAt(waitEndMs);
    return "waiting";
  }
  return plan.add(desired(task, goalOf(service))) ? "changed" : "noRoom";
}

/** A new task in a slot that has none: at once, or when what may be left there has stopped. */
export function fillSlot(context: ServiceContext, slot: Slot): boolean {
  const { plan, service, nodeOf } = context;
  const waitsForOld = slot.tasks.some((task) => mayStillRun(task, nodeOf));
  const task = makeTask(service, {
    id: context.newTaskId(),
    place: slot,
    desiredState: waitsForOld ? TASK_STATE.ready : goalOf(service),
    notBeforeMs: 0,
    nowMs: plan.nowMs,
  });
  plan.dateFrom((slot.tasks.at(-1)?.createdAtMs ?? 0) + 1);
  return plan.add({ kind: "putTask", task });
}

/** Its last task ended of itself, and its policy forbids another one. Being stopped, or lost with a node, is no such end. */
export function hasEndedForGood(slot: Slot): boolean {
  const newest = slot.tasks.at(-1);
  if (!newest || isWanted(newest)) return false;
  const hasEnded =
    newest.state === TASK_STATE.complete ||
    newest.state === TASK_STATE.failed ||
    newest.state === TASK_STATE.rejected;
  return hasEnded && !mayRestart(newest, slot);
}

/** What tasks of the service are started for: to run on, or to run to their end. */
export function goalOf(service: Service): 512 | 576 {
  return isJob(service.spec.Mode) ? TASK_STATE.complete : TASK_STATE.running;
}

export function desired(task: Task, desiredState: 512 | 576 | 640 | 800): Change {
  return { kind: "taskDesired", taskId: task.id, desiredState };
}
