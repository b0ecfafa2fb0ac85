/** Health check timing and verdicts, by Docker's rules: when to probe next and what a result means. */
import type { HealthcheckSpec } from "../../../api/index.js";

/** A check with all defaults filled in; times in ms. */
export type HealthPlan = {
  readonly command: readonly string[];
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly retries: number;
  readonly startPeriodMs: number;
  readonly startIntervalMs: number;
};

export type HealthStatus = "starting" | "healthy" | "unhealthy";
export type HealthState = { readonly status: HealthStatus; readonly failingStreak: number };

const DEFAULT_INTERVAL_MS = 30_000;
const DEFAULT_TIMEOUT_MS = 30_000;
const DEFAULT_START_INTERVAL_MS = 5_000;
const DEFAULT_RETRIES = 3;
const NS_PER_MS = 1e6;

/**
 * The check of a container: the service's own over the image's, field by field. undefined without one or with
 * `["NONE"]`.
 */
export function planHealth(
  own: HealthcheckSpec | undefined,
  image: HealthcheckSpec | undefined,
): HealthPlan | undefined {
  const test = (own?.Test?.length ?? 0) > 0 ? own?.Test : image?.Test;
  const command = toCommand(test ?? []);
  if (command === undefined) return undefined;
  const pick = (field: "Interval" | "Timeout" | "StartPeriod" | "StartInterval"): number =>
    ((own?.[field] || image?.[field]) ?? 0) / NS_PER_MS;
  return {
    command,
    intervalMs: pick("Interval") || DEFAULT_INTERVAL_MS,
    timeoutMs: pick("Timeout") || DEFAULT_TIMEOUT_MS,
    retries: own?.Retries || image?.Retries || DEFAULT_RETRIES,
    startPeriodMs: pick("StartPeriod"),
    startIntervalMs: pick("StartInterval") || DEFAULT_START_INTERVAL_MS,
  };
}

function toCommand(test: readonly string[]): readonly string[] | undefined {
  const [kind, ...rest] = test;
  if (kind === undefined || kind === "NONE" || rest.length === 0) return undefined;
  if (kind === "CMD") return rest;
  if (kind === "CMD-SHELL") return ["/bin/sh", "-c", rest.join(" ")];
  return undefined;
}

/** Ms from now to the next probe. The first one comes one such delay after the start. */
export function nextProbeDelayMs(
  plan: HealthPlan,
  state: HealthState,
  sinceStartMs: number,
): number {
  const isStartPeriod = sinceStartMs < plan.startPeriodMs && state.status === "starting";
  return isStartPeriod ? plan.startIntervalMs : plan.intervalMs;
}

/** `probeAtMs`: when the probe began, counted from the container's start. */
export function stepHealth(
  plan: HealthPlan,
  state: HealthState,
  probe: { readonly isOk: boolean; readonly probeAtMs: number },
): HealthState {
  if (probe.isOk) return { status: "healthy", failingStreak: 0 };
  // Failures while the container may still be starting up are not held against it.
  if (state.status === "starting" && probe.probeAtMs < plan.startPeriodMs) return state;
  const failingStreak = state.failingStreak + 1;
  return {
    status: failingStreak >= plan.retries ? "unhealthy" : state.status,
    failingStreak,
  };
}
