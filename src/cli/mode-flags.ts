/** Flags that belong to a service's mode, and the mode itself. Words and meanings are docker's; schedules are ours. */
import type { ApiService } from "./api-types.js";
import { type JsonObject, objectAt } from "./json.js";
import type { ValueFlag } from "./service-spec.js";
import { oneOf, parseCount, parseDuration, UsageError } from "./units.js";

export function modeOf(mode: unknown): JsonObject {
  switch (mode) {
    case undefined:
    case "replicated":
      return { Replicated: {} };
    case "global":
      return { Global: {} };
    case "replicated-job":
      return { ReplicatedJob: {} };
    case "global-job":
      return { GlobalJob: {} };
    default:
      throw new UsageError(
        `--mode ${String(mode)}: replicated, global, replicated-job or global-job`,
      );
  }
}

const MODE_NAMES: Readonly<Record<string, string>> = {
  Replicated: "replicated",
  Global: "global",
  ReplicatedJob: "replicated job",
  GlobalJob: "global job",
};

export function modeName(mode: ApiService["Spec"]["Mode"]): string {
  return MODE_NAMES[Object.keys(mode)[0] ?? ""] ?? "";
}

export const MODE_FLAGS: readonly ValueFlag[] = [
  {
    flag: "--replicas <count>",
    help: "number of tasks; of a replicated job: how often it completes",
    edit: (spec, value) => editReplicas(spec, parseCount(value)),
  },
  {
    flag: "--max-concurrent <count>",
    help: "most tasks of a replicated job at a time (default: all)",
    edit: (spec, value) => {
      job(spec, "--max-concurrent")["MaxConcurrent"] = parseCount(value);
    },
  },
  {
    flag: "--schedule <cron>",
    help: 'run the job at these times, as "0 3 * * *" or @daily; "" takes the schedule away',
    edit: (spec, value) => {
      if (value === "") job(spec, "--schedule")["Schedule"] = {};
      else schedule(spec, "--schedule")["Expression"] = value;
    },
  },
  {
    flag: "--tz <zone>",
    help: "time zone of the schedule (default: UTC)",
    edit: (spec, value) => {
      schedule(spec, "--tz")["TimeZone"] = value;
    },
  },
  {
    flag: "--missed-window <duration>",
    help: "how long a missed run is made up for (default: 1m)",
    edit: (spec, value) => {
      schedule(spec, "--missed-window")["MissedWindow"] = parseDuration(value);
    },
  },
  {
    flag: "--concurrency <what>",
    help: "while a run goes on the next one is: forbid (default), replace, allow",
    edit: (spec, value) => {
      schedule(spec, "--concurrency")["Concurrency"] = CONCURRENCY(value);
    },
  },
];

const CONCURRENCY = oneOf("forbid", "replace", "allow");

/** On a new job all tasks run at once unless --max-concurrent says otherwise. */
export function editReplicas(spec: JsonObject, count: number): void {
  const mode = objectAt(spec, "Mode");
  const kind = Object.keys(mode)[0] ?? "Replicated";
  if (kind === "ReplicatedJob") {
    const given = job(spec, "--replicas");
    given["TotalCompletions"] = count;
    given["MaxConcurrent"] ??= count;
  } else if (kind === "Replicated") spec["Mode"] = { Replicated: { Replicas: count } };
  else throw new UsageError("replicas can only be used with replicated or replicated-job mode");
}

function job(spec: JsonObject, flag: string): JsonObject {
  const mode = objectAt(spec, "Mode");
  if (mode["ReplicatedJob"] === undefined)
    throw new UsageError(`${flag} can only be used with replicated-job mode`);
  return objectAt(spec, "Mode", "ReplicatedJob");
}

function schedule(spec: JsonObject, flag: string): JsonObject {
  job(spec, flag);
  return objectAt(spec, "Mode", "ReplicatedJob", "Schedule");
}
