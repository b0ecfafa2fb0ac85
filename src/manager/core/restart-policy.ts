/** Whether, and how soon, a task that ended is replaced. All from task records, so a new leader decides the same. */
import { TASK_STATE, type Task } from "../../api/index.js";
import type { Slot } from "./task-slot.js";

const NANO_PER_MS = 1e6;
const DELAY_DEFAULT_MS = 5000;
/** A replacement waits for the old task to stop, but no longer than this after it was made. */
export const OLD_TASK_WAIT_MS = 60_000;

export function restartDelayMs(task: Task): number {
  const delayNs = task.spec.RestartPolicy?.Delay;
  return delayNs === undefined ? DELAY_DEFAULT_MS : delayNs / NANO_PER_MS;
}

/** By the policy of the task itself; `slot` gives its history. */
export function mayRestart(task: Task, slot: Slot): boolean {
  const policy = task.spec.RestartPolicy;
  const condition = policy?.Condition ?? "any";
  if (condition === "none") return false;
  if (condition === "on-failure" && task.state === TASK_STATE.complete) return false;
  const attemptsMax = policy?.MaxAttempts ?? 0;
  if (attemptsMax === 0) return true;
  return restartsBefore(task, slot, (policy?.Window ?? 0) / NANO_PER_MS) < attemptsMax;
}

/**
 * Restarts of the slot that led to `task`, all in the unbroken run of its spec version: a new spec, also the return to an old one,
 * starts the count again. With a window, only those since `windowMs` before the task ended.
 */
function restartsBefore(task: Task, slot: Slot, windowMs: number): number {
  const at = slot.tasks.indexOf(task);
  const upTo = at < 0 ? slot.tasks : slot.tasks.slice(0, at + 1);
  let first = upTo.length;
  while (first > 0 && upTo[first - 1]?.specVersion === task.specVersion) first--;
  // The first task of a spec is no restart, all later ones are.
  const restarts = upTo.slice(first + 1);
  if (windowMs === 0) return restarts.length;
  const sinceMs = Math.max(task.statusAtMs, task.createdAtMs) - windowMs;
  return restarts.filter((restart) => restart.createdAtMs > sinceMs).length;
}
