/** Starts the runs of scheduled jobs when their time has come. */
import { scheduleOf } from "../../api/index.js";
import type { StoreEvent, StoreView } from "../../store/index.js";
import { DirtySet } from "./dirty-set.js";
import { decideTicks } from "./job-ticks.js";
import type { Plan } from "./plan.js";
import type { Reconciler } from "./reconciler.js";
import { WakeTimes } from "./wake-times.js";

/** One launch per tick over all leaders: the tick that is next is stored with the run, under a precondition on the service. */
export class JobSchedules implements Reconciler {
  readonly #dirty = new DirtySet<string>();
  readonly #wakes = new WakeTimes<string>();

  reset(view: StoreView): void {
    this.#dirty.clear();
    this.#wakes.clear();
    for (const service of view.services())
      if (scheduleOf(service.spec.Mode)) this.#dirty.mark(service.id);
  }

  observe(events: readonly StoreEvent[]): void {
    for (const event of events) {
      if (event.table !== "service") continue;
      const { id } = event.kind === "removed" ? event.old : event.object;
      this.#wakes.delete(id);
      if (event.kind !== "removed" && scheduleOf(event.object.spec.Mode)) this.#dirty.mark(id);
    }
  }

  plan(view: StoreView, plan: Plan): void {
    for (const id of this.#wakes.takeDue(plan.nowMs)) this.#dirty.mark(id);
    this.#dirty.take((id) => this.#planService(view, id, plan));
    this.#wakes.tell(plan);
  }

  settled(isApplied: boolean): void {
    this.#dirty.settle(isApplied);
  }

  #planService(view: StoreView, id: string, plan: Plan): boolean {
    const service = view.service(id);
    const state = service?.schedule;
    if (!service || !state || state.nextTickMs === 0) return true;
    const { Mode: mode } = service.spec;
    if (!("ReplicatedJob" in mode) || !mode.ReplicatedJob.Schedule) return true;
    if (plan.nowMs < state.nextTickMs) {
      this.#wakes.set(id, state.nextTickMs);
      return true;
    }
    const job = { ...mode.ReplicatedJob, Schedule: mode.ReplicatedJob.Schedule };
    const next = decideTicks(service, job, state, view.tasksByService(id), plan.nowMs);
    return plan.add({ kind: "putService", service: next });
  }
}
