/** Whatever the files hold and lack: with what fills the holes it is the log, each change once. */
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  HoleFinder,
  type JournalEntry,
  type JournalQuery,
  justBefore,
  matchesQuery,
  type Note,
  positionText,
} from "../core/index.js";
import { entry } from "../testing/entries.js";
import { type Fill, type Item, type Part, readParts } from "./read-parts.js";

/** The log: places rise by uneven steps, some transactions have several changes. */
function logOf(steps: readonly number[]): readonly JournalEntry[] {
  let [index, seq] = [0, 0];
  return steps.map((step) => {
    [index, seq] = step === 0 && index > 0 ? [index, seq + 1] : [index + step + 1, 0];
    return entry(index, { seq, name: `web-${index % 3}` });
  });
}

type Fate = "kept" | "noted" | "damaged";

/** A file of these changes: what is not kept is noted, or damaged. `next` is the first of the file behind it. */
function part(
  changes: readonly (readonly [JournalEntry, Fate])[],
  isOldest: boolean,
  next: JournalEntry | undefined,
): Part {
  return async function* () {
    const holes = new HoleFinder(isOldest);
    let before: JournalEntry | undefined;
    for (const [i, [change, fate]] of changes.entries()) {
      if (fate === "noted") {
        const note: Note = { kind: "gap", after: justBefore(change), upTo: change };
        holes.take(note);
        continue;
      }
      if (fate === "damaged") {
        if (changes[i - 1]?.[1] !== "damaged")
          holes.damaged(before ?? justBefore(changes[0]?.[0] ?? change));
        continue;
      }
      before = change;
      for (const hole of holes.before(change)) yield { kind: "hole", hole } satisfies Item;
      yield { kind: "entry", entry: change } satisfies Item;
    }
    for (const hole of holes.rest(next && { first: next, atMs: next.atMs }))
      yield { kind: "hole", hole } satisfies Item;
  };
}

const FATES = fc.oneof(
  { weight: 4, arbitrary: fc.constant<Fate>("kept") },
  { weight: 1, arbitrary: fc.constant<Fate>("noted") },
  { weight: 1, arbitrary: fc.constant<Fate>("damaged") },
);

const SCENE = fc.record({
  steps: fc.array(fc.nat(3), { minLength: 1, maxLength: 60 }),
  /** First change that any file has, and where later files begin. */
  firstKept: fc.nat(60),
  cuts: fc.array(fc.nat(60), { maxLength: 5 }),
  fates: fc.array(FATES, { minLength: 60, maxLength: 60 }),
  query: fc.record(
    {
      after: fc.record({ index: fc.nat(150), seq: fc.nat(3) }),
      upTo: fc.record({ index: fc.nat(150), seq: fc.nat(3) }),
      sinceMs: fc.nat(150).map((index) => 1_000_000 + index),
      untilMs: fc.nat(150).map((index) => 1_000_000 + index),
      last: fc.nat(20),
      filter: fc.constant((each: JournalEntry) => each.name === "web-1"),
    },
    { requiredKeys: [] },
  ),
});

async function told(parts: readonly Part[], query: JournalQuery, fill?: Fill): Promise<string[]> {
  const found: string[] = [];
  for await (const each of readParts(parts, query, fill)) found.push(positionText(each));
  return found;
}

test("files with holes and what is kept elsewhere tell what the log held, in order and each once", async () => {
  await fc.assert(
    fc.asyncProperty(SCENE, async ({ steps, firstKept, cuts, fates, query }) => {
      const log = logOf(steps);
      const bounds = [firstKept, ...cuts.filter((cut) => cut > firstKept)].sort((a, b) => a - b);
      const parts = bounds.flatMap((from, i) => {
        const changes = log
          .slice(from, bounds[i + 1])
          .map((change, j) => [change, fates[from + j] ?? "kept"] as const);
        return [part(changes, i === 0, log[bounds[i + 1] ?? log.length])];
      });
      const asked: JournalQuery[] = [];
      const fill: Fill = async function* (within) {
        asked.push(within);
        const matching = log.filter((each) => matchesQuery(each, within));
        // Even if what is kept elsewhere answers too much, and some of it twice.
        for (const each of [...log, ...log]) {
          if (within.last === undefined || matching.slice(-within.last).includes(each)) yield each;
        }
      };
      const matching = log.filter((each) => matchesQuery(each, query));
      const wanted = matching.slice(Math.max(0, matching.length - (query.last ?? log.length)));
      expect(await told(parts, query, fill)).toEqual(wanted.map(positionText));
      // Nothing is asked for twice.
      const places = asked.flatMap((within) => log.filter((each) => matchesQuery(each, within)));
      expect(new Set(places).size).toBe(places.length);
    }),
    { numRuns: 300 },
  );
});
