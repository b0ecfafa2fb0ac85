import { describe, expect, test } from "vitest";
import { TASK_STATE, type TaskState, type TaskStateName } from "../../../api/index.js";
import { decideStep, type TaskView } from "./step.js";

const S = TASK_STATE;

function view(change: Partial<TaskView>): TaskView {
  return {
    state: S.assigned,
    desired: S.running,
    notBeforeMs: 0,
    sinceMs: 0,
    isUnannounced: false,
    nowMs: 1_000,
    isWithdrawn: false,
    hasNetwork: false,
    hasRemains: false,
    ...change,
  };
}

/** Every observed state against every desired one: `>x` is a transition to x, `-` is wait. */
const OBSERVED = [
  "assigned",
  "accepted",
  "preparing",
  "ready",
  "starting",
  "running",
  "complete",
  "shutdown",
  "failed",
  "rejected",
] as const satisfies readonly TaskStateName[];
const MATRIX: Readonly<Record<string, string>> = {
  //         assigned   accepted   preparing ready     starting running complete shutdown failed rejected
  ready: "  >accepted  >preparing prepare   -         -        -       -        -        -      -",
  running: ">accepted  >preparing prepare   >starting start    watch   -        -        -      -",
  complete: ">accepted >preparing prepare   >starting start    watch   -        -        -      -",
  shutdown: "stop      stop       stop      stop      stop     stop    -        -        -      -",
  remove: " stop       stop       stop      stop      stop     stop    -        -        -      -",
};

const rows = Object.entries(MATRIX).flatMap(([desired, line]) =>
  line
    .trim()
    .split(/\s+/)
    .map((want, i) => ({ observed: OBSERVED[i] ?? "assigned", desired, want })),
);

describe("observed against desired", () => {
  test.each(rows)("$observed, wanted $desired: $want", ({ observed, desired, want }) => {
    const step = decideStep(
      view({ state: S[observed], desired: S[desired as keyof typeof TASK_STATE] }),
    );
    const names = new Map<TaskState, string>(
      Object.entries(S).map(([name, value]) => [value, name]),
    );
    const text = step.kind === "transition" ? `>${names.get(step.to)}` : step.kind;
    expect(text === "wait" ? "-" : text).toBe(want);
  });
});

test("the matrix names every combination", () => {
  expect(rows.length).toBe(OBSERVED.length * Object.keys(MATRIX).length);
});

test.each<{ name: string; task: Partial<TaskView>; want: object }>([
  {
    name: "a replacement waits for its restart delay",
    task: { state: S.ready, notBeforeMs: 1_001 },
    want: { kind: "waitUntil", atMs: 1_001 },
  },
  {
    name: "and starts when it is over",
    task: { state: S.ready, notBeforeMs: 1_000 },
    want: { kind: "transition", to: S.starting, message: "starting" },
  },
  {
    name: "a task that the other nodes do not know yet waits for them",
    task: { state: S.ready, isUnannounced: true, sinceMs: 900 },
    want: { kind: "waitUntil", atMs: 2_900 },
  },
  {
    name: "for two seconds",
    task: { state: S.ready, isUnannounced: true, sinceMs: 900, nowMs: 2_900 },
    want: { kind: "transition", to: S.starting, message: "starting" },
  },
  {
    name: "a failed task gives its host ports back at once",
    task: { state: S.failed, hasNetwork: true, hasRemains: true },
    want: { kind: "release" },
  },
  {
    name: "a failed task keeps its container and logs",
    task: { state: S.failed, hasRemains: true },
    want: { kind: "wait" },
  },
  {
    name: "a stopped task of the history keeps its container too",
    task: { state: S.shutdown, desired: S.shutdown, hasRemains: true },
    want: { kind: "wait" },
  },
  {
    name: "a removed task loses its network first",
    task: { state: S.shutdown, desired: S.remove, hasNetwork: true, hasRemains: true },
    want: { kind: "release" },
  },
  {
    name: "then its container",
    task: { state: S.shutdown, desired: S.remove, hasRemains: true },
    want: { kind: "discard" },
  },
  {
    name: "its record stays until the managers forget it",
    task: { state: S.shutdown, desired: S.remove },
    want: { kind: "wait" },
  },
  {
    name: "a task the managers forgot is stopped first",
    task: { state: S.running, isWithdrawn: true, hasNetwork: true, hasRemains: true },
    want: { kind: "stop" },
  },
  {
    name: "a forgotten task that ended loses what it had",
    task: { state: S.complete, isWithdrawn: true, hasRemains: true },
    want: { kind: "discard" },
  },
  {
    name: "and is forgotten here too",
    task: { state: S.complete, isWithdrawn: true },
    want: { kind: "erase" },
  },
])("$name", ({ task, want }) => {
  expect(decideStep(view(task))).toEqual(want);
});
