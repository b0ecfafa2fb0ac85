import { expect, test } from "vitest";
import { TASK_STATE } from "../../../api/index.js";
import type { TaskStatus } from "../task/types.js";
import { BATCH_MAX, IN_FLIGHT_MAX, StatusQueue } from "./status-queue.js";

function status(taskId: string, state: keyof typeof TASK_STATE, atMs = 1): TaskStatus {
  return {
    taskId,
    state: TASK_STATE[state],
    atMs,
    message: "",
    err: "",
    containerId: "",
    pid: 0,
    exitCode: 0,
    portStatus: [],
  };
}

const ids = (queue: StatusQueue): readonly string[][] =>
  queue.take().map((batch) => batch.statuses.map((s) => `${s.taskId}:${s.state}`));

test("statuses leave in the order of their last change, one per task", () => {
  const queue = new StatusQueue();
  queue.put(status("a", "running"));
  queue.put(status("b", "running"));
  queue.put(status("a", "failed"));
  expect(ids(queue)).toEqual([["b:512", "a:704"]]);
});

test("a late lower state does not replace a higher one", () => {
  const queue = new StatusQueue();
  queue.put(status("a", "failed"));
  queue.put(status("a", "running"));
  expect(ids(queue)).toEqual([["a:704"]]);
});

test("no more than the allowed batches are under way, an acknowledgement makes room", () => {
  const queue = new StatusQueue();
  const count = BATCH_MAX * (IN_FLIGHT_MAX + 1);
  for (let i = 0; i < count; i += 1) queue.put(status(`t${i}`, "running"));
  const batches = queue.take();
  expect(batches.map((batch) => batch.seq)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  expect(queue.take()).toEqual([]);
  queue.acknowledge(3);
  expect(queue.take().map((batch) => [batch.seq, batch.statuses.length])).toEqual([[9, BATCH_MAX]]);
});

test("a new session tells everything again, in the order it happened", () => {
  const queue = new StatusQueue();
  queue.put(status("a", "failed", 20));
  queue.take();
  queue.restart([status("a", "failed", 20), status("b", "complete", 10)]);
  expect(ids(queue)).toEqual([["b:576", "a:704"]]);
  queue.acknowledge(1); // of the session before: hits nothing
  expect(queue.size).toBe(2);
  queue.acknowledge(2);
  expect(queue.size).toBe(0);
});

test("a forgotten task is not told of", () => {
  const queue = new StatusQueue();
  queue.put(status("a", "running"));
  queue.forget("a");
  expect(queue.take()).toEqual([]);
});
