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
import { RoomBeside } from "../../scheduler/index.js";
import { desired } from "./restart.js";
import type { ServiceContext } from "./service-context.js";
import { isStopped, isWanted, mayStillRun, type Slot } from "./task-slot.js";
import { isDirty, makeTask } from "./task-template.js";
import { paceOf, type UpdatePace } from "./update-config.js";
import {
  failureOf,
  lateTask,
  outcomeOf,
  type RenewedSlot,
  renewedSlot,
  type UpdateFailure,
} from "./update-progress.js";

/**
 * Plans the next steps. `slots` are those that count; `changed` ones wait for the next turn. `kept` (of paused nodes) are left as they
 * are, yet one that was begun before is under way like any other. Returns whether the update goes on.
 */
export function planUpdate(
  context: ServiceContext,
  slots: readonly Slot[],
  changed: ReadonlySet<number>,
  kept: readonly Slot[] = [],
): boolean {
  const { service, plan } = context;
  const state = service.updateStatus?.state;
  if (state === "paused" || state === "rollback_paused") return tidyAll(context, slots, changed);
  const dirty = slots.filter((slot) => isDirtySlot(context, slot));
  if (state === undefined) {
    if (dirty.length === 0) return false;
    // What was just changed may be as it is to be then: two tasks of a slot that a drain has made one, say.
    if (dirty.every((slot) => changed.has(slot.number))) return true;
    const status = { state: "updating", startedAtMs: plan.nowMs, completedAtMs: 0 } as const;
    const started = { ...status, message: "update in progress" };
    if (!plan.add(statusChange(service, started))) return true;
    return advance(context, { slots, dirty, kept }, changed, started);
  }
  if (dirty.length === 0 && state !== "updating" && state !== "rollback_started") return false;
  // After its end an update only tidies up: slots with two tasks, say.
  return advance(context, { slots, dirty, kept }, changed, service.updateStatus);
}

type Slots = {
  readonly slots: readonly Slot[];
  /** Of `slots`: still to be changed. */
  readonly dirty: readonly Slot[];
  readonly kept: readonly Slot[];
};

function advance(
  context: ServiceContext,
  { slots, dirty, kept }: Slots,
  changed: ReadonlySet<number>,
  status: UpdateStatus | undefined,
): boolean {
  const { service, plan, nodeOf } = context;
  const pace = paceOf(service);
  const startedAtMs = status?.startedAtMs ?? 0;
  const running = isActive(status) ? status : undefined;
  // New tasks are told from old ones by age: a clock that is behind must not date them before the start.
  plan.dateFrom(startedAtMs);
  const renewedOf = (some: readonly Slot[]): RenewedSlot[] =>
    some.flatMap((slot) => renewedSlot(slot, service, startedAtMs, nodeOf) ?? []);
  const renewed = new Map(renewedOf(slots).map((each) => [each.slot.number, each]));
  if (running) {
    const reaction = reactToFailures(context, pace, renewed, dirty, running);
    if (reaction !== "goOn") return reaction === "rollBack";
  }
  const begunSlots = [...renewed.values(), ...renewedOf(kept)];
  let capacity = pace.parallelism - countUnderWay(context, pace, begunSlots);
  const room = new RoomBeside(context.room);
  let isWaiting = false;
  // Also when the update is over: of two tasks one stops as soon as the other runs.
  let mustFollow = false;
  for (const slot of dirty) {
    if (changed.has(slot.number)) {
      isWaiting = true;
      continue;
    }
    const begun = renewed.get(slot.number);
    if (begun || slot.tasks.filter(isWanted).length > 1) {
      if (!tidy(context, pace, slot)) return true;
      mustFollow ||= slot.tasks.filter(isWanted).length > 1;
      // One that fails, as far as that is tolerated, does not hold up the end.
      isWaiting ||= !begun || !failureOf(context, pace, begun);
      continue;
    }
    isWaiting = true;
    if (slot.isBeingLeft === true) continue;
    // A slot further on may be under way: of an update that this one took the place of, or for another's delay.
    if (capacity < 1) continue;
    capacity--;
    if (!renew(context, pace, slot, room, running)) return true;
  }
  if (isWaiting) return true;
  if (!running) return mustFollow;
  // What is replaced in this very turn, with its node say, does not run any more: looked at again when that is applied.
  if (slots.some((slot) => changed.has(slot.number))) return true;
  return !finish(context, pace, slots, renewed.values(), running) || mustFollow;
}

function isActive(status: UpdateStatus | undefined): status is UpdateStatus {
  return status?.state === "updating" || status?.state === "rollback_started";
}

/** More than one wanted task, or one (or the last, if it is not to be restarted) of an older spec. */
function isDirtySlot(context: ServiceContext, slot: Slot): boolean {
  const wanted = slot.tasks.filter(isWanted);
  if (wanted.length > 1) return true;
  const only = wanted[0] ?? slot.tasks.at(-1);
  return only !== undefined && isDirty(only, context.service, context.nodeOf);
}

/** Slots whose new task has not arrived yet, or arrived less than the delay ago. One that is late keeps nobody waiting. */
function countUnderWay(
  context: ServiceContext,
  pace: UpdatePace,
  renewed: Iterable<RenewedSlot>,
): number {
  const { plan, memory, reach } = context;
  let count = 0;
  for (const slot of renewed) {
    const { first, replaced } = slot;
    const arrivedAtMs = memory.arrivedAtMs(first, plan.nowMs);
    if (arrivedAtMs === undefined) {
      // Moved away before it arrived (its node was drained): the restart goes on with it, the update with the next slot.
      if (isWanted(first) && !lateTask(context, pace, slot)) count++;
    } else if (plan.nowMs < arrivedAtMs + pace.delayMs) {
      context.wakeAt(arrivedAtMs + pace.delayMs);
      count++;
    } else if (isLive(first) && !reach.isReachable(first)) count++;
    else if (!reach.isWithdrawn(replaced)) count++;
  }
  return count;
}

function isLive(task: Task): boolean {
  return isWanted(task) && !isStopped(task);
}

/** A new task beside the old (start-first) or in its place (stop-first, or where there is no room for both). */
function renew(
  context: ServiceContext,
  pace: UpdatePace,
  slot: Slot,
  room: RoomBeside,
  status: UpdateStatus | undefined,
): boolean {
  const { plan, service, nodeOf } = context;
  const old = slot.tasks.filter(isWanted);
  const made = {
    id: context.newTaskId(),
    place: slot,
    desiredState: TASK_STATE.running,
    notBeforeMs: 0,
    nowMs: plan.nowMs,
  };
  const task = makeTask(service, made);
  const lack = pace.isStartFirst ? room.lack(task, old) : undefined;
  const isStartFirst = pace.isStartFirst && lack === undefined;
  if (lack !== undefined && status && !sayStopFirst(context, status, lack)) return false;
  const mustWait = !isStartFirst && slot.tasks.some((other) => mayStillRun(other, nodeOf));
  plan.dateFrom((slot.tasks.at(-1)?.createdAtMs ?? 0) + 1);
  if (isStartFirst) return plan.add({ kind: "putTask", task });
  const born = mustWait ? makeTask(service, { ...made, desiredState: TASK_STATE.ready }) : task;
  const stops = old.map((each) => desired(each, TASK_STATE.shutdown));
  return plan.add(...stops, { kind: "putTask", task: born });
}

const STOP_FIRST_NOTICE = "; slots without room for two tasks are stopped first: ";

/** Once per update: the user asked for something else. */
function sayStopFirst(context: ServiceContext, status: UpdateStatus, reason: string): boolean {
  if (context.service.updateStatus?.message.includes(STOP_FIRST_NOTICE)) return true;
  const message = `${status.message}${STOP_FIRST_NOTICE}${reason}`;
  return context.plan.add(statusChange(context.service, { ...status, message }));
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

/** Of several wanted tasks one stays: up to date before outdated, living before ended, the furthest along, then the oldest. */
function tidy(context: ServiceContext, pace: UpdatePace, slot: Slot): boolean {
  const { service, nodeOf, plan } = context;
  const wanted = slot.tasks.filter(isWanted);
  const isClean = (task: Task): boolean => !isDirty(task, service, nodeOf);
  const ranked = [...wanted].sort(
    (a, b) =>
      Number(isClean(b)) - Number(isClean(a)) ||
      Number(isStopped(a)) - Number(isStopped(b)) ||
      b.state - a.state,
  );
  const keeper = ranked[0];
  if (!keeper || ranked.length < 2) return true;
  const mayStopOld = !pace.isStartFirst || !isClean(keeper) || context.reach.isReachable(keeper);
  const stops = ranked.slice(1).filter((task) => mayStopOld || isClean(task));
  return stops.length === 0 || plan.add(...stops.map((task) => desired(task, TASK_STATE.shutdown)));
}

/** Pauses the update, or asks for the previous spec, when more slots have failed than may. */
function reactToFailures(
  context: ServiceContext,
  pace: UpdatePace,
  renewed: ReadonlyMap<number, RenewedSlot>,
  dirty: readonly Slot[],
  status: UpdateStatus,
): "goOn" | "pause" | "rollBack" {
  const { service, plan } = context;
  if (pace.onFailure === "continue") return "goOn";
  let failures = 0;
  let latest: UpdateFailure | undefined;
  for (const slot of renewed.values()) {
    const failure = failureOf(context, pace, slot);
    if (!failure) continue;
    failures++;
    if (!latest || failure.sinceMs > latest.sinceMs) latest = failure;
  }
  const total = new Set([...renewed.keys(), ...dirty.map((slot) => slot.number)]).size;
  if (!latest || failures / total <= pace.maxFailureRatio) return "goOn";
  if (pace.onFailure === "rollback" && service.previousSpec) {
    const { id: serviceId, specVersion } = service;
    const message = `update rolled back ${latest.text}`;
    plan.add({ kind: "serviceRollBack", serviceId, specVersion, message });
    return "rollBack";
  }
  plan.add(paused(service, status, (what) => `${what} paused ${latest.text}`));
  return "pause";
}

/**
 * When all tasks run, and have for the monitor time, the update is done. What does not come up within the deadline ends it too, as
 * paused: whoever waits for it is told the truth, and not kept waiting. Returns whether it is over.
 */
function finish(
  context: ServiceContext,
  pace: UpdatePace,
  slots: readonly Slot[],
  renewed: Iterable<RenewedSlot>,
  status: UpdateStatus,
): boolean {
  const { service, plan } = context;
  const outcome = outcomeOf(context, pace, slots);
  if (outcome.kind === "settling") {
    context.wakeAt(outcome.untilMs);
    return false;
  }
  if (outcome.kind === "incomplete") {
    let lastMs = status.startedAtMs;
    for (const { first } of renewed) lastMs = Math.max(lastMs, first.createdAtMs);
    const endMs = lastMs + pace.deadlineMs;
    if (outcome.canCome && plan.nowMs < endMs) {
      context.wakeAt(endMs);
      return false;
    }
    return plan.add(paused(service, status, (what) => `${what} ended with ${outcome.text}`));
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

function paused(
  service: Service,
  status: UpdateStatus,
  text: (what: "update" | "rollback") => string,
): Change {
  const isRollback = status.state === "rollback_started";
  const state: UpdateState = isRollback ? "rollback_paused" : "paused";
  const message = text(isRollback ? "rollback" : "update");
  return statusChange(service, { ...status, state, message });
}

function statusChange(service: Service, updateStatus: UpdateStatus): Change {
  return {
    kind: "serviceUpdateStatus",
    serviceId: service.id,
    specVersion: service.specVersion,
    updateStatus,
  };
}
