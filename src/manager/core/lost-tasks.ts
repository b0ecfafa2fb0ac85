/** Tasks of nodes that will hardly report again: orphaned, so that what they hold is freed. */
import { TASK_STATE, type Task } from "../../api/index.js";
import type { StoreEvent, StoreView } from "../../store/index.js";
import { DirtySet } from "./dirty-set.js";
import type { Plan } from "./plan.js";
import type { Reconciler } from "./reconciler.js";
import { statusChange } from "./task-status.js";
import { WakeTimes } from "./wake-times.js";

/** A node that is down this long is taken to have stopped its tasks. */
export const ORPHAN_AFTER_MS = 24 * 60 * 60_000;

export class LostTasks implements Reconciler {
  readonly #nodes = new DirtySet<string>();
  readonly #wakes = new WakeTimes<string>();

  reset(view: StoreView): void {
    this.#nodes.clear();
    this.#wakes.clear();
    for (const node of view.nodes()) if (node.state === "down") this.#nodes.mark(node.id);
    for (const task of view.tasks())
      if (isOnNode(task) && !view.node(task.nodeId)) this.#nodes.mark(task.nodeId);
  }

  observe(events: readonly StoreEvent[], view: StoreView): void {
    for (const event of events) {
      if (event.table === "node") {
        if (event.kind === "removed") this.#nodes.mark(event.old.id);
        else if (event.object.state === "down") this.#nodes.mark(event.object.id);
      } else if (event.table === "task" && event.kind !== "removed") {
        // Assigned, or reported about, in the same moment in which its node was removed.
        const task = event.object;
        if (isOnNode(task) && !view.node(task.nodeId)) this.#nodes.mark(task.nodeId);
      }
    }
  }

  plan(view: StoreView, plan: Plan): void {
    for (const id of this.#wakes.takeDue(plan.nowMs)) this.#nodes.mark(id);
    this.#nodes.take((id) => {
      const node = view.node(id);
      if (node && node.state !== "down") return true;
      if (node && plan.nowMs < node.downSinceMs + ORPHAN_AFTER_MS) {
        this.#wakes.set(id, node.downSinceMs + ORPHAN_AFTER_MS);
        return true;
      }
      const what = node ? "node is down for too long" : "node was removed";
      return view.tasksByNode(id).every((task) => !isOnNode(task) || orphan(task, what, plan));
    });
    this.#wakes.tell(plan);
  }

  settled(isApplied: boolean): void {
    this.#nodes.settle(isApplied);
  }
}

function isOnNode(task: Task): boolean {
  return (
    task.nodeId !== "" && task.state >= TASK_STATE.assigned && task.state <= TASK_STATE.running
  );
}

function orphan(task: Task, message: string, plan: Plan): boolean {
  return plan.add(
    statusChange(task, { state: TASK_STATE.orphaned, atMs: plan.nowMs, message, err: task.err }),
  );
}
