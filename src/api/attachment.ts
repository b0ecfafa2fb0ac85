import type { Task } from "./objects.js";

/**
 * Of an attachment, a task that puts the container of another task on a network (docs/adr/0018): the id of that task. undefined: it is a
 * container of its own.
 */
export function containerTaskOf({ spec }: Pick<Task, "spec">): string | undefined {
  return spec.NetworkAttachmentSpec?.TaskID;
}
