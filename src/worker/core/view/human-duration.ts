/** Durations and states in Docker's words. */

const MINUTE_SEC = 60;
const HOUR_SEC = 3_600;
const DAY_HOURS = 24;

/** "25 seconds", "About an hour", "3 weeks". */
export function humanDuration(durationMs: number): string {
  const seconds = Math.floor(durationMs / 1_000);
  if (seconds < 1) return "Less than a second";
  if (seconds === 1) return "1 second";
  if (seconds < MINUTE_SEC) return `${seconds} seconds`;
  const minutes = Math.floor(seconds / MINUTE_SEC);
  if (minutes === 1) return "About a minute";
  if (minutes < 60) return `${minutes} minutes`;
  const hours = Math.floor(seconds / HOUR_SEC + 0.5);
  if (hours === 1) return "About an hour";
  if (hours < DAY_HOURS * 2) return `${hours} hours`;
  if (hours < DAY_HOURS * 7 * 2) return `${Math.floor(hours / DAY_HOURS)} days`;
  if (hours < DAY_HOURS * 30 * 2) return `${Math.floor(hours / DAY_HOURS / 7)} weeks`;
  if (hours < DAY_HOURS * 365 * 2) return `${Math.floor(hours / DAY_HOURS / 30)} months`;
  return `${Math.floor(hours / DAY_HOURS / 365)} years`;
}

export type RunView =
  | { readonly state: "created" }
  | {
      readonly state: "running";
      readonly startedAtMs: number;
      /** undefined without a health check. */
      readonly health: string | undefined;
    }
  | { readonly state: "exited"; readonly finishedAtMs: number; readonly exitCode: number };

/** `Up 25 seconds (healthy)`, `Exited (3) 2 minutes ago`, `Created`. */
export function statusText(run: RunView, nowMs: number): string {
  switch (run.state) {
    case "created":
      return "Created";
    case "running": {
      const up = `Up ${humanDuration(nowMs - run.startedAtMs)}`;
      if (run.health === undefined) return up;
      return `${up} (${run.health === "starting" ? "health: starting" : run.health})`;
    }
    case "exited":
      return `Exited (${run.exitCode}) ${humanDuration(nowMs - run.finishedAtMs)} ago`;
  }
}
