/** The `_up-to-date` filter of `/tasks`: what the CLI's progress bars count. */
import type { Service, Task } from "../api/index.js";
import type { StoreView } from "../store/index.js";

export function isUpToDate(task: Task, view: StoreView): boolean {
  const service = view.service(task.serviceId);
  return service !== undefined && !isDirty(task, service);
}

/** Spec §4.7: the version tells quickly, the contents decide. */
function isDirty(task: Task, service: Service): boolean {
  if (task.specVersion === service.specVersion) return false;
  return (
    !same(task.spec, service.spec.TaskTemplate) ||
    !same(
      task.hostPorts,
      service.ports.filter((port) => port.PublishMode === "host"),
    )
  );
}

/** Specs are interned: the reference answers nearly always. */
function same(a: unknown, b: unknown): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}
