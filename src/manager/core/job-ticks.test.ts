import { expect, test } from "vitest";
import { type JobSchedule, TASK_STATE } from "../../api/index.js";
import { RUNS_MAX, TICKS_MAX } from "./job-ticks.js";
import { busyAgent, goodAgent, World } from "./testing/world.js";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

const mode = (fields: Partial<JobSchedule> = {}, total = 1) => ({
  ReplicatedJob: {
    MaxConcurrent: total,
    TotalCompletions: total,
    Schedule: {
      Expression: "0 * * * *",
      TimeZone: "UTC",
      MissedWindow: 600e9,
      Concurrency: "forbid" as const,
      ...fields,
    },
  },
});

/** At half past, so the first tick comes after 30 minutes. */
function worldWith(fields: Partial<JobSchedule> = {}, total = 1): World {
  const world = new World().addNodes("a", "b");
  world.nowMs = Date.parse("2026-11-21T10:30:00Z");
  return world.createService({ mode: mode(fields, total) }).settle();
}

const runs = (world: World): number[] =>
  [...new Set(world.wanted().map((task) => task.jobIteration))].sort((a, b) => a - b);
const counters = (world: World) => {
  const { jobIteration, schedule } = world.service();
  return [jobIteration, schedule?.missedCount, schedule?.skippedCount];
};
const hour = (atMs: number | undefined): string => new Date(atMs ?? 0).toISOString().slice(11, 16);

test("nothing runs before the first tick; then once per tick", () => {
  const world = worldWith({}, 2);
  expect(world.advance(29 * MINUTE_MS).tasks()).toEqual([]);
  world.advance(MINUTE_MS);
  expect(world.tasks()).toMatchObject([
    { slot: 0, jobIteration: 1 },
    { slot: 1, jobIteration: 1 },
  ]);
  expect(hour(world.service().schedule?.lastTickMs)).toBe("11:00");
  expect(hour(world.service().schedule?.nextTickMs)).toBe("12:00");
  world.advance(3 * HOUR_MS + 1000);
  expect(counters(world)).toEqual([4, 0, 0]);
  expect(world.tasks()).toHaveLength(2);
});

test("a tick starts one run, however often the leader changes around it", () => {
  const world = worldWith();
  world.advance(30 * MINUTE_MS - 1);
  for (let i = 0; i < 5; i++) {
    world.electLeader();
    world.advance(1);
  }
  expect(counters(world)).toEqual([1, 0, 0]);
});

test("a new leader whose clock is behind does not run a tick again", () => {
  const world = worldWith();
  world.advance(30 * MINUTE_MS);
  world.nowMs -= 5 * MINUTE_MS;
  world.electLeader();
  world.advance(10 * MINUTE_MS);
  expect(counters(world)).toEqual([1, 0, 0]);
});

test.each([
  { name: "within the window", outageMs: 35 * MINUTE_MS, expected: [1, 0, 0] },
  { name: "longer than the window", outageMs: 45 * MINUTE_MS, expected: [0, 1, 0] },
  {
    name: "several ticks, the last within the window",
    outageMs: 3 * HOUR_MS - 25 * MINUTE_MS,
    expected: [1, 2, 0],
  },
])("no leader at the tick: $name", ({ outageMs, expected }) => {
  const world = worldWith();
  world.nowMs += outageMs;
  world.electLeader();
  expect(counters(world.settle())).toEqual(expected);
  expect(world.service().schedule?.nextTickMs).toBeGreaterThan(world.nowMs);
});

test("several ticks within the window start one run", () => {
  const world = worldWith({ Expression: "* * * * *" });
  world.nowMs += 5 * MINUTE_MS;
  world.electLeader();
  expect(counters(world.settle())).toEqual([1, 0, 0]);
});

test("a very long outage is counted to its end", () => {
  const world = worldWith({ Expression: "* * * * *" });
  world.nowMs += (2 * TICKS_MAX + 50) * MINUTE_MS;
  world.electLeader();
  expect(counters(world.settle())).toEqual([1, 2 * TICKS_MAX + 50 - 11, 0]);
});

test("forbid: ticks are left out while a run goes on", () => {
  const world = worldWith();
  world.agent = busyAgent;
  world.advance(3 * HOUR_MS);
  expect(counters(world)).toEqual([1, 0, 2]);
  world.agent = goodAgent;
  world.advance(HOUR_MS);
  expect(counters(world)).toEqual([2, 0, 2]);
});

test("replace: the run that goes on is stopped for the next", () => {
  const world = worldWith({ Concurrency: "replace" });
  world.agent = busyAgent;
  world.advance(3 * HOUR_MS);
  expect(counters(world)).toEqual([3, 0, 0]);
  expect(runs(world)).toEqual([3]);
});

test("allow: runs go on beside each other, each to its own end, up to a limit", () => {
  const world = worldWith({ Concurrency: "allow" }, 2);
  world.agent = busyAgent;
  world.advance(3 * HOUR_MS);
  expect(runs(world)).toEqual([1, 2, 3]);
  const first = world.wanted().find((task) => task.jobIteration === 1);
  if (!first) throw new Error("no task of the first run");
  world.report(first, "failed");
  world.advance(10_000);
  expect(world.wanted().filter((task) => task.jobIteration === 1)).toHaveLength(2);
  world.advance(20 * HOUR_MS);
  expect(world.wanted()).toHaveLength(2 * RUNS_MAX);
  expect(world.service().schedule?.skippedCount).toBe(23 - RUNS_MAX);
  world.agent = goodAgent;
  world.advance(HOUR_MS);
  expect(runs(world)).toEqual([RUNS_MAX + 1]);
});

test("a run that was given up does not hold up the next tick", () => {
  const world = new World().addNodes("a");
  world.nowMs = Date.parse("2026-11-21T10:30:00Z");
  world.agent = () => "failed";
  const template = { RestartPolicy: { Condition: "none" } } as const;
  world.createService({ mode: mode(), template }).advance(2 * HOUR_MS);
  expect(counters(world)).toEqual([2, 0, 0]);
});

test("a schedule that never comes again is left alone", () => {
  const world = worldWith();
  const { schedule, ...rest } = world.service();
  if (!schedule) throw new Error("no schedule");
  const service = { ...rest, schedule: { ...schedule, nextTickMs: 0 } };
  world.commit([{ kind: "putService", service }]);
  const { index } = world.store;
  expect(world.advance(24 * HOUR_MS).store.index).toBe(index);
});

test("the service is deleted while a run goes on", () => {
  const world = worldWith();
  world.agent = busyAgent;
  world.advance(HOUR_MS);
  expect(world.wanted()).toMatchObject([{ state: TASK_STATE.running }]);
  expect(
    world
      .removeService()
      .advance(24 * HOUR_MS)
      .tasks(),
  ).toEqual([]);
});
