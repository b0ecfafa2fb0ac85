import type { StoreEvent, StoreView } from "../../store/index.js";
import type { Plan } from "./plan.js";

/**
 * The deciding half of a leader loop, pure. It is told what changed, and when asked it plans the next transaction from the stored
 * state. What it remembers beside that is only where to look; `reset` finds it again.
 */
export interface Reconciler {
  /** Look at everything anew: at the start, and after a snapshot was restored. */
  reset(view: StoreView, nowMs: number): void;
  /** The events of one applied entry; `view` is the state after it. */
  observe(events: readonly StoreEvent[], view: StoreView, nowMs: number): void;
  /** Fills the plan. Adds nothing when nothing is to be done, else is asked again after `settled`. */
  plan(view: StoreView, plan: Plan): void;
  /** The planned transaction was applied (its events were observed before), or certainly or possibly was not. */
  settled(isApplied: boolean, view: StoreView): void;
}
