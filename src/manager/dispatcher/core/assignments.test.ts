import { expect, test } from "vitest";
import { TASK_STATE, type Task } from "../../../api/index.js";
import { sampleTask } from "../../testing/samples.js";
import { AssignmentTracker } from "./assignments.js";

const t = (id: string, change: Partial<Task> = {}): Task => sampleTask({ id, ...change });

test("the complete set has this node's tasks from assigned on, finished ones too", () => {
  const diff = new AssignmentTracker("n1").complete(
    [
      t("a"),
      t("b", { state: TASK_STATE.pending }),
      t("c", { nodeId: "n2" }),
      t("d", { state: TASK_STATE.failed, desiredState: TASK_STATE.shutdown }),
    ],
    9,
  );
  expect(diff).toMatchObject({ isComplete: true, appliesTo: 0, resultsIn: 9, removedTaskIds: [] });
  expect(diff.tasks.map((task) => task.id)).toEqual(["a", "d"]);
});

const known = [t("a"), t("b")];
test.each<{
  name: string;
  now: readonly Task[];
  changed: readonly string[];
  tasks: readonly string[];
  removed: readonly string[];
}>([
  {
    name: "a new task is sent",
    now: [...known, t("c")],
    changed: ["c"],
    tasks: ["c"],
    removed: [],
  },
  {
    name: "a deleted task is taken away",
    now: [t("b")],
    changed: ["a"],
    tasks: [],
    removed: ["a"],
  },
  {
    name: "a new desired state is sent",
    now: [t("a", { desiredState: TASK_STATE.shutdown }), t("b")],
    changed: ["a"],
    tasks: ["a"],
    removed: [],
  },
  {
    name: "a start time is sent",
    now: [t("a", { notBeforeMs: 5 }), t("b")],
    changed: ["a"],
    tasks: ["a"],
    removed: [],
  },
])("$name", ({ now, changed, tasks, removed }) => {
  const tracker = new AssignmentTracker("n1");
  tracker.complete(known, 9);
  const diff = tracker.incremental(changed, (id) => now.find((task) => task.id === id), 12);
  expect(diff).toMatchObject({ isComplete: false, appliesTo: 9, resultsIn: 12 });
  expect(diff?.tasks.map((task) => task.id)).toEqual(tasks);
  expect(diff?.removedTaskIds).toEqual(removed);
});

test.each([
  { name: "the agent's own status is not echoed", task: t("a", { state: TASK_STATE.running }) },
  { name: "another node's task is none of its business", task: t("x", { nodeId: "n2" }) },
  { name: "a task that is not assigned yet waits", task: t("y", { state: TASK_STATE.pending }) },
])("nothing is sent: $name", ({ task }) => {
  const tracker = new AssignmentTracker("n1");
  tracker.complete(known, 9);
  expect(tracker.incremental([task.id], () => task, 12)).toBeUndefined();
});

test("increments chain: each applies to the one before", () => {
  const tracker = new AssignmentTracker("n1");
  tracker.complete([], 1);
  const first = tracker.incremental(["a"], () => t("a"), 5);
  const second = tracker.incremental(["b"], () => t("b"), 8);
  expect([first?.appliesTo, first?.resultsIn, second?.appliesTo, second?.resultsIn]).toEqual([
    1, 5, 5, 8,
  ]);
});
