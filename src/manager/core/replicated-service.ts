/** One replicated service: as many slots as replicas, each with a living task of the current spec. */
import { TASK_STATE, type Task } from "../../api/index.js";
import { planDrain, withoutReplaced } from "./drain.js";
import { planRebalance } from "./rebalance.js";
import { planMoves } from "./rebalance-moves.js";
import { careForSlot, desired } from "./restart.js";
import { mayRestart } from "./restart-policy.js";
import { planUpdate } from "./rolling-update.js";
import { type CountedSlot, chooseKept } from "./scale-down.js";
import type { ServiceContext } from "./service-context.js";
import { isWanted, type Slot, slotsOf } from "./task-slot.js";
import { makeTask } from "./task-template.js";

/** Returns whether the service needs a look at every change of its tasks: an update, a drain or a move is under way. */
export function planReplicated(
  context: ServiceContext,
  replicas: number,
  tasks: readonly Task[],
): boolean {
  const counted: Slot[] = [];
  const dead: Slot[] = [];
  for (const slot of slotsOf(tasks).values()) (counts(context, slot) ? counted : dead).push(slot);
  if (!removeSlots(context, dead)) return true;
  let kept = counted;
  if (counted.length > replicas) {
    const keep = chooseKept(counted.map(countedTasks), replicas);
    kept = counted.filter((slot) => keep.has(slot.number));
    const victims = counted.filter((slot) => !keep.has(slot.number));
    if (!removeSlots(context, victims)) return true;
  }
  const changed = new Set<number>();
  // Not for those that go: a replacement there would be seen, and removed, by the next plan alone.
  for (const slot of kept) {
    const care = careForSlot(context, slot);
    if (care === "noRoom") return true;
    if (care === "changed") changed.add(slot.number);
  }
  if (counted.length < replicas && !fillSlots(context, counted, replicas)) return true;
  const underWay = planMoves(context, kept, changed);
  if (underWay.isCut) return true;
  const others = kept.filter((slot) => !underWay.slots.has(slot.number));
  const drain = planDrain(context, others, changed);
  if (drain === "noRoom") return true;
  const isUpdating = planUpdate(
    context,
    drain === "going" ? others.map((slot) => withoutReplaced(context, slot)) : others,
    changed,
  );
  const isBusy = isUpdating || drain === "going";
  const isMoving = planRebalance({ context, slots: kept, changed, underWay, isBusy });
  return isBusy || isMoving;
}

/** A slot without a wanted task counts still when its last one ended for good. A rollback starts such slots again. */
function counts(context: ServiceContext, slot: Slot): boolean {
  if (slot.tasks.some(isWanted)) return true;
  const newest = slot.tasks.at(-1);
  if (!newest || context.service.updateStatus?.state === "rollback_started") return false;
  return !mayRestart(newest, slot);
}

function countedTasks(slot: Slot): CountedSlot {
  const wanted = slot.tasks.filter(isWanted);
  const newest = slot.tasks.at(-1);
  return { number: slot.number, tasks: wanted.length > 0 || !newest ? wanted : [newest] };
}

function fillSlots(context: ServiceContext, counted: readonly Slot[], replicas: number): boolean {
  const { plan, service } = context;
  const taken = new Set(counted.map((slot) => slot.number));
  let missing = replicas - counted.length;
  for (let number = 1; missing > 0; number++) {
    if (taken.has(number)) continue;
    if (plan.room === 0) return false;
    const task = makeTask(service, {
      id: context.newTaskId(),
      place: { number, nodeId: "", iteration: 0 },
      desiredState: TASK_STATE.running,
      notBeforeMs: 0,
      nowMs: plan.nowMs,
    });
    if (!plan.add({ kind: "putTask", task })) return false;
    missing--;
  }
  return true;
}

/** All tasks of the slots, their history too; the reaper deletes them when they have stopped. */
function removeSlots(context: ServiceContext, slots: readonly Slot[]): boolean {
  for (const slot of slots)
    for (const task of slot.tasks)
      if (!context.plan.add(desired(task, TASK_STATE.remove))) return false;
  return true;
}
