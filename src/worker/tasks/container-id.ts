import { createHash } from "node:crypto";

/** The container id that clients see: 64 hex digits, a function of the task's id. The engine itself uses the task's id. */
export function containerIdOf(taskId: string): string {
  return createHash("sha256").update(taskId).digest("hex");
}
