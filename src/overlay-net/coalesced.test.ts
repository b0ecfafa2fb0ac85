import { expect, test } from "vitest";
import { Coalesced } from "./coalesced.js";

test("those that ask while it runs share one later run; a failed run is not the next one's", async () => {
  const ends: (() => void)[] = [];
  let runs = 0;
  const work = new Coalesced(async () => {
    runs++;
    const run = runs;
    await new Promise<void>((resolve) => ends.push(resolve));
    if (run === 1) throw new Error("first");
    return run;
  });
  const first = work.run();
  await turn();
  const [second, third] = [work.run(), work.run()];
  expect([runs, work.isIdle]).toEqual([1, false]);
  ends[0]?.();
  await expect(first).rejects.toThrow("first");
  await turn();
  ends[1]?.();
  expect(await Promise.all([second, third])).toEqual([2, 2]);
  expect([runs, work.isIdle]).toEqual([2, true]);
});

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
