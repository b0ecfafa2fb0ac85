/** The `_up-to-date` filter of `/tasks`: what the CLI's progress bars count. */
import type { Task } from "../api/index.js";
import { isDirty } from "../manager/core/index.js";
import type { StoreView } from "../store/index.js";

/** The orchestrator's own rule: what it would replace is out of date. */
export function isUpToDate(task: Task, view: StoreView): boolean {
  const service = view.service(task.serviceId);
  return service !== undefined && !isDirty(task, service, (id) => view.node(id));
}
