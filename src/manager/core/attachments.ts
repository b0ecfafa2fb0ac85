/** Ends the attachments of containers that have ended, or are to: they are out of the balancers before their container is stopped. */
import { containerTaskOf, TASK_STATE, type Task } from "../../api/index.js";
import type { StoreEvent, StoreView } from "../../store/index.js";
import { DirtySet } from "./dirty-set.js";
import type { Plan } from "./plan.js";
import type { Reconciler } from "./reconciler.js";

export class Attachments implements Reconciler {
  /** Ids of attachments, by the task whose container they are for. */
  readonly #byContainer = new Map<string, Set<string>>();
  /** Tasks with attachments that something has happened to. */
  readonly #due = new DirtySet<string>();

  reset(view: StoreView): void {
    this.#byContainer.clear();
    this.#due.clear();
    for (const task of view.tasks()) this.#learn(task);
  }

  observe(events: readonly StoreEvent[]): void {
    for (const event of events) {
      if (event.table !== "task") continue;
      if (event.kind === "removed") this.#forget(event.old);
      else if (event.kind === "created") this.#learn(event.object);
      const { id } = event.kind === "removed" ? event.old : event.object;
      if (this.#byContainer.has(id)) this.#due.mark(id);
    }
  }

  plan(view: StoreView, plan: Plan): void {
    this.#due.take((id) => {
      if (!isEnding(view.task(id))) return true;
      for (const taskId of this.#byContainer.get(id) ?? []) {
        const attachment = view.task(taskId);
        if (attachment === undefined || attachment.desiredState >= TASK_STATE.remove) continue;
        const desiredState = TASK_STATE.remove;
        if (!plan.add({ kind: "taskDesired", taskId, desiredState })) return false;
      }
      return true;
    });
  }

  settled(isApplied: boolean): void {
    this.#due.settle(isApplied);
  }

  #learn(task: Task): void {
    const containerTaskId = containerTaskOf(task);
    if (containerTaskId === undefined) return;
    const known = this.#byContainer.get(containerTaskId) ?? new Set();
    this.#byContainer.set(containerTaskId, known.add(task.id));
    this.#due.mark(containerTaskId);
  }

  #forget(task: Task): void {
    const containerTaskId = containerTaskOf(task) ?? "";
    const known = this.#byContainer.get(containerTaskId);
    known?.delete(task.id);
    if (known?.size === 0) this.#byContainer.delete(containerTaskId);
  }
}

function isEnding(container: Task | undefined): boolean {
  return (
    container === undefined ||
    container.desiredState >= TASK_STATE.shutdown ||
    container.state >= TASK_STATE.complete
  );
}
