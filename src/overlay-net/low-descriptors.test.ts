import { expect, test } from "vitest";
import { moveHigh } from "./low-descriptors.js";

test.each([
  { name: "a low one is duplicated and closed", fd: 5, high: 1024, result: 1024, closed: [5] },
  { name: "a high one stays", fd: 1500, high: 1501, result: 1500, closed: [] },
  { name: "without room above it stays", fd: 5, high: -1, result: 5, closed: [] },
  { name: "a failure is passed on", fd: -1, high: 1024, result: -1, closed: [] },
])("$name", ({ fd, high, result, closed }) => {
  const closedOnes: number[] = [];
  const calls = {
    duplicateFrom: () => high,
    close: (one: number) => {
      closedOnes.push(one);
      return 0;
    },
  };
  expect(moveHigh(calls, fd)).toBe(result);
  expect(closedOnes).toEqual(closed);
});
