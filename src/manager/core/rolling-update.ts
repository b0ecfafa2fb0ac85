/**
 * Rolling update of one service, decided anew each time from tasks and update status: which slots are done, under way, or dirty.
 * Nothing is remembered that a new leader could not find again (but see UpdateMemory).
 */
import {
  type Change,
  type Service,
  TASK_STATE,
  type Task,
  type UpdateState,
  type UpdateStatus,
} from "../../api/index.js";
import { desired } from "./restart.js";
import type { ServiceContext } from "./service-context.js";
import { isStopped, isWanted, mayStillRun, type Slot } from "./task-slot.js";
import { isDirty, makeTask } from "./task-template.js";
import { paceOf, type UpdatePace } from "./update-config.js";

/** A slot that this update has given a new task. */
export type RenewedSlot = { readonly slot: Slot; readonly first: Task };

/**
 * The first task of the current spec in the slot, made since the update began, in place of one of an older spec; undefined if
 * the update has not touched the slot. Later tasks of the same spec are restarts.
 */
export function renewal(
  slot: Slot,
  service: Service,
  startedAtMs: number,
  nodeOf: ServiceContext["nodeOf"],
): { readonly first: Task; readonly replaced: Task } | undefined {
  for (const [i, task] of slot.tasks.entries()) {
    const before = slot.tasks[i - 1];
    if (task.specVersion !== service.specVersion || task.createdAtMs < startedAtMs) continue;
    if (!before) return undefined;
    return isDirty(before, service, nodeOf) ? { first: task, replaced: before } : undefined;
  }
  return undefined;
}

/** Plans the next steps. `slots` are those that count; `changed` ones wait for the next turn. Returns whether the update goes on. */
export function planUpdate(
  context: ServiceContext,
  slots: readonly Slot[],
  changed: ReadonlySet<number>,
): boolean {
  const { service, plan } = context;
  const state = service.updateStatus?.state;
  if (state === "paused" || state === "rollback_paused") return tidyAll(context, slots, changed);
  const dirty = slots.filter((slot) => isDirtySlot(context, slot));
  if (state === undefined) {
    if (dirty.length === 0) return false;
    const status = { state: "updating", startedAtMs: plan.nowMs, completedAtMs: 0 } as const;
    const started = { ...status, message: "update in progress" };
    if (!plan.add(statusChange(service, started))) return true;
    return advance(context, slots, dirty, changed, started);
  }
  if (dirty.length === 0 && state !== "updating" && state !== "rollback_started") return false;
  // After its end an update only tidies up: slots with two tasks, say.
  return advance(context, slots, dirty, changed, service.updateStatus);
}

function advance(
  context: ServiceContext,
  slots: readonly Slot[],
  dirty: readonly Slot[],
  changed: ReadonlySet<number>,
  status: UpdateStatus | undefined,
): boolean {
  const { service, plan, nodeOf } = context;
  const pace = paceOf(service);
  const startedAtMs = status?.startedAtMs ?? 0;
  const isActive = status?.state === "updating" || status?.state === "rollback_started";
  // New tasks are told from old ones by age: a clock that is behind must not date them before the start.
  plan.dateFrom(startedAtMs);
  const renewed = new Map<number, RenewedSlot>();
  for (const slot of slots) {
    const found = renewal(slot, service, startedAtMs, nodeOf);
    if (found) renewed.set(slot.number, { slot, first: found.first });
  }
  if (isActive && status && pauseOnFailure(context, pace, renewed, dirty, status)) return false;

  let capacity = pace.parallelism - countUnderWay(context, pace, renewed.values());
  let isWaiting = false;
  for (const slot of dirty) {
    if (changed.has(slot.number)) {
      isWaiting = true;
      continue;
    }
    if (renewed.has(slot.number) || slot.tasks.filter(isWanted).length > 1) {
      if (!tidy(context, pace, slot)) return true;
      isWaiting = true;
      continue;
    }
    if (capacity < 1) return true;
    capacity--;
    isWaiting = true;
    if (!renew(context, pace, slot)) return true;
  }
  if (isWaiting) return true;
  if (!isActive || !status) return false;
  return !complete(context, pace, renewed.values(), status);
}

/** More than one wanted task, or one (or the last, if it is not to be restarted) of an older spec. */
function isDirtySlot(context: ServiceContext, slot: Slot): boolean {
  const wanted = slot.tasks.filter(isWanted);
  if (wanted.length > 1) return true;
  const only = wanted[0] ?? slot.tasks.at(-1);
  return only !== undefined && isDirty(only, context.service, context.nodeOf);
}

/** Slots whose new task has not arrived yet, or arrived less than the delay ago. */
function countUnderWay(
  context: ServiceContext,
  pace: UpdatePace,
  renewed: Iterable<RenewedSlot>,
): number {
  const { plan, memory } = context;
  let count = 0;
  for (const { first } of renewed) {
    const arrivedAtMs = memory.arrivedAtMs(first, plan.nowMs);
    if (arrivedAtMs === undefined) {
      // Moved away before it arrived (its node was drained): the restart goes on with it, the update with the next slot.
      if (isWanted(first)) count++;
    } else if (plan.nowMs < arrivedAtMs + pace.delayMs) {
      context.wakeAt(arrivedAtMs + pace.delayMs);
      count++;
    }
  }
  return count;
}

/** A new task beside the old (start-first) or in its place (stop-first). */
function renew(context: ServiceContext, pace: UpdatePace, slot: Slot): boolean {
  const { plan, service, nodeOf } = context;
  const old = slot.tasks.filter(isWanted);
  const mustWait = !pace.isStartFirst && slot.tasks.some((task) => mayStillRun(task, nodeOf));
  const task = makeTask(service, {
    id: context.newTaskId(),
    place: slot,
    desiredState: mustWait ? TASK_STATE.ready : TASK_STATE.running,
    notBeforeMs: 0,
    nowMs: plan.nowMs,
  });
  plan.dateFrom((slot.tasks.at(-1)?.createdAtMs ?? 0) + 1);
  const stops = pace.isStartFirst ? [] : old.map((t) => desired(t, TASK_STATE.shutdown));
  return plan.add(...stops, { kind: "putTask", task });
}

/** A paused update begins no slot, but one that start-first gave two tasks is brought back to one when the new task runs. */
function tidyAll(
  context: ServiceContext,
  slots: readonly Slot[],
  changed: ReadonlySet<number>,
): boolean {
  const pace = paceOf(context.service);
  let isWaiting = false;
  for (const slot of slots) {
    if (slot.tasks.filter(isWanted).length < 2) continue;
    isWaiting = true;
    if (!changed.has(slot.number) && !tidy(context, pace, slot)) return true;
  }
  return isWaiting;
}

/** Of several wanted tasks one stays: up to date before outdated, the furthest along, then the oldest. */
function tidy(context: ServiceContext, pace: UpdatePace, slot: Slot): boolean {
  const { service, nodeOf, plan } = context;
  const wanted = slot.tasks.filter(isWanted);
  const isClean = (task: Task): boolean => !isDirty(task, service, nodeOf);
  const ranked = [...wanted].sort(
    (a, b) => Number(isClean(b)) - Number(isClean(a)) || b.state - a.state,
  );
  const keeper = ranked[0];
  if (!keeper || ranked.length < 2) return true;
  const mayStopOld = !pace.isStartFirst || !isClean(keeper) || keeper.state === TASK_STATE.running;
  const stops = ranked.slice(1).filter((task) => mayStopOld || isClean(task));
  return stops.length === 0 || plan.add(...stops.map((task) => desired(task, TASK_STATE.shutdown)));
}

function pauseOnFailure(
  context: ServiceContext,
  pace: UpdatePace,
  renewed: ReadonlyMap<number, RenewedSlot>,
  dirty: readonly Slot[],
  status: UpdateStatus,
): boolean {
  const { service, plan } = context;
  if (!pace.isWatching) return false;
  let failures = 0;
  let named: Task | undefined;
  for (const { first } of renewed.values()) {
    if (!hasFailed(context, pace, first)) continue;
    failures++;
    if (!named || first.statusAtMs > named.statusAtMs) named = first;
  }
  const total = new Set([...renewed.keys(), ...dirty.map((slot) => slot.number)]).size;
  if (!named || failures / total <= pace.maxFailureRatio) return false;
  const isRollback = status.state === "rollback_started";
  const state: UpdateState = isRollback ? "rollback_paused" : "paused";
  const message = `${isRollback ? "rollback" : "update"} paused due to failure or early termination of task ${named.id}`;
  plan.add(statusChange(service, { ...status, state, message }));
  return true;
}

/** Ended of itself, early. One that was stopped on request, or whose node was removed, says nothing about the spec. */
function hasFailed(context: ServiceContext, pace: UpdatePace, task: Task): boolean {
  if (!isStopped(task)) return false;
  if (task.state === TASK_STATE.shutdown || task.state === TASK_STATE.orphaned) return false;
  return context.memory.endedWithin(task, pace.monitorMs, context.plan.nowMs);
}

/** After the last slot failures are watched for a while, then the update is done. Returns whether it is. */
function complete(
  context: ServiceContext,
  pace: UpdatePace,
  renewed: Iterable<RenewedSlot>,
  status: UpdateStatus,
): boolean {
  const { service, plan, memory } = context;
  const watchMs = pace.delayMs >= pace.monitorMs ? pace.delayMs + 1000 : pace.monitorMs;
  let endMs = 0;
  for (const { first } of renewed) {
    const arrivedAtMs = memory.arrivedAtMs(first, plan.nowMs);
    if (arrivedAtMs === undefined && isWanted(first)) return false;
    if (arrivedAtMs !== undefined) endMs = Math.max(endMs, arrivedAtMs + pace.delayMs + watchMs);
  }
  if (plan.nowMs < endMs) {
    context.wakeAt(endMs);
    return false;
  }
  const isRollback = status.state === "rollback_started";
  return plan.add(
    statusChange(service, {
      ...status,
      state: isRollback ? "rollback_completed" : "completed",
      completedAtMs: plan.nowMs,
      message: isRollback ? "rollback completed" : "update completed",
    }),
  );
}

function statusChange(service: Service, updateStatus: UpdateStatus): Change {
  return {
    kind: "serviceUpdateStatus",
    serviceId: service.id,
    specVersion: service.specVersion,
    updateStatus,
  };
}
