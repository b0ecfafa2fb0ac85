import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { GenericResource } from "../api/index.js";
import { GenericStock } from "./generic-resources.js";

const named = (...values: readonly string[]): GenericResource[] =>
  values.map((Value) => ({ NamedResourceSpec: { Kind: "gpu", Value } }));
const pieces = (Value: number): GenericResource[] => [
  { DiscreteResourceSpec: { Kind: "gpu", Value } },
];

function stock(...resources: readonly GenericResource[]): GenericStock {
  const made = new GenericStock();
  made.setTotal(resources);
  return made;
}

describe("a node's generic resources", () => {
  test("a number is served from a named set by its lowest free names", () => {
    const gpus = stock(...named("c", "a", "b"));
    const first = gpus.choose([["gpu", 1]]);
    expect(first).toEqual(named("a"));
    gpus.account(first, 1);
    expect(gpus.free("gpu")).toBe(2);
    expect(gpus.choose([["gpu", 2]])).toEqual(named("b", "c"));
    gpus.account(first, -1);
    expect(gpus.choose([["gpu", 1]])).toEqual(named("a"));
  });

  test("a number is served from a number", () => {
    const gpus = stock(...pieces(4));
    expect(gpus.choose([["gpu", 3]])).toEqual(pieces(3));
    gpus.account(pieces(3), 1);
    expect(gpus.free("gpu")).toBe(1);
    expect(gpus.total("gpu")).toBe(4);
  });

  test.each([
    { name: "a name that is gone", now: named("b"), claim: named("a"), covers: false },
    { name: "a name that is there", now: named("a", "b"), claim: named("a"), covers: true },
    { name: "too few pieces", now: pieces(1), claim: pieces(2), covers: false },
    { name: "just enough pieces", now: pieces(2), claim: pieces(2), covers: true },
    { name: "a kind that is gone", now: [], claim: pieces(1), covers: false },
    { name: "pieces where names are now", now: named("a"), claim: pieces(1), covers: true },
  ])("covers $name: $covers", ({ now, claim, covers }) => {
    expect(stock(...now).covers(claim)).toBe(covers);
  });

  test("whatever the node comes to list, held names are never given out and the last release frees all", () => {
    const totals = fc.constantFrom(
      named("a", "b", "c"),
      named("b", "d"),
      pieces(3),
      [],
      [...named("a"), ...pieces(1)],
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(totals, fc.integer({ min: 1, max: 3 }))), (steps) => {
        const gpus = new GenericStock();
        const claims: (readonly GenericResource[])[] = [];
        for (const [total, wanted] of steps) {
          gpus.setTotal(total);
          if (gpus.free("gpu") < wanted) continue;
          const claim = gpus.choose([["gpu", wanted]]);
          expect(gpus.covers(claim.filter((one) => "NamedResourceSpec" in one))).toBe(true);
          gpus.account(claim, 1);
          claims.push(claim);
        }
        for (const claim of claims) gpus.account(claim, -1);
        expect(gpus.free("gpu")).toBe(gpus.total("gpu"));
      }),
      { numRuns: 200 },
    );
  });
});
