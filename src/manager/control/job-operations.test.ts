/** What create, update and rollback do to the run and the schedule of a job. */
import { expect, test } from "vitest";
import type { JobSchedule, ServiceSpec } from "../../api/index.js";
import { type Leader, leader, run } from "./testing/leader.js";

const HOURLY = { Expression: "0 * * * *" };
const FULL = { ...HOURLY, TimeZone: "UTC", MissedWindow: 60e9, Concurrency: "forbid" };
const HOUR_MS = 3_600_000;

type Given = { schedule?: object; force?: number; image?: string };

function spec({ schedule, force = 0, image = "1" }: Given = {}): ServiceSpec {
  return {
    Name: "job",
    Labels: {},
    TaskTemplate: {
      ContainerSpec: { Image: `bb:${image}` },
      ForceUpdate: force,
      Runtime: "container",
    },
    Mode: {
      ReplicatedJob: {
        MaxConcurrent: 1,
        TotalCompletions: 2,
        ...(schedule && { Schedule: schedule as JobSchedule }),
      },
    },
  };
}

async function created(given: Given): Promise<Leader> {
  const l = leader();
  l.capabilities.add("jobs");
  await run(l, { kind: "service.create", serviceId: "j", spec: spec(given), registryAuth: "" });
  return l;
}

function update(l: Leader, given: Given, rollback: "none" | "previous" = "none") {
  return run(l, {
    kind: "service.update",
    serviceId: "j",
    version: l.store.service("j")?.versionIndex ?? 0,
    spec: spec(given),
    rollback,
    registryAuth: undefined,
    registryAuthFrom: "spec",
  });
}

const stored = (l: Leader) => l.store.service("j");
const schedule = (l: Leader) => stored(l)?.spec.Mode;
const withSchedule = (Schedule: object) => ({
  ReplicatedJob: { MaxConcurrent: 1, TotalCompletions: 2, Schedule },
});

test("a job runs at once, and over again at every change", async () => {
  const l = await created({});
  expect(stored(l)).toMatchObject({ jobIteration: 0, lastExecutionMs: 1_000_000 });
  expect(stored(l)?.schedule).toBeUndefined();
  await update(l, { image: "2" });
  expect(stored(l)).toMatchObject({ jobIteration: 1, updateStatus: undefined });
  await update(l, {}, "previous");
  expect(stored(l)).toMatchObject({ jobIteration: 2, updateStatus: undefined });
});

test("a job with a schedule waits for its first tick", async () => {
  const l = await created({ schedule: HOURLY });
  expect(schedule(l)).toEqual(withSchedule(FULL));
  expect(stored(l)).toMatchObject({
    jobIteration: 0,
    lastExecutionMs: 0,
    schedule: { nextTickMs: HOUR_MS, lastTickMs: 0, missedCount: 0, skippedCount: 0, runs: [] },
  });
});

test("a change that keeps the schedule starts no run and keeps the ticks; a forced one runs now", async () => {
  const l = await created({ schedule: HOURLY });
  const before = stored(l)?.schedule;
  await update(l, { schedule: FULL, image: "2" });
  expect(stored(l)).toMatchObject({ jobIteration: 0, lastExecutionMs: 0, schedule: before });
  await update(l, { schedule: FULL, image: "2", force: 1 });
  expect(stored(l)).toMatchObject({
    jobIteration: 1,
    lastExecutionMs: 1_000_000,
    schedule: before,
  });
});

test("a client that does not know of schedules does not lose one", async () => {
  const l = await created({ schedule: HOURLY });
  await update(l, { image: "2" });
  expect(schedule(l)).toEqual(withSchedule(FULL));
  expect(stored(l)).toMatchObject({ jobIteration: 0, schedule: { nextTickMs: HOUR_MS } });
});

test("an empty schedule takes it away, and the job is one that runs at every change again", async () => {
  const l = await created({ schedule: HOURLY });
  await update(l, { schedule: {} });
  expect(schedule(l)).toEqual({ ReplicatedJob: { MaxConcurrent: 1, TotalCompletions: 2 } });
  expect(stored(l)).toMatchObject({ jobIteration: 1, schedule: undefined });
});

test("another schedule counts from now on", async () => {
  const l = await created({ schedule: HOURLY });
  await update(l, { schedule: { Expression: "*/20 * * * *" } });
  expect(stored(l)).toMatchObject({ jobIteration: 0, schedule: { nextTickMs: HOUR_MS / 3 } });
});

test.each([
  {
    given: { Expression: "0 3 * *" },
    text: 'Mode.ReplicatedJob.Schedule.Expression: "0 3 * *" has 4 fields',
  },
  { given: { TimeZone: "UTC" }, text: "Mode.ReplicatedJob.Schedule.Expression: " },
  {
    given: { ...HOURLY, TimeZone: "Mars/X" },
    text: 'Mode.ReplicatedJob.Schedule.TimeZone: "Mars/X" is no time zone',
  },
  {
    given: { ...HOURLY, MissedWindow: 1e9 },
    text: "Mode.ReplicatedJob.Schedule.MissedWindow must be 10s or more",
  },
  {
    given: { ...HOURLY, Concurrency: "often" },
    text: 'Mode.ReplicatedJob.Schedule.Concurrency: "often"',
  },
])("refused by field: $text", async ({ given, text }) => {
  await expect(created({ schedule: given })).rejects.toMatchObject({
    http: 400,
    message: expect.stringContaining(text) as string,
  });
});
