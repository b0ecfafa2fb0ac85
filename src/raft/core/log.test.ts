import fc from "fast-check";
import { expect, test } from "vitest";
import { INDEX_ZERO, TERM_ZERO, toLogIndex, toTerm } from "../ids.js";
import { entry } from "../testing/core-cluster.js";
import type { Entry } from "./entry.js";
import { RaftLog } from "./log.js";

/** The obvious model: an array of terms, never compacted. */
const termsOf = (log: RaftLog): number[] => {
  const found: number[] = [];
  for (let i = log.firstIndex; i <= log.lastIndex; i = toLogIndex(i + 1))
    found.push(log.termAt(i) ?? -1);
  return found;
};

const run = (from: number, terms: readonly number[]): Entry[] =>
  terms.map((term, i) => entry(from + i, term));
const rising = fc.array(fc.nat(2), { maxLength: 12 }).map((steps) => {
  let term = 1;
  return steps.map((step) => (term += step));
});

test("merging equals: keep the common start, replace from the first difference on, never shorten otherwise", () => {
  fc.assert(
    fc.property(rising, rising, fc.nat(12), (have, news, from) => {
      const prev = Math.min(from, have.length);
      const log = new RaftLog(INDEX_ZERO, TERM_ZERO, run(1, have));
      log.merge(run(prev + 1, news), INDEX_ZERO);
      const differs = news.findIndex((term, i) => have[prev + i] !== term);
      const expected =
        differs === -1 ? have : [...have.slice(0, prev + differs), ...news.slice(differs)];
      expect(termsOf(log)).toEqual(expected);
    }),
  );
});

test("the hint is the newest entry at or before the index whose term is not later", () => {
  fc.assert(
    fc.property(rising, fc.nat(14), fc.nat(30), (have, index, term) => {
      const log = new RaftLog(INDEX_ZERO, TERM_ZERO, run(1, have));
      const found = log.newestNotAfter(toLogIndex(index), toTerm(term));
      const upTo = have.slice(0, index);
      expect(found.index).toBe(upTo.findLastIndex((t) => t <= term) + 1);
    }),
  );
});

test("compaction keeps positions and terms", () => {
  fc.assert(
    fc.property(rising, fc.nat(12), (have, at) => {
      const base = Math.min(at, have.length);
      const log = new RaftLog(INDEX_ZERO, TERM_ZERO, run(1, have));
      log.compact(toLogIndex(base));
      expect(log.lastIndex).toBe(have.length);
      expect(termsOf(log)).toEqual(have.slice(base));
      expect(log.termAt(toLogIndex(base))).toBe(base === 0 ? 0 : have[base - 1]);
      expect(log.sizeBytes).toBe((have.length - base) * 16);
    }),
  );
});

test("a slice is cut by size but never empty", () => {
  const log = new RaftLog(INDEX_ZERO, TERM_ZERO, [
    entry(1, 1, "x".repeat(500)),
    entry(2, 1, "y"),
    entry(3, 1, "z"),
  ]);
  const sizes = [1, 600, 100_000].map((max) => log.slice(toLogIndex(1), toLogIndex(3), max).length);
  expect(sizes).toEqual([1, 3, 3]);
  expect(log.slice(toLogIndex(2), toLogIndex(3), 20)).toHaveLength(1);
});
