/** How an attempt ended, in the words of the task status. */
import { TASK_STATE, type TaskState } from "../../../api/index.js";

/** Change of a status; what is absent stays. */
export type Outcome = {
  readonly state: TaskState;
  /** Absent on failures: the last good message stays, `err` says what went wrong. */
  readonly message?: string;
  readonly err: string;
  readonly exitCode: number;
};

/** A container ended by itself, or was stopped for being unhealthy. */
export function outcomeOfExit(
  exit: { readonly exitCode: number; readonly isOomKilled: boolean },
  cause: "" | "unhealthy container",
): Outcome {
  if (cause === "" && exit.exitCode === 0) {
    return { state: TASK_STATE.complete, message: "finished", err: "", exitCode: 0 };
  }
  const reason = cause !== "" ? cause : exit.isOomKilled ? "out of memory" : "";
  const what = exit.exitCode === 0 ? `task: ${reason}` : `task: non-zero exit (${exit.exitCode})`;
  const err = exit.exitCode !== 0 && reason !== "" ? `${what}: ${reason}` : what;
  return { state: TASK_STATE.failed, err, exitCode: exit.exitCode };
}

/** An attempt failed for good: rejected when nothing ran yet, failed from starting on. */
export function outcomeOfFailure(state: TaskState, err: string): Outcome {
  return {
    state: state < TASK_STATE.starting ? TASK_STATE.rejected : TASK_STATE.failed,
    err,
    exitCode: 0,
  };
}

/** Retry delay of an attempt whose engine or network process is away: 250 ms doubling to 5 s. */
export function retryDelayMs(attempt: number): number {
  return Math.min(5_000, 250 * 2 ** Math.min(attempt, 10));
}
