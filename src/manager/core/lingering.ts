import { drainDeadlineMs, TASK_STATE, type Task } from "../../api/index.js";
import { mayRestart } from "./restart-policy.js";
import type { ServiceContext } from "./service-context.js";
import { isWanted, nodeFate, type Slot } from "./task-slot.js";

/**
 * Runs on, on a drained node, until its replacement runs or the drain's deadline has come. What does not run yet, what nothing may
 * replace, jobs and tasks that belong to their node are stopped at once, as Docker does.
 */
export function isLingering(
  { service, plan, nodeOf }: Pick<ServiceContext, "service" | "plan" | "nodeOf">,
  slot: Slot,
  task: Task,
): boolean {
  if (!("Replicated" in service.spec.Mode)) return false;
  if (!isWanted(task) || task.state !== TASK_STATE.running) return false;
  const node = nodeOf(task.nodeId);
  if (!node || nodeFate(task, nodeOf) !== "drained") return false;
  return plan.nowMs < drainDeadlineMs(node) && mayRestart(task, slot);
}
