import type { Change, Task, TaskState } from "../../api/index.js";

/** A status written by a manager; what the agent reported beside it stays. */
export function statusChange(
  task: Task,
  status: {
    readonly state: TaskState;
    readonly atMs: number;
    readonly message: string;
    readonly err: string;
  },
): Change {
  const { containerId, pid, exitCode, portStatus } = task;
  return { kind: "taskStatus", taskId: task.id, ...status, containerId, pid, exitCode, portStatus };
}
