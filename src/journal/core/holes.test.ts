import { describe, expect, test } from "vitest";
import { END, endOf, ORIGIN, type Position } from "./entry.js";
import { type Hole, HoleFinder, queryWithin } from "./holes.js";
import { type Note, parseNote } from "./note.js";

const at = (index: number, seq = 0) => ({ index, seq, atMs: 1_000_000 + index });
const gap = (from: number, to: number): Note => {
  const note = parseNote(JSON.stringify({ gap: { from, to, why: "test" } }));
  if (note === undefined) throw new Error("no note");
  return note;
};

type Step =
  | { readonly entry: Position & { readonly atMs: number } }
  | { readonly note: Note }
  | { readonly damagedAfter: Position };

function told(isOldest: boolean, steps: readonly Step[], next?: Position): readonly Hole[] {
  const finder = new HoleFinder(isOldest);
  const holes = steps.flatMap((step) => {
    if ("entry" in step) return finder.before(step.entry);
    if ("note" in step) finder.take(step.note);
    else finder.damaged(step.damagedAfter);
    return [];
  });
  return [...holes, ...finder.rest(next && { first: next, atMs: 1_000_000 + next.index })];
}

describe("holes of a file", () => {
  test.each<{
    readonly name: string;
    readonly isOldest?: boolean;
    readonly steps: readonly Step[];
    readonly next?: Position;
    readonly expected: readonly (readonly [after: Position, upTo: Position])[];
  }>([
    { name: "none between entries", steps: [{ entry: at(3) }, { entry: at(9) }], expected: [] },
    {
      name: "what is before the first entry of the oldest file",
      isOldest: true,
      steps: [{ entry: at(7) }],
      expected: [[ORIGIN, endOf(6)]],
    },
    {
      name: "up to a change within the same transaction",
      isOldest: true,
      steps: [{ entry: at(7, 4) }],
      expected: [[ORIGIN, { index: 7, seq: 3 }]],
    },
    {
      name: "none before the first entry where the file says that it is the beginning",
      isOldest: true,
      steps: [{ note: { kind: "begin" } }, { entry: at(7) }],
      expected: [],
    },
    {
      name: "a state taken over, also when nothing followed",
      isOldest: true,
      steps: [{ note: { kind: "begin" } }, { note: gap(1, 90) }],
      expected: [[endOf(0), endOf(90)]],
    },
    {
      name: "a note that was written before older entries comes at its place",
      steps: [{ note: gap(4, 90) }, { entry: at(2) }, { entry: at(3) }, { entry: at(91) }],
      expected: [[endOf(3), endOf(90)]],
    },
    {
      name: "the same note twice is one hole",
      steps: [{ note: gap(4, 90) }, { note: gap(4, 95) }, { entry: at(96) }],
      expected: [
        [endOf(3), endOf(90)],
        [endOf(90), endOf(95)],
      ],
    },
    {
      name: "entries within a stretch cut it",
      steps: [{ note: gap(4, 9) }, { entry: at(6) }, { entry: at(20) }],
      expected: [
        [endOf(3), endOf(5)],
        [at(6), endOf(9)],
      ],
    },
    {
      name: "damage up to the next entry that can be read",
      steps: [{ entry: at(3) }, { damagedAfter: at(3) }, { entry: at(9) }],
      expected: [[at(3), endOf(8)]],
    },
    {
      name: "damage at the end up to the next file",
      steps: [{ damagedAfter: at(3) }],
      next: { index: 9, seq: 0 },
      expected: [[at(3), endOf(8)]],
    },
    {
      name: "damage at the end of all files",
      steps: [{ damagedAfter: at(3) }],
      expected: [[at(3), END]],
    },
  ])("$name", ({ isOldest = false, steps, next, expected }) => {
    const place = ({ index, seq }: Position) => ({ index, seq });
    expect(
      told(isOldest, steps, next).map(({ after, upTo }) => [place(after), place(upTo)]),
    ).toEqual(expected.map((pair) => pair.map(place)));
  });
});

describe("of a hole a query wants", () => {
  const hole: Hole = { after: { index: 10, seq: 0 }, upTo: endOf(20), endMs: 5_000_000 };

  test.each([
    { name: "all of it", query: {}, expected: [hole.after, hole.upTo] },
    {
      name: "what is between its own ends",
      query: { after: { index: 12, seq: 1 }, upTo: { index: 15, seq: 0 } },
      expected: [
        { index: 12, seq: 1 },
        { index: 15, seq: 0 },
      ],
    },
    { name: "nothing before it", query: { upTo: { index: 10, seq: 0 } }, expected: undefined },
    { name: "nothing behind it", query: { after: endOf(20) }, expected: undefined },
    {
      name: "nothing when what ends it is older by more than clocks differ",
      query: { sinceMs: 5_060_001 },
      expected: undefined,
    },
    {
      name: "all of it when clocks may differ that much",
      query: { sinceMs: 5_060_000 },
      expected: [hole.after, hole.upTo],
    },
  ])("$name", ({ query, expected }) => {
    const within = queryWithin(query, hole);
    expect(within && [within.after, within.upTo]).toEqual(expected);
  });
});

test.each([
  { name: "the beginning", text: '{"begin":true}', expected: { kind: "begin" } },
  { name: "what was followed", text: '{"seen":95}', expected: { kind: "seen", index: 95 } },
  {
    name: "indexes",
    text: '{"gap":{"from":4,"to":90,"why":"x"}}',
    expected: { kind: "gap", after: endOf(3), upTo: endOf(90) },
  },
  {
    name: "places",
    text: '{"gap":{"from":"4-1","to":"9-1","count":3}}',
    expected: { kind: "gap", after: { index: 4, seq: 0 }, upTo: { index: 9, seq: 1 } },
  },
  { name: "a gap without ends", text: '{"gap":{}}', expected: undefined },
  { name: "a torn text", text: '{"gap":{"from":4,', expected: undefined },
  { name: "an entry", text: '{"index":1,"gap":{"from":4,"to":9}}', expected: undefined },
])("a note of $name", ({ text, expected }) => {
  expect(parseNote(text)).toEqual(expected);
});
