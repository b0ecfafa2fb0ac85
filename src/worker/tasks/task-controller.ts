import type { Outcome } from "../core/task/outcome.js";
import type { HealthMonitor } from "./health-monitor.js";
import type { TaskRecord } from "./record-store.js";

/** The work behind a task's steps. Each method may run again after a crash or an outage. */
export interface TaskController {
  /** While it runs with a health check. */
  readonly health: HealthMonitor | undefined;
  /** Stops watching; what runs is left as it is. */
  end(): void;
  /** To ready. */
  prepare(signal: AbortSignal): Promise<Outcome>;
  /** To running. */
  start(signal: AbortSignal): Promise<Outcome>;
  /** Until its end. */
  watch(signal: AbortSignal): Promise<Outcome>;
  /** To shutdown. */
  stop(signal: AbortSignal): Promise<Outcome>;
  /** Gives back what it holds of the network; the task has ended. */
  release(signal: AbortSignal): Promise<void>;
  /** Deletes what is left of it but its record. */
  discard(): Promise<void>;
  /** Its stop is not to be held for open connections. */
  hurry(): void;
}

/** The record of a controller's task. */
export type RecordOwner = {
  read(): TaskRecord;
  update(change: Partial<TaskRecord>): void;
};
