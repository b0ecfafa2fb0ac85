/** Which reported task statuses become writes. Pure. */
import { TASK_STATE, type Task, type TaskStatusReport } from "../../../api/index.js";

const STATES: ReadonlySet<number> = new Set(Object.values(TASK_STATE));

export type StatusVerdict =
  | "write"
  /** Nothing new: identical, or lower than what is known. */
  | "drop"
  /** The task is another node's, or the state is not an agent's to report. */
  | "reject";

export function judgeStatus(
  report: Pick<
    TaskStatusReport,
    "state" | "message" | "err" | "containerId" | "pid" | "exitCode" | "portStatus"
  >,
  task: Task | undefined,
  nodeId: string,
): StatusVerdict {
  // Deleted meanwhile: nobody waits for it.
  if (task === undefined) return "drop";
  if (task.nodeId !== nodeId) return "reject";
  if (!STATES.has(report.state) || report.state <= TASK_STATE.assigned) return "reject";
  if (report.state === TASK_STATE.remove || report.state === TASK_STATE.orphaned) return "reject";
  if (report.state < task.state) return "drop";
  if (report.state > task.state) return "write";
  const isSame =
    report.message === task.message &&
    report.err === task.err &&
    report.containerId === task.containerId &&
    report.pid === task.pid &&
    report.exitCode === task.exitCode &&
    samePorts(report.portStatus, task.portStatus);
  return isSame ? "drop" : "write";
}

function samePorts(a: Task["portStatus"], b: Task["portStatus"]): boolean {
  return (
    a.length === b.length &&
    a.every((port, i) => {
      const other = b[i];
      return (
        other !== undefined &&
        port.protocol === other.protocol &&
        port.targetPort === other.targetPort &&
        port.publishedPort === other.publishedPort
      );
    })
  );
}
