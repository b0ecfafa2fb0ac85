import { expect, test, vi } from "vitest";
import { runInside } from "./namespaces.js";

const OWN = 3;
const TARGET = 9;

/** Keeps where the thread is, as the kernel would. */
function fakeLibc(refused: readonly number[]) {
  const libc = {
    at: OWN,
    exits: [] as number[],
    errno: () => 1,
    setns: (fd: number) => {
      if (refused.includes(fd)) return -1;
      libc.at = fd;
      return 0;
    },
    exitNow: (status: number) => {
      libc.exits.push(status);
    },
  };
  return libc;
}

test("runs in the other namespace and comes back", () => {
  const libc = fakeLibc([]);
  expect(runInside(libc, OWN, TARGET, "netns x", () => libc.at)).toBe(TARGET);
  expect(libc).toMatchObject({ at: OWN, exits: [] });
});

test("comes back from what throws", () => {
  const libc = fakeLibc([]);
  const run = (): void =>
    runInside(libc, OWN, TARGET, "netns x", () => {
      throw new Error("inside");
    });
  expect(run).toThrow("inside");
  expect(libc).toMatchObject({ at: OWN, exits: [] });
});

test("runs nothing when it cannot get there", () => {
  const libc = fakeLibc([TARGET]);
  const run = vi.fn();
  expect(() => runInside(libc, OWN, TARGET, "netns x", run)).toThrow(/setns netns x: EPERM/);
  expect(run).not.toHaveBeenCalled();
  expect(libc.exits).toEqual([]);
});

test("ends the process when it cannot come back", () => {
  const libc = fakeLibc([OWN]);
  runInside(libc, OWN, TARGET, "netns x", () => undefined);
  expect(libc.exits).toEqual([70]);
});
