import { describe, expect, test } from "vitest";
import { commandText } from "./command-text.js";
import { humanDuration, type RunView, statusText } from "./human-duration.js";
import { formatDetails, formatLogTime, parseLogTime, parseTail } from "./log-line.js";

const SEC = 1_000;
const HOUR = 3_600 * SEC;

test.each([
  [0, "Less than a second"],
  [SEC, "1 second"],
  [59 * SEC, "59 seconds"],
  [60 * SEC, "About a minute"],
  [119 * SEC, "About a minute"],
  [120 * SEC, "2 minutes"],
  [59 * 60 * SEC, "59 minutes"],
  [60 * 60 * SEC, "About an hour"],
  [90 * 60 * SEC, "2 hours"],
  [47 * HOUR, "47 hours"],
  [48 * HOUR, "2 days"],
  [15 * 24 * HOUR, "2 weeks"],
  [70 * 24 * HOUR, "2 months"],
  [800 * 24 * HOUR, "2 years"],
])("%i ms is %s", (ms, text) => {
  expect(humanDuration(ms)).toBe(text);
});

test.each<{ run: RunView; want: string }>([
  { run: { state: "created" }, want: "Created" },
  { run: { state: "running", startedAtMs: 0, health: undefined }, want: "Up 25 seconds" },
  {
    run: { state: "running", startedAtMs: 0, health: "starting" },
    want: "Up 25 seconds (health: starting)",
  },
  {
    run: { state: "running", startedAtMs: 0, health: "unhealthy" },
    want: "Up 25 seconds (unhealthy)",
  },
  { run: { state: "exited", finishedAtMs: 5_000, exitCode: 3 }, want: "Exited (3) 20 seconds ago" },
])("status: $want", ({ run, want }) => {
  expect(statusText(run, 25_000)).toBe(want);
});

describe("log lines", () => {
  test("time stamps have nine decimals", () => {
    expect(formatLogTime("1700000000123456789")).toBe("2023-11-14T22:13:20.123456789Z");
    expect(formatLogTime("1700000000000000000")).toBe("2023-11-14T22:13:20.000000000Z");
  });

  test.each([
    ["", ""],
    ["0", ""],
    ["1700000000", "1700000000000000000"],
    ["1700000000.5", "1700000000500000000"],
    ["1700000000.000000001", "1700000000000000001"],
    ["2023-11-14T22:13:20.25Z", "1700000000250000000"],
    ["2023-11-14T23:13:20+01:00", "1700000000000000000"],
    ["yesterday", undefined],
    ["-5", undefined],
  ])("since=%s", (text, want) => {
    expect(parseLogTime(text)).toBe(want);
  });

  test.each([
    ["", "all"],
    ["all", "all"],
    ["0", 0],
    ["15", 15],
    ["-1", undefined],
    ["1.5", undefined],
    ["x", undefined],
  ])("tail=%s", (text, want) => {
    expect(parseTail(text)).toBe(want);
  });

  test("details are sorted and escaped", () => {
    expect(formatDetails({ b: "x y", a: "1,2" })).toBe("a=1%2C2,b=x%20y");
  });
});

test("a command line shows words with blanks in quotes", () => {
  expect(commandText(["/bin/sh", "-c", "echo out; sleep 1"])).toBe(
    "/bin/sh -c 'echo out; sleep 1'",
  );
});
