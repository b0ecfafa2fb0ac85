import type { JobSchedule, ServiceMode } from "./spec.js";

/** Its tasks run to an end, not on and on. */
export function isJob(mode: ServiceMode): boolean {
  return "ReplicatedJob" in mode || "GlobalJob" in mode;
}

/** One task per node, made for that node: a slot is a node. */
export function isGlobal(mode: ServiceMode): boolean {
  return "Global" in mode || "GlobalJob" in mode;
}

export function scheduleOf(mode: ServiceMode): JobSchedule | undefined {
  return "ReplicatedJob" in mode ? mode.ReplicatedJob.Schedule : undefined;
}
