import { expect, test } from "vitest";
import { SystemClock } from "./clock.js";
import { TaskGroup } from "./task-group.js";

test("many loops wait on the group's signal without a warning", async () => {
  const warnings: string[] = [];
  const onWarning = (warning: Error): void => {
    warnings.push(warning.name);
  };
  process.on("warning", onWarning);
  const failures: string[] = [];
  const group = new TaskGroup((name) => failures.push(name));
  for (let i = 0; i < 200; i++)
    group.run(`loop ${i}`, (signal) => new SystemClock().sleep(60_000, signal));
  // Warnings are emitted on the next tick.
  await new Promise((resolve) => setImmediate(resolve));
  await group[Symbol.asyncDispose]();
  process.off("warning", onWarning);
  expect(warnings).toEqual([]);
  expect(failures).toEqual([]);
});

test("the first failure is told by the loop's name; the others run on", async () => {
  const failures: unknown[] = [];
  await using group = new TaskGroup((name, error) => failures.push([name, error]));
  const broken = new Error("broken");
  group.run("steady", (signal) => new SystemClock().sleep(60_000, signal));
  group.run("bad", () => Promise.reject(broken));
  await new Promise((resolve) => setImmediate(resolve));
  expect(failures).toEqual([["bad", broken]]);
  expect(group.signal.aborted).toBe(false);
});
