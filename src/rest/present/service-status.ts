/** The three numbers of `GET /services?status=true` (spec §2.3). */
import { isJob, type Service, TASK_STATE, type Task } from "../../api/index.js";

export type ServiceStatus = {
  readonly RunningTasks: number;
  readonly DesiredTasks: number;
  readonly CompletedTasks: number;
};

export function serviceStatus(service: Service, tasks: readonly Task[]): ServiceStatus {
  const { Mode: mode } = service.spec;
  let runningCount = 0;
  let wantedCount = 0;
  let completeCount = 0;
  let unfinishedCount = 0;
  for (const task of tasks) {
    if (isJob(mode) && task.jobIteration !== service.jobIteration) continue;
    if (task.state === TASK_STATE.running) runningCount += 1;
    if (task.desiredState === TASK_STATE.running) wantedCount += 1;
    if (task.state === TASK_STATE.complete) completeCount += 1;
    if (task.desiredState === TASK_STATE.complete && task.state !== TASK_STATE.complete) {
      unfinishedCount += 1;
    }
  }
  const status = (desired: number, completed: number): ServiceStatus => ({
    RunningTasks: runningCount,
    DesiredTasks: desired,
    CompletedTasks: completed,
  });
  if ("Replicated" in mode) return status(mode.Replicated.Replicas, 0);
  if ("Global" in mode) return status(wantedCount, 0);
  if ("ReplicatedJob" in mode) return status(mode.ReplicatedJob.MaxConcurrent, completeCount);
  return status(unfinishedCount, completeCount);
}
