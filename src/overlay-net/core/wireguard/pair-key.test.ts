import fc from "fast-check";
import { expect, test } from "vitest";
import {
  choiceOf,
  HANDSHAKE_FRESH_MS,
  isConfirmed,
  type PairUse,
  pairChoices,
  stepPair,
  TRY_MS,
} from "./pair-key.js";

const ONE = pairChoices(["a1"], ["b1"]);
const TWO = pairChoices(["a1", "a2"], ["b1"]);

test("the newest parts of both come first, the oldest last", () => {
  expect(pairChoices(["a1", "a2"], ["b1", "b2"])).toEqual([
    { own: "a2", theirs: "b2" },
    { own: "a2", theirs: "b1" },
    { own: "a1", theirs: "b2" },
    { own: "a1", theirs: "b1" },
  ]);
});

const USE: PairUse = { choices: TWO, place: 0, sinceMs: 1_000_000 };
const STALE = 1_000_000 + HANDSHAKE_FRESH_MS;

test.each([
  { name: "nothing was in use", use: undefined, choices: TWO, at: STALE, place: 0 },
  { name: "there are other choices", use: { ...USE, place: 1 }, choices: ONE, at: 0, place: 0 },
  { name: "the last handshake is young", use: USE, choices: TWO, at: STALE - 1, place: 0 },
  { name: "the last handshake is old", use: USE, choices: TWO, at: STALE, place: 1 },
  {
    name: "the last choice was in vain",
    use: { ...USE, place: 1, sinceMs: STALE - TRY_MS },
    choices: TWO,
    at: STALE,
    place: 0,
  },
  {
    name: "the present one was tried for a moment",
    use: { ...USE, sinceMs: STALE - 1 },
    choices: TWO,
    at: STALE,
    place: 0,
  },
])("what is in use when $name", ({ use, choices, at, place }) => {
  const facts = { choices, handshakeMs: 1_000_000, nowMs: at, isPatient: false };
  expect(stepPair(use, facts).place).toBe(place);
});

test("the patient one of a pair stays until the other had time for all its choices", () => {
  const facts = { choices: TWO, handshakeMs: 1_000_000, isPatient: true };
  const use = { ...USE, place: 1, sinceMs: STALE };
  expect(stepPair(use, { ...facts, nowMs: STALE + 2 * TRY_MS - 1 }).place).toBe(1);
  expect(stepPair(use, { ...facts, nowMs: STALE + 2 * TRY_MS }).place).toBe(0);
});

test("a handshake counts for a choice when it cannot have begun before it", () => {
  expect(isConfirmed(USE, 1_009_999)).toBe(false);
  expect(isConfirmed(USE, 1_010_000)).toBe(true);
});

/** As WireGuard times it: a new handshake from 120 s on, every 5 s until one succeeds; without one the session ends after 180 s. */
const REKEY_MS = 120_000;
const RETRY_MS = 5_000;
const REJECT_MS = 180_000;

/** Longest time without a handshake when each side hears of each new key at its own time; Infinity ms: never. */
function longestMs(hears: Record<"a" | "b", readonly [a2: number, b2: number]>, phase: number) {
  const uses: { a?: PairUse; b?: PairUse } = {};
  let handshakeMs = 0;
  let longest = 0;
  for (let nowMs = 0; nowMs < 900_000; nowMs += 1_000) {
    for (const side of ["a", "b"] as const) {
      if ((nowMs + (side === "a" ? 0 : phase)) % 10_000 !== 0) continue;
      const [a2, b2] = hears[side];
      const parts = {
        a: nowMs >= a2 ? ["a1", "a2"] : ["a1"],
        b: nowMs >= b2 ? ["b1", "b2"] : ["b1"],
      };
      const choices = side === "a" ? pairChoices(parts.a, parts.b) : pairChoices(parts.b, parts.a);
      uses[side] = stepPair(uses[side], { choices, handshakeMs, nowMs, isPatient: side === "b" });
    }
    const ageMs = nowMs - handshakeMs;
    longest = Math.max(longest, ageMs);
    if (ageMs < REKEY_MS || nowMs % RETRY_MS !== 0) continue;
    const a = uses.a && choiceOf(uses.a);
    const b = uses.b && choiceOf(uses.b);
    if (a !== undefined && a.own === b?.theirs && a.theirs === b.own) handshakeMs = nowMs;
  }
  return longest;
}

const when = fc
  .oneof(fc.integer({ min: 10, max: 800 }), fc.constant(Infinity))
  .map((s) => s * 1_000);

test("whoever hears of a new key when, or never: no session ends", () => {
  fc.assert(
    fc.property(
      fc.record({
        own: when,
        other: when,
        isOfA: fc.boolean(),
        phase: fc.integer({ min: 0, max: 9 }),
      }),
      ({ own, other, isOfA, phase }) => {
        const times = (ms: number): readonly [number, number] =>
          isOfA ? [ms, Infinity] : [Infinity, ms];
        const longest = longestMs({ a: times(own), b: times(other) }, phase * 1_000);
        expect(longest).toBeLessThan(REJECT_MS);
      },
    ),
    { numRuns: 300 },
  );
});

test("both change at once, and the managers reach only one of them: it finds the other again", () => {
  const longest = longestMs({ a: [20_000, 20_000], b: [Infinity, Infinity] }, 3_000);
  expect(longest).toBeLessThan(REJECT_MS);
});
