import { expect, test } from "vitest";
import { createLogger } from "./create-logger.js";

function linesOf(write: (logger: ReturnType<typeof createLogger>) => void): unknown[] {
  const lines: unknown[] = [];
  const output = { write: (line: string) => lines.push(JSON.parse(line)) };
  write(createLogger("info", { program: "net", node: "m1" }, output));
  return lines;
}

test("a line names program, node and an ISO time", () => {
  expect(linesOf((logger) => logger.info({ port: 2377 }, "listening"))).toEqual([
    {
      level: 30,
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      program: "net",
      node: "m1",
      port: 2377,
      msg: "listening",
    },
  ]);
});

test.each([{ field: "error" }, { field: "err" }])(
  "an error in the field $field keeps its message and stack, also through a child",
  ({ field }) => {
    const [line] = linesOf((logger) => {
      logger.child({ taskId: "t1" }).error({ [field]: new Error("disk is full") }, "failed");
    });
    expect(line).toMatchObject({
      taskId: "t1",
      [field]: { message: "disk is full", stack: expect.stringContaining("Error: disk is full") },
    });
  },
);

test("an error that is text already stays text", () => {
  expect(linesOf((logger) => logger.warn({ error: "gone" }, "failed"))).toMatchObject([
    { error: "gone" },
  ]);
});
