import { expect, test } from "vitest";
import { TASK_STATE } from "../../../api/index.js";
import { outcomeOfExit, outcomeOfFailure, retryDelayMs } from "./outcome.js";

test.each([
  {
    name: "exit 0 is complete",
    exitCode: 0,
    isOomKilled: false,
    cause: "",
    state: "complete",
    err: "",
  },
  {
    name: "another exit is a failure with its number",
    exitCode: 3,
    isOomKilled: false,
    cause: "",
    state: "failed",
    err: "task: non-zero exit (3)",
  },
  {
    name: "the kernel's memory killer is named",
    exitCode: 137,
    isOomKilled: true,
    cause: "",
    state: "failed",
    err: "task: non-zero exit (137): out of memory",
  },
  {
    name: "an unhealthy container is a failure",
    exitCode: 143,
    isOomKilled: false,
    cause: "unhealthy container",
    state: "failed",
    err: "task: non-zero exit (143): unhealthy container",
  },
  {
    name: "even if it ends politely",
    exitCode: 0,
    isOomKilled: false,
    cause: "unhealthy container",
    state: "failed",
    err: "task: unhealthy container",
  },
] as const)("$name", ({ exitCode, isOomKilled, cause, state, err }) => {
  const outcome = outcomeOfExit({ exitCode, isOomKilled }, cause);
  expect(outcome).toMatchObject({ state: TASK_STATE[state], err, exitCode });
});

test("an error before starting rejects the task, a later one fails it", () => {
  expect(outcomeOfFailure(TASK_STATE.preparing, "x").state).toBe(TASK_STATE.rejected);
  expect(outcomeOfFailure(TASK_STATE.ready, "x").state).toBe(TASK_STATE.rejected);
  expect(outcomeOfFailure(TASK_STATE.starting, "x").state).toBe(TASK_STATE.failed);
});

test("retries slow down to 5 s", () => {
  expect([0, 1, 2, 3, 4, 5, 50].map(retryDelayMs)).toEqual([
    250, 500, 1000, 2000, 4000, 5000, 5000,
  ]);
});
