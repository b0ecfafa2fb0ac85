/** Jobs (spec §4.4): tasks that are run to their end. A run is an iteration; every update starts the next one. */
import { type Node, type Service, scheduleOf, TASK_STATE, type Task } from "../../api/index.js";
import { endSlot, nodeSlots } from "./global-service.js";
import {
  type JobMode,
  type JobSlotState,
  jobSlotState,
  jobSlots,
  missingCount,
} from "./job-run.js";
import { nodeFit } from "./node-fit.js";
import { careForSlot, desired, fillSlot } from "./restart.js";
import type { ServiceContext } from "./service-context.js";
import { isWanted, type Slot } from "./task-slot.js";

export function planReplicatedJob(
  context: ServiceContext,
  mode: JobMode,
  tasks: readonly Task[],
): void {
  const runs = runsOf(context.service);
  if (!removeOldRuns(context, tasks, runs)) return;
  for (const iteration of runs) if (!planRun(context, mode, tasks, iteration)) return;
}

/** `nodes` are all of the cluster. Nodes that join or become ready later run it too. */
export function planGlobalJob(
  context: ServiceContext,
  nodes: readonly Node[],
  tasks: readonly Task[],
): void {
  const { service } = context;
  const iteration = service.jobIteration;
  if (!removeOldRuns(context, tasks, [iteration])) return;
  const ofRun = tasks.filter((task) => task.jobIteration === iteration);
  for (const { number, nodeId, tasks: inSlot } of nodeSlots(nodes, ofRun)) {
    const slot = { number, nodeId, iteration, tasks: inSlot };
    const node = context.nodeOf(nodeId);
    const fit = nodeFit(service, node);
    if (fit === "ends") {
      const isKept = jobSlotState(slot) === "done";
      if (!(isKept ? stopStandIns(context, slot) : endSlot(context, slot, node))) return;
      continue;
    }
    const state = careForJobSlot(context, slot);
    if (state === "noRoom") return;
    if (state === "free" && fit === "takes" && !fillSlot(context, slot)) return;
  }
}

/** Iterations whose tasks are wanted. A job with a schedule has none before its first tick. */
function runsOf(service: Service): readonly number[] {
  if (!scheduleOf(service.spec.Mode)) return [service.jobIteration];
  if (service.lastExecutionMs === 0) return [];
  return [service.jobIteration, ...(service.schedule?.runs ?? [])];
}

function removeOldRuns(
  { plan }: ServiceContext,
  tasks: readonly Task[],
  runs: readonly number[],
): boolean {
  return tasks.every(
    (task) =>
      runs.includes(task.jobIteration) ||
      task.desiredState >= TASK_STATE.remove ||
      plan.add(desired(task, TASK_STATE.remove)),
  );
}

function planRun(
  context: ServiceContext,
  mode: JobMode,
  tasks: readonly Task[],
  iteration: number,
): boolean {
  const counts = { done: 0, going: 0, over: 0, free: 0 };
  const free = new Map<number, Slot>();
  const taken = new Set<number>();
  for (const slot of jobSlots(tasks, iteration)) {
    const state = careForJobSlot(context, slot);
    if (state === "noRoom") return false;
    counts[state]++;
    if (state === "free") free.set(slot.number, slot);
    else taken.add(slot.number);
  }
  let missing = missingCount(mode, counts);
  for (let number = 0; missing > 0; number++) {
    if (taken.has(number)) continue;
    const slot = free.get(number) ?? { number, nodeId: "", iteration, tasks: [] };
    if (!fillSlot(context, slot)) return false;
    missing--;
  }
  return true;
}

/** Restarts what failed or lost its node. What was changed counts as going until that is applied. */
function careForJobSlot(context: ServiceContext, slot: Slot): JobSlotState | "noRoom" {
  const state = jobSlotState(slot);
  if (state === "done") return stopStandIns(context, slot) ? state : "noRoom";
  if (state !== "going") return state;
  return careForSlot(context, slot) === "noRoom" ? "noRoom" : "going";
}

/** A task of a node that was cut off may turn out to have ended well after another was made in its place. */
function stopStandIns({ plan }: ServiceContext, slot: Slot): boolean {
  return slot.tasks.every(
    (task) =>
      !isWanted(task) ||
      task.state === TASK_STATE.complete ||
      plan.add(desired(task, TASK_STATE.shutdown)),
  );
}
