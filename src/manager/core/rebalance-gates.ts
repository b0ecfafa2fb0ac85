/** Which nodes may give and take tasks of a service now, beside the scheduler's filters. */
import { type Node, TASK_STATE } from "../../api/index.js";
import type { ServiceContext } from "./service-context.js";
import { isWanted, type Slot } from "./task-slot.js";

/** After a node or the service has changed nothing begins by itself for this long: more changes may follow. */
export const SETTLING_MS = 30_000;
/** A node to which this many tasks are on their way takes no further one: one that was just added would get all at once. */
const ARRIVALS_MAX = 4;
/** A task that failed keeps others of its spec from moving to its node for this long. */
const FAILURE_WINDOW_MS = 5 * 60_000;
/** Looks again at what nothing tells it of: tasks of other services on their way to a node. */
const LOOK_AGAIN_MS = 1000;

/** Remembers when to look again at those that may not. */
export class NodeGates {
  readonly #context: ServiceContext;
  readonly #isAuto: boolean;
  /** Where a task of the present spec failed lately, and until when that counts. */
  readonly #failedUntilMs = new Map<string, number>();
  #lookAtMs = Number.POSITIVE_INFINITY;
  /** A node that could take a task is to be waited for. */
  isHeldUp = false;

  constructor(context: ServiceContext, slots: readonly Slot[], isAuto: boolean) {
    this.#context = context;
    this.#isAuto = isAuto;
    const { specVersion } = context.service;
    for (const { tasks } of slots)
      for (const task of tasks) {
        const hasFailed = task.state === TASK_STATE.failed || task.state === TASK_STATE.rejected;
        const untilMs = task.statusAtMs + FAILURE_WINDOW_MS;
        if (!hasFailed || task.specVersion !== specVersion || untilMs <= context.plan.nowMs)
          continue;
        const known = this.#failedUntilMs.get(task.nodeId) ?? 0;
        this.#failedUntilMs.set(task.nodeId, Math.max(known, untilMs));
      }
  }

  isSettled(node: Node): boolean {
    if (!this.#isAuto) return true;
    const settledAtMs = node.updatedAtMs + SETTLING_MS;
    return settledAtMs <= this.#context.plan.nowMs || this.#holdUp(settledAtMs);
  }

  mayTake(node: Node): boolean {
    const failedUntilMs = this.#failedUntilMs.get(node.id);
    if (failedUntilMs !== undefined) {
      // Looked at again then, but nobody is kept waiting that long.
      this.#lookAtMs = Math.min(this.#lookAtMs, failedUntilMs);
      return false;
    }
    if (!this.isSettled(node)) return false;
    const { room, plan } = this.#context;
    let arrivals = 0;
    for (const task of room.tasksByNode(node.id))
      if (isWanted(task) && task.state < TASK_STATE.running) arrivals++;
    // Those of other services that this very plan sends there.
    for (const change of plan.changes)
      if (change.kind === "putTask" && change.task.nodeId === node.id) arrivals++;
    return arrivals < ARRIVALS_MAX || this.#holdUp(plan.nowMs + LOOK_AGAIN_MS);
  }

  wake(): void {
    const isForced = this.isHeldUp || this.#isAuto;
    if (isForced && this.#lookAtMs < Number.POSITIVE_INFINITY) this.#context.wakeAt(this.#lookAtMs);
  }

  #holdUp(untilMs: number): false {
    this.isHeldUp = true;
    this.#lookAtMs = Math.min(this.#lookAtMs, untilMs);
    return false;
  }
}
