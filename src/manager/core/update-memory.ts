import { TASK_STATE, type Task } from "../../api/index.js";

type Seen = { readonly sinceMs: number; runningAtMs?: number; endedAtMs?: number };

/**
 * When tasks of services being updated were seen to start and end, by the manager's clock: task records keep the time of the latest
 * state only. A new leader starts without it and judges by the records; then a task that ran before and failed around the change
 * of leaders may be passed over, nothing more.
 */
export class UpdateMemory {
  readonly #byService = new Map<string, Map<string, Seen>>();

  clear(): void {
    this.#byService.clear();
  }

  forgetService(serviceId: string): void {
    this.#byService.delete(serviceId);
  }

  /** To be told of every change of a task of a service that is being updated. */
  observe(task: Task, nowMs: number): void {
    let tasks = this.#byService.get(task.serviceId);
    if (!tasks) {
      tasks = new Map();
      this.#byService.set(task.serviceId, tasks);
    }
    let seen = tasks.get(task.id);
    if (!seen) {
      seen = { sinceMs: nowMs };
      tasks.set(task.id, seen);
    }
    if (task.state === TASK_STATE.running) seen.runningAtMs ??= nowMs;
    else if (task.state > TASK_STATE.running) seen.endedAtMs ??= nowMs;
  }

  forgetTask(task: Task): void {
    this.#byService.get(task.serviceId)?.delete(task.id);
  }

  /** When the task was observed at running or beyond; undefined while it is not. */
  arrivedAtMs(task: Task, nowMs: number): number | undefined {
    if (task.state < TASK_STATE.running) return undefined;
    const seen = this.#byService.get(task.serviceId)?.get(task.id);
    return seen?.runningAtMs ?? seen?.endedAtMs ?? Math.min(task.statusAtMs, nowMs);
  }

  /** Whether an ended task never ran, or ran for no longer than `monitorMs`. */
  endedWithin(task: Task, monitorMs: number, nowMs: number): boolean {
    const seen = this.#byService.get(task.serviceId)?.get(task.id);
    const endedAtMs = seen?.endedAtMs ?? Math.min(task.statusAtMs, nowMs);
    if (seen?.runningAtMs !== undefined) return endedAtMs - seen.runningAtMs <= monitorMs;
    // Watched from before its end, yet never seen running. `sinceMs` equals the end when only the end was seen.
    if (seen?.endedAtMs !== undefined && seen.sinceMs < seen.endedAtMs) return true;
    if (task.state === TASK_STATE.rejected) return true;
    return endedAtMs - task.createdAtMs <= monitorMs;
  }
}
