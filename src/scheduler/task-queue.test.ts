import { expect, test } from "vitest";
import type { Task } from "../api/index.js";
import { TaskQueue } from "./task-queue.js";

const task = (id: string, slot = 0): Task => ({ id, slot }) as unknown as Task;
const shown = (queue: TaskQueue) => [...queue.values()].map(({ id, slot }) => `${id}${slot}`);

test("one task, several, and one again are the same to whoever looks", () => {
  const queue = new TaskQueue();
  expect([queue.size, shown(queue), queue.delete("a")]).toEqual([0, [], false]);
  queue.put(task("a"));
  queue.put(task("a", 1));
  expect([queue.size, shown(queue), queue.delete("b")]).toEqual([1, ["a1"], false]);
  queue.put(task("b"));
  queue.put(task("a", 2));
  queue.put(task("c"));
  expect([queue.size, shown(queue)]).toEqual([3, ["a2", "b0", "c0"]]);
  expect([queue.delete("a"), queue.delete("a"), shown(queue)]).toEqual([true, false, ["b0", "c0"]]);
});

test.each([1, 3])("each of %i tasks may be deleted as it is visited", (count) => {
  const queue = new TaskQueue();
  for (let i = 0; i < count; i++) queue.put(task(`t${i}`));
  const seen: string[] = [];
  for (const { id } of queue.values()) {
    seen.push(id);
    queue.delete(id);
  }
  expect([seen.length, queue.size]).toEqual([count, 0]);
});
