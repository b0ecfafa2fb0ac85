/** How waits end, by what is seen when; how they are told; and what differs between specs. */
import { describe, expect, test } from "vitest";
import type { ApiRevision, ApiService, ApiTask } from "./api-types.js";
import { historyTable } from "./commands/service-rollback.js";
import { progressOf, refusalOf, type Snapshot } from "./convergence.js";
import { ExitError } from "./exit-codes.js";
import { specChanges } from "./spec-changes.js";
import { jsonReport } from "./wait-report.js";
import { type Goal, UNREACHABLE_MS, Waiting } from "./waiting.js";

type TaskSet = {
  desired?: string;
  err?: string;
  condition?: string;
  node?: string;
  run?: number;
  at?: number;
};

function task(slot: number, state: string, set: TaskSet = {}): ApiTask {
  return {
    ID: `t${slot}`,
    CreatedAt: `2026-01-01T00:00:0${set.at ?? 0}Z`,
    ServiceID: "s",
    Slot: slot,
    NodeID: set.node ?? "n1",
    DesiredState: set.desired ?? "running",
    Spec: { RestartPolicy: { Condition: set.condition ?? "any" } },
    ...(set.run === undefined ? {} : { JobIteration: { Index: set.run } }),
    Status: { State: state, Err: set.err ?? "" },
  };
}

type Mode = ApiService["Spec"]["Mode"];
const replicated = (Replicas: number): Mode => ({ Replicated: { Replicas } });

function snapshot(
  mode: Mode,
  tasks: readonly ApiTask[],
  set: { state?: string; message?: string; down?: readonly string[]; run?: number } = {},
): Snapshot {
  const service: ApiService = {
    ID: "s",
    Version: { Index: 1 },
    Spec: { Name: "web", Mode: mode, TaskTemplate: {} },
    ...(set.state ? { UpdateStatus: { State: set.state, Message: set.message ?? "why" } } : {}),
    ...(set.run === undefined ? {} : { JobStatus: { JobIteration: { Index: set.run } } }),
  };
  return { service, tasks, downNodes: new Set(set.down ?? []) };
}

describe("progress", () => {
  const done = { desired: "shutdown", condition: "none" };
  const rows: { name: string; seen: Snapshot; count: string }[] = [
    {
      name: "running tasks count once per slot",
      seen: snapshot(replicated(2), [task(1, "running"), task(1, "running"), task(2, "starting")]),
      count: "1/2",
    },
    {
      name: "a running task that is to stop does not count",
      seen: snapshot(replicated(1), [task(1, "running", { desired: "shutdown" })]),
      count: "0/1",
    },
    {
      name: "nor does one on a node that is down",
      seen: snapshot(replicated(1), [task(1, "running")], { down: ["n1"] }),
      count: "0/1",
    },
    {
      name: "a one-shot that finished counts",
      seen: snapshot(replicated(1), [task(1, "complete", done)]),
      count: "1/1",
    },
    {
      name: "one that is started again and again does not",
      seen: snapshot(replicated(1), [task(1, "complete", { desired: "shutdown" })]),
      count: "0/1",
    },
    {
      name: "nor one that failed",
      seen: snapshot(replicated(1), [task(1, "failed", done)]),
      count: "0/1",
    },
    {
      name: "the newest task of a slot decides",
      seen: snapshot(replicated(1), [
        task(1, "complete", done),
        task(1, "failed", { ...done, at: 1 }),
      ]),
      count: "0/1",
    },
    {
      name: "a global service counts nodes",
      seen: snapshot({ Global: {} }, [task(0, "running"), task(0, "starting", { node: "n2" })]),
      count: "1/2",
    },
    {
      name: "a job counts completed tasks of its run",
      seen: snapshot(
        { ReplicatedJob: { MaxConcurrent: 1, TotalCompletions: 3 } },
        [
          task(0, "complete", { run: 2 }),
          task(1, "complete", { run: 1 }),
          task(2, "running", { run: 2 }),
        ],
        { run: 2 },
      ),
      count: "1/3",
    },
    {
      name: "each slot once",
      seen: snapshot(
        { ReplicatedJob: { MaxConcurrent: 1, TotalCompletions: 2 } },
        [task(0, "complete", { run: 2 }), task(0, "complete", { run: 2 })],
        { run: 2 },
      ),
      count: "1/2",
    },
    {
      name: "a global job counts its nodes",
      seen: snapshot({ GlobalJob: {} }, [task(0, "complete", { run: 1 })], { run: 1 }),
      count: "1/1",
    },
  ];
  test.each(rows)("$name: $count", ({ seen, count }) => {
    const { running, wanted } = progressOf(seen);
    expect(`${running}/${wanted}`).toBe(count);
  });

  test("the refusal is the scheduler's own sentence, of a task that is to run now", () => {
    const err = "no suitable node (insufficient resources on 5 nodes)";
    const pending = (desired: string) =>
      snapshot(replicated(1), [task(1, "pending", { desired, err })]);
    expect(refusalOf(pending("running"))).toBe(err);
    expect(refusalOf(pending("ready"))).toBeUndefined();
    expect(refusalOf(pending("shutdown"))).toBeUndefined();
  });
});

type Step = readonly [atMs: number, seen: Snapshot | "lost"];

/** The end after the last of the steps; each one before it must not be an end. */
function endOf(
  steps: readonly Step[],
  set: { goal?: Goal; timeoutMs?: number; wasPaused?: boolean; isForced?: boolean } = {},
) {
  const { goal = "update", timeoutMs, wasPaused = false, isForced = false } = set;
  const waiting = new Waiting({ goal, timeoutMs, wasPaused, isForced }, 0);
  const ends = steps.map(([atMs, seen]) =>
    seen === "lost" ? waiting.lost("nobody", atMs) : waiting.see(seen, atMs).end,
  );
  expect(ends.slice(0, -1).filter(Boolean)).toEqual([]);
  return ends.at(-1);
}

describe("a wait", () => {
  const one = (state?: string, message?: string): Snapshot =>
    snapshot(replicated(1), [task(1, "running")], {
      ...(state ? { state } : {}),
      ...(message ? { message } : {}),
    });
  const none = (state?: string): Snapshot =>
    snapshot(replicated(1), [task(1, "starting")], state ? { state } : {});
  const refused = snapshot(replicated(1), [task(1, "pending", { err: "no suitable node (x)" })]);
  const failedOnce = snapshot(replicated(1), [
    task(1, "failed", { desired: "shutdown", condition: "none", err: "task: non-zero exit (3)" }),
  ]);
  const job = { ReplicatedJob: { MaxConcurrent: 1, TotalCompletions: 2 } };
  const halfDone = snapshot(
    job,
    [task(0, "complete", { run: 1 }), task(1, "failed", { run: 1, desired: "shutdown" })],
    { run: 1 },
  );
  const due = snapshot(job, [], { run: 1 });
  const scheduled: Snapshot = {
    ...due,
    service: { ...due.service, ScheduleStatus: { NextTick: "2026-11-22T02:00:00Z" } },
  };
  const rows: {
    name: string;
    steps: readonly Step[];
    set?: { goal?: Goal; timeoutMs?: number; wasPaused?: boolean; isForced?: boolean };
    result: string | undefined;
    exitCode?: number;
    text?: string;
  }[] = [
    {
      name: "stable",
      steps: [
        [0, one()],
        [4999, one()],
        [5000, one()],
      ],
      result: "converged",
      exitCode: 0,
    },
    {
      name: "not yet stable",
      steps: [
        [0, one()],
        [4999, one()],
      ],
      result: undefined,
    },
    {
      name: "unstable",
      steps: [
        [0, one()],
        [3000, none()],
        [4000, one()],
        [8999, one()],
      ],
      result: undefined,
    },
    { name: "completed by the managers", steps: [[0, one("completed")]], result: "converged" },
    {
      name: "still updating",
      steps: [
        [0, one("updating")],
        [60_000, one("updating")],
      ],
      result: undefined,
    },
    { name: "paused", steps: [[0, one("paused")]], result: "paused", exitCode: 3, text: "why" },
    {
      name: "scaled while paused",
      steps: [
        [0, one("paused")],
        [5000, one("paused")],
      ],
      set: { goal: "scale", wasPaused: true },
      result: "converged",
      text: "its update stays paused: why",
    },
    {
      name: "rolled back",
      steps: [
        [0, none("updating")],
        [1, one("rollback_started", "task t failed")],
        [2, one("rollback_completed", "rollback completed")],
      ],
      result: "rolled-back",
      exitCode: 2,
      text: "task t failed",
    },
    {
      name: "a rollback that was asked for",
      steps: [
        [0, one("rollback_started")],
        [1, one("rollback_completed")],
      ],
      set: { goal: "rollback" },
      result: "converged",
      exitCode: 0,
    },
    {
      name: "a rollback that failed",
      steps: [
        [0, one("rollback_started")],
        [1, one("rollback_paused")],
      ],
      set: { goal: "rollback" },
      result: "paused",
      exitCode: 3,
    },
    {
      name: "late",
      steps: [
        [0, none()],
        [1001, none()],
      ],
      set: { timeoutMs: 1000 },
      result: "timed-out",
      exitCode: 4,
    },
    {
      name: "not late while it is watched",
      steps: [
        [0, none()],
        [900, one()],
        [2000, one()],
      ],
      set: { timeoutMs: 1000 },
      result: undefined,
    },
    {
      name: "unschedulable",
      steps: [
        [0, refused],
        [5001, refused],
      ],
      result: "unschedulable",
      exitCode: 5,
      text: "no suitable node (x)",
    },
    {
      name: "schedulable again",
      steps: [
        [0, refused],
        [3000, none()],
        [5001, refused],
      ],
      result: undefined,
    },
    {
      name: "a one-shot that failed for good",
      steps: [[0, failedOnce]],
      result: "failed",
      exitCode: 1,
      text: "non-zero exit (3)",
    },
    {
      name: "no manager for a while",
      steps: [
        [0, none()],
        [1, "lost"],
        [UNREACHABLE_MS, "lost"],
      ],
      result: undefined,
    },
    {
      name: "no manager for long",
      steps: [
        [0, "lost"],
        [UNREACHABLE_MS, "lost"],
      ],
      result: "failed",
      exitCode: 1,
      text: "nobody",
    },
    {
      name: "no manager until the timeout",
      steps: [
        [0, "lost"],
        [1001, "lost"],
      ],
      set: { timeoutMs: 1000 },
      result: "timed-out",
      exitCode: 4,
    },
    {
      name: "stability is watched anew after nobody answered",
      steps: [
        [0, one()],
        [4000, "lost"],
        [5000, one()],
        [9999, one()],
      ],
      result: undefined,
    },
    {
      name: "a global service without tasks yet",
      steps: [
        [0, snapshot({ Global: {} }, [])],
        [9000, snapshot({ Global: {} }, [])],
      ],
      result: undefined,
    },
    {
      name: "a job that is done",
      steps: [
        [
          0,
          snapshot(
            { ReplicatedJob: { MaxConcurrent: 1, TotalCompletions: 1 } },
            [task(0, "complete", { run: 1 })],
            {
              run: 1,
            },
          ),
        ],
      ],
      result: "converged",
    },
    {
      name: "a job of which one task failed for good",
      steps: [
        [0, halfDone],
        [5001, halfDone],
      ],
      result: "failed",
      exitCode: 3,
      text: "1 of 2 tasks completed",
    },
    {
      name: "a job that is not due yet",
      steps: [[0, scheduled]],
      result: "converged",
      text: "job web runs next at 2026-11-22T02:00:00Z",
    },
    {
      name: "a job that is run now",
      steps: [[0, scheduled]],
      set: { isForced: true },
      result: undefined,
    },
    {
      name: "a service of no replicas",
      steps: [
        [0, snapshot(replicated(0), [])],
        [5000, snapshot(replicated(0), [])],
      ],
      result: "converged",
    },
  ];
  test.each(rows)("$name: $result", ({ steps, set, result, exitCode, text }) => {
    const end = endOf(steps, set);
    expect(end?.result).toBe(result);
    if (exitCode !== undefined) expect(end?.exitCode).toBe(exitCode);
    if (text !== undefined) expect(end?.message).toContain(text);
  });
});

test("--json tells each change once, one object per line, and the end with its code", () => {
  const lines: string[] = [];
  const streams = {
    out: (text: string) => lines.push(text),
    err: () => undefined,
    isTerminal: false,
  };
  const report = jsonReport(streams, () => 0);
  const progress = { running: 1, wanted: 2, error: "", verb: "overall" as const };
  const seen = { progress, stableInSec: undefined, end: undefined };
  report.accepted("s", "web", ["careful"]);
  report.seen("s", seen);
  report.seen("s", seen);
  const end = { result: "paused", exitCode: 3, message: "m" } as const;
  expect(() => report.ended("s", end)).toThrow(ExitError);
  const time = "1970-01-01T00:00:00.000Z";
  expect(lines.every((line) => line.endsWith("\n"))).toBe(true);
  expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
    { time, event: "accepted", service: "s", warnings: ["careful"] },
    {
      time,
      event: "progress",
      service: "s",
      running: 1,
      wanted: 2,
      isRollingBack: false,
      isStable: false,
      error: "",
    },
    { time, event: "end", service: "s", result: "paused", exitCode: 3, message: "m" },
  ]);
});

test("a history shows what each spec changed", () => {
  const revision = (
    version: number,
    Spec: object,
    set: Partial<ApiRevision> = {},
  ): ApiRevision => ({
    Version: { Index: version },
    CreatedAt: "2026-01-01T00:00:00Z",
    Cause: "client",
    IsPresent: false,
    Spec: Spec as ApiRevision["Spec"],
    ...set,
  });
  const spec = (Image: string, rest: object = {}) => ({
    TaskTemplate: { ContainerSpec: { Image, ...rest } },
  });
  const rows = historyTable(
    [
      revision(9, spec("a:1"), { IsPresent: true, Cause: "automatic rollback" }),
      revision(7, spec("a:2", { Env: ["X=1"] }), { By: "m2" }),
      revision(3, spec("a:1")),
    ],
    Date.parse("2026-01-01T00:02:00Z"),
  ).map((row) => row.split(/ {3,}/));
  expect(rows).toEqual([
    ["VERSION", "WHEN", "BY", "IMAGE", "CHANGE"],
    ["9 *", "2 minutes ago", "automatic rollback", "a:1", "Env removed, image a:2 → a:1"],
    ["7", "2 minutes ago", "m2", "a:2", "Env added, image a:1 → a:2"],
    ["3", "2 minutes ago", "-", "a:1", "first one kept"],
  ]);
});

test.each<{ name: string; before: object; after: object; changes: string[] }>([
  { name: "nothing", before: { a: { b: [1] } }, after: { a: { b: [1] } }, changes: [] },
  {
    name: "the order of members",
    before: { a: [{ x: 1, y: 2 }] },
    after: { a: [{ y: 2, x: 1 }] },
    changes: [],
  },
  {
    name: "the scale",
    before: { Mode: { Replicated: { Replicas: 3 } } },
    after: { Mode: { Replicated: { Replicas: 5 } } },
    changes: ["replicas 3 → 5"],
  },
  { name: "a list", before: { Ports: [1] }, after: { Ports: [2] }, changes: ["Ports changed"] },
  {
    name: "a label",
    before: { Labels: {} },
    after: { Labels: { a: "b" } },
    changes: ["Labels.a added"],
  },
])("what differs: $name", ({ before, after, changes }) => {
  expect(specChanges(before, after)).toEqual(changes);
});
