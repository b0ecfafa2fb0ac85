/** new → pending for tasks that need no network resources. Those made by the orchestrator are born pending. */
import { TASK_STATE, type Task } from "../../api/index.js";
import type { StoreEvent, StoreView } from "../../store/index.js";
import { DirtySet } from "./dirty-set.js";
import type { Plan } from "./plan.js";
import type { Reconciler } from "./reconciler.js";
import { statusChange } from "./task-status.js";
import { needsAllocation, PENDING_MESSAGE } from "./task-template.js";

export class TaskAllocator implements Reconciler {
  readonly #tasks = new DirtySet<string>();

  reset(view: StoreView): void {
    this.#tasks.clear();
    for (const task of view.tasks()) this.#look(task);
  }

  observe(events: readonly StoreEvent[]): void {
    for (const event of events)
      if (event.table === "task" && event.kind === "created") this.#look(event.object);
  }

  plan(view: StoreView, plan: Plan): void {
    this.#tasks.take((id) => {
      const task = view.task(id);
      if (!task || !isWaiting(task)) return true;
      const { nowMs: atMs } = plan;
      const status = { state: TASK_STATE.pending, atMs, message: PENDING_MESSAGE, err: "" };
      return plan.add(statusChange(task, status));
    });
  }

  settled(isApplied: boolean): void {
    this.#tasks.settle(isApplied);
  }

  #look(task: Task): void {
    if (isWaiting(task)) this.#tasks.mark(task.id);
  }
}

function isWaiting(task: Task): boolean {
  return (
    task.state === TASK_STATE.new &&
    task.desiredState <= TASK_STATE.complete &&
    !needsAllocation(task.spec)
  );
}
