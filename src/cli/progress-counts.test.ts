/** What a wait counts while services of each mode come up, change and fail. */
import { expect, test } from "vitest";
import type { ApiService, ApiTask } from "./api-types.js";
import type { Snapshot } from "./convergence.js";
import { progressOf } from "./convergence.js";
import { ProgressLine } from "./progress.js";

type Mode = ApiService["Spec"]["Mode"];

function task(slot: number, state: string, set: Partial<ApiTask> = {}): ApiTask {
  return {
    ID: `t${slot}${state}`,
    CreatedAt: "2026-01-01T00:00:00Z",
    ServiceID: "s",
    Slot: slot,
    NodeID: "n1",
    DesiredState: "running",
    Spec: {},
    Status: { State: state, Err: "" },
    ...set,
  };
}

function seen(mode: Mode, tasks: readonly ApiTask[], run?: number): Snapshot {
  const service: ApiService = {
    ID: "s",
    Version: { Index: 1 },
    Spec: { Name: "web", Mode: mode, TaskTemplate: {} },
    ...(run === undefined ? {} : { JobStatus: { JobIteration: { Index: run } } }),
  };
  return { service, tasks, downNodes: new Set() };
}

/** The lines that a pipe gets, one per change. */
function lines(...snapshots: readonly Snapshot[]): string[] {
  const out: string[] = [];
  const line = new ProgressLine(false, (text) => out.push(text.trimEnd()));
  for (const snapshot of snapshots) line.show(progressOf(snapshot), undefined);
  return out;
}

const replicated = (Replicas: number): Mode => ({ Replicated: { Replicas } });
const count = (done: number, wanted: number) => `overall progress: ${done} out of ${wanted} tasks`;

test("a new service counts from none to all of its replicas", () => {
  const steps = ["new", "pending", "preparing", "running"].map((state) =>
    seen(replicated(2), [task(1, state), task(2, "running")]),
  );
  expect(lines(seen(replicated(2), []), ...steps)).toEqual([count(0, 2), count(1, 2), count(2, 2)]);
});

test("scaling counts against the new number, up and down", () => {
  const three = [task(1, "running"), task(2, "running"), task(3, "running")];
  expect(lines(seen(replicated(5), three), seen(replicated(1), three))).toEqual([
    count(3, 5),
    count(1, 1),
  ]);
});

test("start-first: two tasks of one slot count once", () => {
  const both = [task(1, "running"), task(1, "running", { ID: "new" }), task(2, "starting")];
  expect(lines(seen(replicated(2), both))).toEqual([count(1, 2)]);
});

test("the error of the newest task is told, cut to a line", () => {
  const Err = `no such image ${"x".repeat(100)}`;
  const older = task(1, "rejected", { Status: { State: "rejected", Err: "older" } });
  const newer = task(1, "rejected", {
    CreatedAt: "2026-01-01T00:00:01Z",
    Status: { State: "rejected", Err },
  });
  expect(lines(seen(replicated(1), [older, newer]))).toEqual([
    `${count(0, 1)} (${Err.slice(0, 75)})`,
  ]);
});

test("a global service counts the nodes that have a task", () => {
  const tasks = [task(0, "running"), task(0, "starting", { NodeID: "n2", ID: "b" })];
  expect(lines(seen({ Global: {} }, tasks))).toEqual([count(1, 2)]);
});

test("a job of 20,000 completions is one number", () => {
  const TotalCompletions = 20_000;
  const job: Mode = { ReplicatedJob: { MaxConcurrent: 500, TotalCompletions } };
  const JobIteration = { Index: 3 };
  const tasks = Array.from({ length: TotalCompletions }, (_, slot) =>
    task(slot, slot % 2 === 0 ? "complete" : "running", { JobIteration, DesiredState: "complete" }),
  );
  expect(lines(seen(job, tasks, 3))).toEqual(["job progress: 10000 out of 20000 tasks"]);
});

test("a global job counts the nodes on which it has completed", () => {
  const JobIteration = { Index: 0 };
  const on = (NodeID: string, state: string) =>
    task(0, state, { NodeID, ID: NodeID, JobIteration, DesiredState: "complete" });
  expect(lines(seen({ GlobalJob: {} }, [on("n1", "complete"), on("n2", "running")], 0))).toEqual([
    "job progress: 1 out of 2 tasks",
  ]);
});
