/**
 * The moves of a service that are under way, each start-first: the new task runs (which includes its health check) and is reached, then
 * the old one goes; until that has stopped, both count. They stand in the service, so a new leader goes on with them.
 */
import { type RebalanceState, TASK_STATE, type Task, type TaskMove } from "../../api/index.js";
import { desired } from "./restart.js";
import type { ServiceContext } from "./service-context.js";
import { isStopped, isWanted, mayStillRun, nodeFate, type Slot } from "./task-slot.js";
import { isDirty } from "./task-template.js";
import { paceOf } from "./update-config.js";

export type MovesUnderWay = {
  /** Slots with a move under way, which nobody else is to touch. */
  readonly slots: ReadonlySet<number>;
  /** What is to be stored; undefined when the service has never been rebalanced. */
  readonly state: RebalanceState | undefined;
  /** The plan is full. */
  readonly isCut: boolean;
};

/** `slots` are those that stay; slots that it touches are added to `changed`. */
export function planMoves(
  context: ServiceContext,
  slots: readonly Slot[],
  changed: Set<number>,
): MovesUnderWay {
  const state = context.service.rebalance;
  const moving = new Set<number>();
  if (!state || state.moves.length === 0) return { slots: moving, state, isCut: false };
  const isCalledOff = isRollingOut(context, slots);
  const left: TaskMove[] = [];
  let { movedCount, failedCount, message } = state;
  for (const move of state.moves) {
    const slot = slots.find(({ tasks }) => tasks.some(({ id }) => id === move.taskId));
    if (!slot) continue;
    const step = stepMove(context, slot, move, isCalledOff, changed.has(slot.number));
    if (step.stop) {
      if (!context.plan.add(desired(step.stop, TASK_STATE.shutdown)))
        return { slots: moving, state, isCut: true };
      changed.add(slot.number);
    }
    if (step.outcome === "goesOn") {
      left.push(move);
      moving.add(slot.number);
    } else if (step.outcome === "moved") {
      movedCount++;
      failedCount = 0;
    } else if (step.outcome === "failed") {
      failedCount++;
      message = step.reason;
    }
  }
  const next = { ...state, moves: left, movedCount, failedCount, message };
  return { slots: moving, state: next, isCut: false };
}

/** A rollout is under way, paused, or about to begin: it has the slots to itself. */
export function isRollingOut({ service, nodeOf }: ServiceContext, slots: readonly Slot[]): boolean {
  const state = service.updateStatus?.state;
  if (state !== undefined && state !== "completed" && state !== "rollback_completed") return true;
  return slots.some((slot) =>
    slot.tasks.some((task) => isWanted(task) && isDirty(task, service, nodeOf)),
  );
}

/** `stop`: to be stopped now. */
type Step =
  | { readonly outcome: "goesOn" | "moved" | "calledOff"; readonly stop?: Task }
  | { readonly outcome: "failed"; readonly reason: string; readonly stop?: Task };

function stepMove(
  context: ServiceContext,
  slot: Slot,
  move: TaskMove,
  isCalledOff: boolean,
  isTouched: boolean,
): Step {
  const { plan, reach, nodeOf } = context;
  const old = slot.tasks.find(({ id }) => id === move.taskId);
  const fresh = slot.tasks.find(({ id }) => id === move.newTaskId);
  if (!old) return { outcome: "calledOff" };
  if (!fresh || !isWanted(fresh)) return { outcome: "failed", reason: reasonOf(fresh) };
  const hasArrived = fresh.state === TASK_STATE.running && reach.isReachable(fresh);
  if (!isWanted(old)) {
    // The old task ended of itself: the new one goes on like any other.
    if (!hasArrived) return { outcome: "calledOff" };
    return { outcome: reach.isWithdrawn(old) && !mayStillRun(old, nodeOf) ? "moved" : "goesOn" };
  }
  // The restart supervisor has just dealt with one of the two; how, is seen when that is stored.
  if (isTouched) return { outcome: "goesOn" };
  const isFine = (task: Task): boolean => !isStopped(task) && nodeFate(task, nodeOf) === "fine";
  // Drains and restarts know what to do with a slot that has two tasks.
  if (!isFine(old) || !isFine(fresh)) return { outcome: "calledOff" };
  if (isCalledOff) return { outcome: "calledOff", stop: hasArrived ? old : fresh };
  if (hasArrived) return { outcome: "goesOn", stop: old };
  const deadlineMs = move.atMs + paceOf(context.service).deadlineMs;
  if (plan.nowMs >= deadlineMs) return { outcome: "failed", reason: reasonOf(fresh), stop: fresh };
  context.wakeAt(deadlineMs);
  return { outcome: "goesOn" };
}

/** "task X on node Y: no such image". */
function reasonOf(fresh: Task | undefined): string {
  if (!fresh) return "the new task was removed";
  const reason = fresh.err || fresh.message || "did not come to run";
  return `task ${fresh.id} on node ${fresh.nodeId}: ${reason}`;
}
