import { type Change, TASK_STATE } from "../../api/index.js";
import { type Decision, Scheduler } from "../../scheduler/index.js";
import type { StoreEvent, StoreView } from "../../store/index.js";
import type { Plan } from "./plan.js";
import type { Reconciler } from "./reconciler.js";
import { statusChange } from "./task-status.js";
import { PENDING_MESSAGE } from "./task-template.js";

export const ASSIGNED_MESSAGE = "scheduler assigned task to node";

/** Puts the scheduler's decisions into transactions. */
export class Scheduling implements Reconciler {
  readonly #scheduler = new Scheduler();
  #inFlight: string[] = [];

  reset(view: StoreView, nowMs: number): void {
    this.#inFlight = [];
    this.#scheduler.rebuild(view, nowMs);
  }

  observe(events: readonly StoreEvent[], _view: StoreView, nowMs: number): void {
    this.#scheduler.applyEvents(events, nowMs);
  }

  plan(view: StoreView, plan: Plan): void {
    const { decisions, wakeAtMs } = this.#scheduler.schedule(plan.nowMs, plan.room);
    for (const decision of decisions) plan.add(...changesOf(decision, view, plan.nowMs));
    this.#inFlight = decisions.map((decision) => decision.taskId);
    if (wakeAtMs !== undefined) plan.wakeAt(wakeAtMs);
  }

  settled(_isApplied: boolean, view: StoreView): void {
    this.#scheduler.settle(this.#inFlight, view);
    this.#inFlight = [];
  }
}

function changesOf(decision: Decision, view: StoreView, atMs: number): Change[] {
  const task = view.task(decision.taskId);
  if (!task) return [];
  const pending = { state: TASK_STATE.pending, atMs, message: PENDING_MESSAGE };
  if (decision.kind === "wait") return [statusChange(task, { ...pending, err: decision.reason })];
  const { taskId, nodeId, genericResources } = decision;
  const message = ASSIGNED_MESSAGE;
  return [{ kind: "taskAssign", taskId, nodeId, message, genericResources }];
}
