import { expect, test } from "vitest";
import { TASK_STATE } from "../../../api/index.js";
import { sampleTask } from "../../testing/samples.js";
import { judgeStatus } from "./status-rules.js";

const running = sampleTask({ id: "a", state: TASK_STATE.running, message: "started", pid: 7 });
const same = {
  state: TASK_STATE.running,
  message: "started",
  err: "",
  containerId: "",
  pid: 7,
  exitCode: 0,
  portStatus: [],
};

test.each([
  { name: "a higher state is written", report: { ...same, state: TASK_STATE.failed }, is: "write" },
  { name: "an identical one is dropped", report: same, is: "drop" },
  {
    name: "the same state with news is written",
    report: { ...same, message: "healthy" },
    is: "write",
  },
  { name: "a lower state is dropped", report: { ...same, state: TASK_STATE.starting }, is: "drop" },
  {
    name: "a state before accepted is not the agent's",
    report: { ...same, state: TASK_STATE.assigned },
    is: "reject",
  },
  {
    name: "orphaned is the managers' word",
    report: { ...same, state: TASK_STATE.orphaned },
    is: "reject",
  },
  {
    name: "a port that became known is news",
    report: { ...same, portStatus: [{ protocol: "tcp", targetPort: 80, publishedPort: 8080 }] },
    is: "write",
  },
] as const)("$name", ({ report, is }) => {
  expect(judgeStatus(report, running, "n1")).toBe(is);
});

test("a status of another node's task is rejected, of a deleted task dropped", () => {
  expect(judgeStatus(same, running, "n2")).toBe("reject");
  expect(judgeStatus(same, undefined, "n1")).toBe("drop");
});
