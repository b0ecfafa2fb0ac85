/** When a wait for a service is over, and how it ended. Pure: it is told what is seen and when. */
import type { ApiTask } from "./api-types.js";
import {
  isJob,
  isRunOver,
  lostTasks,
  type Progress,
  progressOf,
  refusalOf,
  type Snapshot,
} from "./convergence.js";
import { EXIT } from "./exit-codes.js";

/** A pending task with a refusal that has not changed for this long will not be placed by waiting. */
export const UNSCHEDULABLE_MS = 5_000;
/** A manager is elected, or restarted, within seconds; after this long without an answer nobody is left to wait for. */
export const UNREACHABLE_MS = 60_000;
const NANO_PER_MS = 1e6;
const MONITOR_DEFAULT_NS = 5e9;

/** What was asked for decides what its success is: a rollback is one of `rollback` only. */
export type Goal = "create" | "update" | "scale" | "rollback";

export type Result =
  | "converged"
  | "rolled-back"
  | "paused"
  | "timed-out"
  | "unschedulable"
  | "failed";

export type WaitEnd = {
  readonly result: Result;
  readonly exitCode: number;
  /** For people: what, why, and what to do. */
  readonly message: string;
};

export type Seen = {
  readonly progress: Progress;
  /** While all is as wanted: seconds until it counts as stable. */
  readonly stableInSec: number | undefined;
  readonly end: WaitEnd | undefined;
};

export type WaitingOptions = {
  readonly goal: Goal;
  readonly timeoutMs: number | undefined;
  /** The service's rollout was paused before, and the change has left it so. */
  readonly wasPaused: boolean;
  /** A run was asked for: of a job with a schedule nothing else is to be waited for. */
  readonly isForced: boolean;
};

export class Waiting {
  readonly #options: WaitingOptions;
  readonly #fromMs: number;
  #convergedMs: number | undefined;
  #refused: { readonly text: string; readonly atMs: number } | undefined;
  /** Why the update was rolled back, said when the rollback began. */
  #rollbackReason = "";
  #lostMs: number | undefined;
  #givenUpMs: number | undefined;
  #last: Progress | undefined;

  constructor(options: WaitingOptions, nowMs: number) {
    this.#options = options;
    this.#fromMs = nowMs;
  }

  see(snapshot: Snapshot, nowMs: number): Seen {
    this.#lostMs = undefined;
    const progress = progressOf(snapshot);
    this.#last = progress;
    const ended =
      this.#notDue(snapshot) ??
      this.#stopped(snapshot) ??
      this.#refusedEnd(snapshot, nowMs) ??
      this.#givenUp(snapshot, progress, nowMs);
    if (ended) return { progress, stableInSec: undefined, end: ended };
    const leftMs = this.#leftMs(snapshot, progress, nowMs);
    if (leftMs !== undefined)
      return {
        progress,
        stableInSec: Math.ceil(leftMs / 1000),
        end: leftMs > 0 ? undefined : this.#whole(snapshot),
      };
    // Being watched for stability is not being late.
    return { progress, stableInSec: undefined, end: this.#late(nameOf(snapshot), nowMs) };
  }

  /** No manager answered. Undefined: one may yet. */
  lost(reason: string, nowMs: number): WaitEnd | undefined {
    this.#lostMs ??= nowMs;
    // Nobody knows what happened meanwhile.
    this.#convergedMs = undefined;
    this.#refused = undefined;
    this.#givenUpMs = undefined;
    const late = this.#late("", nowMs);
    if (late) return late;
    if (nowMs - this.#lostMs < UNREACHABLE_MS) return undefined;
    return failed(`no manager has answered for ${UNREACHABLE_MS / 1000} s: ${reason}`);
  }

  /** A job with a schedule runs when it is due. */
  #notDue({ service }: Snapshot): WaitEnd | undefined {
    const { ScheduleStatus: schedule } = service;
    if (!schedule || this.#options.isForced) return undefined;
    return converged(
      `job ${service.Spec.Name} runs next at ${schedule.NextTick ?? "no time any more"}`,
    );
  }

  /** Nothing of a job's run is left that could complete, and it is not complete. */
  #givenUp(snapshot: Snapshot, progress: Progress, nowMs: number): WaitEnd | undefined {
    const { running, wanted, error } = progress;
    if (!isJob(snapshot.service) || running === wanted || !isRunOver(snapshot)) {
      this.#givenUpMs = undefined;
      return undefined;
    }
    this.#givenUpMs ??= nowMs;
    if (nowMs - this.#givenUpMs <= UNSCHEDULABLE_MS) return undefined;
    const name = nameOf(snapshot);
    return {
      result: "failed",
      exitCode: EXIT.paused,
      message: `job ${name}: ${running} of ${wanted} tasks completed, the others failed and are not restarted${error === "" ? "" : `: ${error}`}\nsee: swarm service ps ${name}; run it again: swarm service update --force ${name}`,
    };
  }

  /** States that no waiting changes. */
  #stopped(snapshot: Snapshot): WaitEnd | undefined {
    const { UpdateStatus: status } = snapshot.service;
    const name = nameOf(snapshot);
    const state = status?.State ?? "";
    const message = status?.Message ?? "";
    if (state === "rollback_started") this.#rollbackReason = message;
    if (state === "rollback_paused" || (state === "paused" && !this.#options.wasPaused))
      return {
        result: "paused",
        exitCode: EXIT.paused,
        message: `service ${name}: ${state.replace("_", " ")}: ${message}\nsee: swarm service ps ${name}; go back: swarm service rollback ${name}`,
      };
    const lost = lostTasks(snapshot);
    const { wanted, running } = progressOf(snapshot);
    const [first] = lost;
    if (first && lost.length + running >= wanted && !isRolling(state)) return lostEnd(name, first);
    return undefined;
  }

  #refusedEnd(snapshot: Snapshot, nowMs: number): WaitEnd | undefined {
    const text = refusalOf(snapshot);
    if (text === undefined) {
      this.#refused = undefined;
      return undefined;
    }
    if (this.#refused?.text !== text) this.#refused = { text, atMs: nowMs };
    if (nowMs - this.#refused.atMs <= UNSCHEDULABLE_MS) return undefined;
    const name = nameOf(snapshot);
    return {
      result: "unschedulable",
      exitCode: EXIT.unschedulable,
      message: `service ${name} cannot be placed: ${text}\nthe service stays and is tried again when nodes change; see: swarm service ps ${name}`,
    };
  }

  /** How long it must stay as it is; undefined while it is not as wanted. */
  #leftMs(snapshot: Snapshot, { running, wanted }: Progress, nowMs: number): number | undefined {
    const { service } = snapshot;
    const state = service.UpdateStatus?.State ?? "";
    // Before a global service has its first task nobody knows how many there will be.
    const isUnknown = wanted === 0 && service.Spec.Mode.Replicated === undefined;
    if (running !== wanted || isUnknown || isRolling(state)) {
      this.#convergedMs = undefined;
      return undefined;
    }
    this.#convergedMs ??= nowMs;
    // The managers have watched a finished rollout themselves; a job that is done stays done, unless it gets another node.
    const isDone = service.Spec.Mode.ReplicatedJob !== undefined;
    if (isDone || state === "completed" || state === "rollback_completed") return 0;
    const monitorMs = (service.Spec.UpdateConfig?.Monitor ?? MONITOR_DEFAULT_NS) / NANO_PER_MS;
    return Math.max(0, monitorMs - (nowMs - this.#convergedMs));
  }

  #whole(snapshot: Snapshot): WaitEnd {
    const name = nameOf(snapshot);
    const { State: state, Message: message } = snapshot.service.UpdateStatus ?? {};
    if (state === "rollback_completed" && this.#options.goal !== "rollback")
      return {
        result: "rolled-back",
        exitCode: EXIT.rolledBack,
        message: `service ${name} runs its previous spec again: ${this.#rollbackReason || (message ?? "")}\nsee: swarm service ps ${name}`,
      };
    const note = state === "paused" ? `; its update stays paused: ${message ?? ""}` : "";
    return converged(isJob(snapshot.service) ? "job complete" : `service ${name} converged${note}`);
  }

  #late(name: string, nowMs: number): WaitEnd | undefined {
    const tookMs = nowMs - this.#fromMs;
    if (tookMs <= (this.#options.timeoutMs ?? Number.POSITIVE_INFINITY)) return undefined;
    const { running = 0, wanted = 0, error = "" } = this.#last ?? {};
    const what = name === "" ? "no manager answers" : `service ${name}`;
    return {
      result: "timed-out",
      exitCode: EXIT.timedOut,
      message: `${what}: ${running} of ${wanted} tasks run after ${Math.round(tookMs / 1000)} s${error === "" ? "" : `: ${error}`}\nit goes on in the background; see: swarm service ps`,
    };
  }
}

function converged(message: string): WaitEnd {
  return { result: "converged", exitCode: EXIT.converged, message };
}

export function failed(message: string): WaitEnd {
  return { result: "failed", exitCode: EXIT.failed, message };
}

function lostEnd(name: string, task: ApiTask): WaitEnd {
  const reason = task.Status.Err ? `: ${task.Status.Err}` : "";
  return failed(
    `service ${name}: task ${task.ID} of slot ${task.Slot ?? 0} ${task.Status.State} and is not restarted (restart condition none)${reason}`,
  );
}

function isRolling(state: string): boolean {
  return state === "updating" || state === "rollback_started";
}

function nameOf(snapshot: Snapshot): string {
  return snapshot.service.Spec.Name;
}
