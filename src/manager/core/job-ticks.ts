/** What the ticks of a scheduled job bring about: a run, or none and why. */
import { type JobSchedule, type ScheduleState, type Service, type Task } from "../../api/index.js";
import { isRunOver, type JobMode } from "./job-run.js";
import { nextTickMs } from "./job-schedule.js";

const NANO_PER_MS = 1e6;
/** Ticks decided in one go, tens of ms of work; after a long outage the rest follows in the next turns. */
export const TICKS_MAX = 100;
/** Runs of one job beside each other (concurrency "allow"); a tick beyond it is left out. */
export const RUNS_MAX = 10;

/** Of a job whose schedule is new at `nowMs`: nothing in the past is made up for. */
export function startSchedule(schedule: JobSchedule, nowMs: number): ScheduleState {
  return {
    nextTickMs: nextTickMs(schedule, nowMs),
    lastTickMs: 0,
    missedCount: 0,
    skippedCount: 0,
    runs: [],
  };
}

/**
 * The service after all its ticks up to `nowMs`: each is decided once and for good, since the next one to decide is stored with the run
 * that is started. Of those within the missed window the latest starts a run for all, older ones are counted.
 */
export function decideTicks(
  service: Service,
  mode: JobMode & { readonly Schedule: JobSchedule },
  state: ScheduleState,
  tasks: readonly Task[],
  nowMs: number,
): Service {
  const { Schedule: schedule } = mode;
  const since = nowMs - schedule.MissedWindow / NANO_PER_MS;
  let { nextTickMs: tickMs, missedCount } = state;
  let dueMs = 0;
  for (let count = 0; tickMs > 0 && tickMs <= nowMs && count < TICKS_MAX; count++) {
    if (tickMs < since) missedCount++;
    else dueMs = tickMs;
    tickMs = nextTickMs(schedule, tickMs);
  }
  const decided = { ...state, nextTickMs: tickMs, missedCount };
  const isMore = tickMs > 0 && tickMs <= nowMs;
  if (dueMs === 0 || isMore) return { ...service, schedule: decided };
  const going = goingRuns(service, mode, state, tasks);
  const roomFor = { forbid: 0, replace: Number.POSITIVE_INFINITY, allow: RUNS_MAX - 1 };
  if (going.length > roomFor[schedule.Concurrency])
    return { ...service, schedule: { ...decided, skippedCount: state.skippedCount + 1 } };
  const runs = schedule.Concurrency === "allow" ? going : [];
  return {
    ...service,
    jobIteration: service.jobIteration + 1,
    lastExecutionMs: nowMs,
    schedule: { ...decided, lastTickMs: dueMs, runs },
  };
}

function goingRuns(
  service: Service,
  mode: JobMode,
  state: ScheduleState,
  tasks: readonly Task[],
): number[] {
  if (service.lastExecutionMs === 0) return [];
  return [...state.runs, service.jobIteration].filter((run) => !isRunOver(mode, tasks, run));
}
