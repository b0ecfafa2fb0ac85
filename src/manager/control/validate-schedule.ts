/** The schedule of a job: our extension of `Mode.ReplicatedJob`. */
import type { JobSchedule } from "../../api/index.js";
import { expressionError, isTimeZone } from "../core/index.js";
import { invalid } from "./invalid.js";

const FIELD = "Mode.ReplicatedJob.Schedule";
const SECOND_NS = 1e9;
const MISSED_WINDOW_DEFAULT_NS = 60 * SECOND_NS;
/** A change of leaders at the time of a tick must not lose it. */
const MISSED_WINDOW_MIN_NS = 10 * SECOND_NS;

/** With defaults: UTC, a window of 60 s, forbid. Absent and `{}` are no schedule. Throws ApiError InvalidArgument. */
export function validateSchedule(given: Partial<JobSchedule> | undefined): JobSchedule | undefined {
  if (!given || Object.keys(given).length === 0) return undefined;
  const {
    Expression = "",
    TimeZone = "UTC",
    MissedWindow = MISSED_WINDOW_DEFAULT_NS,
    Concurrency = "forbid",
  } = given;
  const error = expressionError(Expression, 0);
  if (error !== undefined) throw invalid(`${FIELD}.Expression: ${error}`);
  if (!isTimeZone(TimeZone))
    throw invalid(`${FIELD}.TimeZone: "${TimeZone}" is no time zone, such as Europe/Berlin or UTC`);
  if (MissedWindow < MISSED_WINDOW_MIN_NS)
    throw invalid(`${FIELD}.MissedWindow must be 10s or more, not ${MissedWindow / SECOND_NS}s`);
  return { Expression, TimeZone, MissedWindow, Concurrency };
}
