/** Where one run (iteration) of a replicated job stands. Read from task records alone. */
import { TASK_STATE, type Task } from "../../api/index.js";
import { hasEndedForGood } from "./restart.js";
import { isWanted, type Slot, slotsOf } from "./task-slot.js";

/**
 * `done`: a task ran to its end with success. `going`: one is wanted. `over`: the last one failed, and may not be restarted.
 * `free`: the last one was stopped or lost, so the slot is to be used again.
 */
export type JobSlotState = "done" | "going" | "over" | "free";

export type JobCounts = Readonly<Record<JobSlotState, number>>;

export type JobMode = { readonly MaxConcurrent: number; readonly TotalCompletions: number };

export function jobSlotState(slot: Slot): JobSlotState {
  if (slot.tasks.some((task) => task.state === TASK_STATE.complete)) return "done";
  if (slot.tasks.some(isWanted)) return "going";
  return slot.tasks.length > 0 && hasEndedForGood(slot) ? "over" : "free";
}

/** The slots of one iteration, from 0. */
export function jobSlots(tasks: readonly Task[], iteration: number): Slot[] {
  const ofRun = tasks.filter((task) => task.jobIteration === iteration);
  return [...slotsOf(ofRun).values()].map((slot) => ({ ...slot, iteration }));
}

/** Tasks to be made now. Never below 0, also when a smaller job was wanted meanwhile. */
export function missingCount(mode: JobMode, counts: JobCounts): number {
  const left = mode.TotalCompletions - counts.done - counts.going - counts.over;
  return Math.max(0, Math.min(mode.MaxConcurrent - counts.going, left));
}

/** Nothing of the run goes on, and nothing more will be made. */
export function isRunOver(mode: JobMode, tasks: readonly Task[], iteration: number): boolean {
  const counts = { done: 0, going: 0, over: 0, free: 0 };
  for (const slot of jobSlots(tasks, iteration)) counts[jobSlotState(slot)]++;
  return counts.going === 0 && missingCount(mode, counts) === 0;
}
