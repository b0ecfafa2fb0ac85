import fc from "fast-check";
import { expect, test } from "vitest";
import { SEEK_SPAN, seekTime } from "./seek.js";

test("a time is found within a span, whatever indexes there are, in few steps", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 300 }),
      fc.nat(70_000),
      async (steps, atMs) => {
        let index = 0;
        const all = steps.map((step) => {
          index += step;
          return { index, atMs: index };
        });
        const range = { from: all[0]?.index ?? 0, to: all.at(-1)?.index ?? 0 };
        let questions = 0;
        const found = await seekTime(atMs, range, (from) => {
          questions++;
          return Promise.resolve(all.find((each) => each.index >= from));
        });
        const older = all.filter((each) => each.atMs < atMs);
        expect(found.olderIndex).toBeLessThanOrEqual(older.at(-1)?.index ?? range.from - 1);
        expect(found.newerIndex).toBeGreaterThan(older.at(-1)?.index ?? range.from - 1);
        expect(found.newerIndex - found.olderIndex).toBeLessThanOrEqual(SEEK_SPAN);
        expect(questions).toBeLessThan(20);
      },
    ),
    { numRuns: 100 },
  );
});
