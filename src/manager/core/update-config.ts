import type { Service, UpdateConfig } from "../../api/index.js";

const NANO_PER_MS = 1e6;
const MONITOR_DEFAULT_MS = 5000;
/** Long enough for a large image over a slow line. */
export const PROGRESS_DEADLINE_DEFAULT_MS = 600_000;

export type UpdatePace = {
  /** Infinity: all at once. */
  readonly parallelism: number;
  readonly delayMs: number;
  readonly monitorMs: number;
  /** A new task that does not run this long after it was made has failed. */
  readonly deadlineMs: number;
  /** A rollback has nowhere to go back to: its "rollback" is a pause. */
  readonly onFailure: "pause" | "continue" | "rollback";
  readonly maxFailureRatio: number;
  readonly isStartFirst: boolean;
};

/** How the running update, or rollback, goes about; the defaults of the API where the spec is silent. */
export function paceOf(service: Service): UpdatePace {
  const isRollback = service.updateStatus?.state.startsWith("rollback") ?? false;
  const config: UpdateConfig = (isRollback
    ? service.spec.RollbackConfig
    : service.spec.UpdateConfig) ?? { Parallelism: 1 };
  const action = config.FailureAction ?? "pause";
  return {
    parallelism: config.Parallelism === 0 ? Number.POSITIVE_INFINITY : config.Parallelism,
    delayMs: (config.Delay ?? 0) / NANO_PER_MS,
    monitorMs: config.Monitor === undefined ? MONITOR_DEFAULT_MS : config.Monitor / NANO_PER_MS,
    deadlineMs:
      config.ProgressDeadline === undefined
        ? PROGRESS_DEADLINE_DEFAULT_MS
        : config.ProgressDeadline / NANO_PER_MS,
    onFailure: isRollback && action === "rollback" ? "pause" : action,
    maxFailureRatio: config.MaxFailureRatio ?? 0,
    isStartFirst: config.Order === "start-first",
  };
}
