/** Rejects tasks whose node no longer meets the constraints of their service, or no longer has what they reserved. */
import { type Node, TASK_STATE, type Task } from "../../api/index.js";
import { meetsConstraints, NodeCapacity } from "../../scheduler/index.js";
import type { StoreEvent, StoreView } from "../../store/index.js";
import { DirtySet } from "./dirty-set.js";
import type { Plan } from "./plan.js";
import type { Reconciler } from "./reconciler.js";
import { byAge } from "./task-slot.js";
import { statusChange } from "./task-status.js";

export class ConstraintEnforcer implements Reconciler {
  readonly #nodes = new DirtySet<string>();

  reset(view: StoreView): void {
    this.#nodes.clear();
    for (const node of view.nodes()) this.#nodes.mark(node.id);
  }

  observe(events: readonly StoreEvent[]): void {
    for (const event of events) {
      if (event.table !== "node" || event.kind === "removed") continue;
      const node = event.object;
      if (event.kind === "created" || factsDiffer(event.old, node)) this.#nodes.mark(node.id);
    }
  }

  plan(view: StoreView, plan: Plan): void {
    this.#nodes.take((id) => {
      const node = view.node(id);
      return !node || rejectOffenders(view, node, plan);
    });
  }

  settled(isApplied: boolean): void {
    this.#nodes.settle(isApplied);
  }
}

/** What constraints and reservations are held against, and availability: a node may become active again. */
function factsDiffer(old: Node, node: Node): boolean {
  return (
    old.spec !== node.spec ||
    old.description !== node.description ||
    old.role !== node.role ||
    old.addr !== node.addr
  );
}

function rejectOffenders(view: StoreView, node: Node, plan: Plan): boolean {
  // A drained node loses its tasks anyway; a paused one keeps what it has.
  if (node.spec.Availability !== "active" || !node.description) return true;
  const left = new NodeCapacity(node);
  // Oldest first: when the node became too small, the newest tasks leave.
  for (const task of view.tasksByNode(node.id).filter(isEnforced).sort(byAge)) {
    // The service's constraints of now; placement may have changed without new tasks.
    const spec = view.service(task.serviceId)?.spec.TaskTemplate ?? task.spec;
    const broken = (spec.Placement?.Constraints ?? []).find((c) => !meetsConstraints([c], node));
    const missing = broken === undefined ? left.take(task) : undefined;
    if (broken === undefined && missing === undefined) continue;
    const isAdded = plan.add(
      statusChange(task, {
        state: TASK_STATE.rejected,
        atMs: plan.nowMs,
        message: "task rejected by constraint enforcer",
        err:
          missing === undefined
            ? `assigned node no longer meets constraints: ${broken}`
            : `assigned node no longer has enough resources: ${missing}`,
      }),
    );
    if (!isAdded) return false;
  }
  return true;
}

function isEnforced(task: Task): boolean {
  return (
    task.desiredState >= TASK_STATE.assigned &&
    task.desiredState <= TASK_STATE.complete &&
    // One that waits for its node holds nothing there yet: the scheduler looks after it.
    task.state >= TASK_STATE.assigned &&
    task.state < TASK_STATE.complete
  );
}
