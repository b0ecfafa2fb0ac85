/** What an operation does to the run and the schedule of a job. */
import {
  internSpec,
  isJob,
  type Service,
  type ServiceSpec,
  sameSpec,
  scheduleOf,
} from "../../api/index.js";
import { startSchedule } from "../core/index.js";

type JobFields = Pick<Service, "jobIteration" | "lastExecutionMs" | "schedule">;

/** A job runs at once, one with a schedule at its first tick. */
export function newJobFields(spec: ServiceSpec, nowMs: number): JobFields {
  const schedule = scheduleOf(spec.Mode);
  if (schedule)
    return { jobIteration: 0, lastExecutionMs: 0, schedule: startSchedule(schedule, nowMs) };
  return { jobIteration: 0, lastExecutionMs: isJob(spec.Mode) ? nowMs : 0, schedule: undefined };
}

/**
 * Every change of a job starts it over (spec §4.4). With a schedule only a forced one does ("run now"); others count from the next tick
 * on, and a new schedule counts from now on.
 */
export function nextJobFields(old: Service, spec: ServiceSpec, nowMs: number): JobFields {
  const { jobIteration, lastExecutionMs } = old;
  const schedule = scheduleOf(spec.Mode);
  const isKept = schedule && sameSpec(schedule, scheduleOf(old.spec.Mode));
  const runs = old.schedule?.runs ?? [];
  const state = isKept
    ? old.schedule
    : schedule && {
        ...startSchedule(schedule, nowMs),
        lastTickMs: old.schedule?.lastTickMs ?? 0,
        runs,
      };
  const isForced = old.spec.TaskTemplate.ForceUpdate !== spec.TaskTemplate.ForceUpdate;
  if (!isJob(spec.Mode) || (schedule && !isForced))
    return { jobIteration, lastExecutionMs, schedule: state };
  return {
    jobIteration: jobIteration + 1,
    lastExecutionMs: nowMs,
    schedule: state && { ...state, runs: [] },
  };
}

/**
 * Docker's clients know nothing of schedules and post specs back without them: then the schedule stays. `Schedule: {}` takes it away;
 * `given` is the spec as the client sent it.
 */
export function withKeptSchedule(spec: ServiceSpec, given: ServiceSpec, old: Service): ServiceSpec {
  const Schedule = scheduleOf(old.spec.Mode);
  if (!Schedule || !("ReplicatedJob" in spec.Mode) || scheduleOf(given.Mode)) return spec;
  return internSpec({ ...spec, Mode: { ReplicatedJob: { ...spec.Mode.ReplicatedJob, Schedule } } });
}
