import { expect, test } from "vitest";
import { type AssignmentMessage, planAssignments } from "./assignment-set.js";
import type { Assignment } from "./types.js";

const task = (taskId: string): Assignment => ({ taskId }) as Assignment;

function message(change: Partial<AssignmentMessage>): AssignmentMessage {
  return {
    isComplete: false,
    appliesTo: 0,
    resultsIn: 9,
    tasks: [],
    removedTaskIds: [],
    ...change,
  };
}

test.each([
  {
    name: "a complete set withdraws what it does not name",
    index: 5,
    known: ["c", "a", "b"],
    message: message({ isComplete: true, tasks: [task("b"), task("d")] }),
    want: { kind: "apply", index: 9, tasks: [task("b"), task("d")], withdrawnIds: ["a", "c"] },
  },
  {
    name: "an increment on what we have is applied",
    index: 5,
    known: ["a", "b"],
    message: message({ appliesTo: 5, tasks: [task("c")], removedTaskIds: ["a"] }),
    want: { kind: "apply", index: 9, tasks: [task("c")], withdrawnIds: ["a"] },
  },
  {
    name: "an increment on something else is a gap",
    index: 5,
    known: [],
    message: message({ appliesTo: 6 }),
    want: { kind: "gap" },
  },
  {
    name: "an increment on nothing is a gap",
    index: 0,
    known: [],
    message: message({ appliesTo: 0 }),
    want: { kind: "gap" },
  },
])("$name", ({ index, known, message: given, want }) => {
  expect(planAssignments(index, known, given)).toEqual(want);
});
