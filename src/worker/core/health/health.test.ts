import { expect, test } from "vitest";
import { type HealthState, nextProbeDelayMs, planHealth, stepHealth } from "./health.js";

const SEC = 1e9;
const START: HealthState = { status: "starting", failingStreak: 0 };

test.each([
  { name: "no check anywhere", own: undefined, image: undefined, want: undefined },
  {
    name: "the image's check is switched off",
    own: { Test: ["NONE"] },
    image: { Test: ["CMD", "x"] },
    want: undefined,
  },
  {
    name: "Docker's defaults fill in",
    own: { Test: ["CMD-SHELL", "curl -f localhost"] },
    image: undefined,
    want: {
      command: ["/bin/sh", "-c", "curl -f localhost"],
      intervalMs: 30_000,
      timeoutMs: 30_000,
      retries: 3,
      startPeriodMs: 0,
      startIntervalMs: 5_000,
    },
  },
  {
    name: "the service's fields win over the image's one by one",
    own: { Interval: 2 * SEC, Retries: 1 },
    image: { Test: ["CMD", "check"], Interval: 9 * SEC, Timeout: 4 * SEC, StartPeriod: SEC },
    want: {
      command: ["check"],
      intervalMs: 2_000,
      timeoutMs: 4_000,
      retries: 1,
      startPeriodMs: 1_000,
      startIntervalMs: 5_000,
    },
  },
])("$name", ({ own, image, want }) => {
  expect(planHealth(own, image)).toEqual(want);
});

const PLAN = {
  command: ["x"],
  intervalMs: 1_000,
  timeoutMs: 500,
  retries: 2,
  startPeriodMs: 3_000,
  startIntervalMs: 200,
};

test.each([
  {
    name: "starting within the start period: the short interval",
    status: "starting",
    at: 2_999,
    want: 200,
  },
  { name: "starting after it: the normal one", status: "starting", at: 3_000, want: 1_000 },
  { name: "healthy within it: the normal one", status: "healthy", at: 10, want: 1_000 },
] as const)("next probe when $name", ({ status, at, want }) => {
  expect(nextProbeDelayMs(PLAN, { status, failingStreak: 0 }, at)).toBe(want);
});

/** A story of probes: `+`/`-` at a time, and the status after it. */
test.each([
  { name: "one success makes it healthy", probes: ["+100"], want: ["healthy"] },
  {
    name: "failures in the start period do not count",
    probes: ["-100", "-2999", "-3000", "-4000"],
    want: ["starting", "starting", "starting", "unhealthy"],
  },
  {
    name: "once healthy, failures count in the start period too",
    probes: ["+100", "-200", "-300"],
    want: ["healthy", "healthy", "unhealthy"],
  },
  {
    name: "a success in between begins the count anew",
    probes: ["+100", "-200", "+300", "-400", "-500"],
    want: ["healthy", "healthy", "healthy", "healthy", "unhealthy"],
  },
  {
    name: "it may recover",
    probes: ["-3000", "-4000", "+5000"],
    want: ["starting", "unhealthy", "healthy"],
  },
])("$name", ({ probes, want }) => {
  let state = START;
  const seen = probes.map((probe) => {
    state = stepHealth(PLAN, state, { isOk: probe[0] === "+", probeAtMs: Number(probe.slice(1)) });
    return state.status;
  });
  expect(seen).toEqual(want);
});
