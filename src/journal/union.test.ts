import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { comparePositions, type JournalEntry, positionText } from "./core/index.js";
import { entries, entry } from "./testing/entries.js";
import { type SourceFailure, union } from "./union.js";

type Step = JournalEntry | "fails";

async function* source(steps: readonly Step[]): AsyncGenerator<JournalEntry> {
  for (const step of steps) {
    await Promise.resolve();
    if (step === "fails") throw new Error("lost");
    yield step;
  }
}

const at = (...indexes: readonly number[]): readonly JournalEntry[] =>
  indexes.map((index) => entry(index));

async function told(sources: readonly (readonly Step[])[]) {
  const found: string[] = [];
  const failed: number[] = [];
  /** How much had been told by then. */
  const toldBefore: number[] = [];
  for await (const each of union(sources.map(source), (failures) => {
    failed.push(...failures.map((failure) => failure.source));
    toldBefore.push(found.length);
  }))
    found.push(positionText(each));
  return { found, failed, toldBefore };
}

const places = (...indexes: readonly number[]): string[] => indexes.map((index) => `${index}-0`);

describe("of several sources", () => {
  test.each<{
    readonly name: string;
    readonly sources: readonly (readonly Step[])[];
    readonly expected: readonly string[];
    readonly failed?: readonly number[];
  }>([
    { name: "none", sources: [], expected: [] },
    { name: "empty ones", sources: [[], []], expected: [] },
    { name: "one alone", sources: [at(1, 2), []], expected: places(1, 2) },
    { name: "the same in both, once", sources: [at(1, 2), at(1, 2)], expected: places(1, 2) },
    {
      name: "parts",
      sources: [at(2, 5, 6), at(1, 3, 5), at(4)],
      expected: places(1, 2, 3, 4, 5, 6),
    },
    {
      name: "changes of one transaction",
      sources: [
        [entry(1, { seq: 1 }), entry(2)],
        [entry(1), entry(1, { seq: 2 })],
      ],
      expected: ["1-0", "1-1", "1-2", "2-0"],
    },
    {
      name: "out of order: what is behind is left out, the others' is not",
      sources: [at(4, 2, 5), at(2, 3)],
      expected: places(2, 3, 4, 5),
    },
    {
      name: "one that fails at once: the others go on",
      sources: [["fails"], at(1, 2)],
      expected: places(1, 2),
      failed: [0],
    },
    {
      name: "one that fails in the middle: the others go on",
      sources: [[...at(1, 3), "fails"], at(2, 4)],
      expected: places(1, 2, 3, 4),
      failed: [0],
    },
    {
      name: "all of them fail",
      sources: [
        [...at(1), "fails"],
        [...at(1), "fails"],
      ],
      expected: places(1),
      failed: [0, 1],
    },
  ])("$name", async ({ sources, expected, failed = [] }) => {
    expect(await told(sources)).toMatchObject({ found: expected, failed });
  });
});

test("a failure is told before anything that the source could have had", async () => {
  const { found, toldBefore } = await told([[...at(1), "fails"], at(2, 3)]);
  expect([found, toldBefore]).toEqual([places(1, 2, 3), [1]]);
});

test("the first source's entry stands for those at its place", async () => {
  const found: string[] = [];
  const both = [source([entry(1, { name: "mine" })]), source([entry(1, { name: "other" })])];
  for await (const { name } of union(both, () => undefined)) found.push(name);
  expect(found).toEqual(["mine"]);
});

test("who throws at a failure ends it, and every source is left", async () => {
  const left: number[] = [];
  const leaving = async function* (number: number) {
    try {
      yield* source(entries(1, 100));
    } finally {
      left.push(number);
    }
  };
  const onFailures = (failures: readonly SourceFailure[]): void => {
    throw failures[0]?.error;
  };
  const all = union([leaving(0), source([...at(1), "fails"]), leaving(2)], onFailures);
  const found: number[] = [];
  const reading = (async () => {
    for await (const { index } of all) found.push(index);
  })();
  await expect(reading).rejects.toThrow("lost");
  expect([found, left.sort()]).toEqual([[1], [0, 2]]);
});

test("whatever the parts are: all that any has, in order and once", async () => {
  const part = fc.uniqueArray(fc.tuple(fc.nat(30), fc.nat(2)), { selector: String });
  await fc.assert(
    fc.asyncProperty(fc.array(part, { maxLength: 4 }), async (parts) => {
      const sources = parts.map((part) =>
        part.map(([index, seq]) => entry(index, { seq })).sort(comparePositions),
      );
      const all = new Map(sources.flat().map((each) => [positionText(each), each]));
      const expected = [...all.values()].sort(comparePositions).map(positionText);
      expect((await told(sources)).found).toEqual(expected);
    }),
  );
});
