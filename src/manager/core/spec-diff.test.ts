import { expect, test } from "vitest";
import { diffFields } from "./spec-diff.js";

test.each([
  { name: "nothing", old: { a: { b: 1 } }, next: { a: { b: 1 } }, expected: [] },
  { name: "a value", old: { a: 1 }, next: { a: 2 }, expected: [{ path: "a", old: 1, next: 2 }] },
  {
    name: "a field that came, deep down",
    old: {},
    next: { a: { b: { c: "x" } } },
    expected: [{ path: "a.b.c", old: undefined, next: "x" }],
  },
  {
    name: "a field that went",
    old: { a: { b: 1, c: 2 } },
    next: { a: { c: 2 } },
    expected: [{ path: "a.b", old: 1, next: undefined }],
  },
  {
    name: "entries of a list",
    old: { env: ["A=1", "B=2"] },
    next: { env: ["B=2", "A=3"] },
    expected: [
      { path: "env[]", old: "A=1", next: undefined },
      { path: "env[]", old: undefined, next: "A=3" },
    ],
  },
  {
    name: "an entry that is there once more",
    old: { a: [1] },
    next: { a: [1, 1] },
    expected: [{ path: "a[]", old: undefined, next: 1 }],
  },
  {
    name: "the order of a list",
    old: { args: ["a", "b"] },
    next: { args: ["b", "a"] },
    expected: [{ path: "args", old: ["a", "b"], next: ["b", "a"] }],
  },
  {
    name: "an object that says nothing",
    old: { mode: {} },
    next: {},
    expected: [{ path: "mode", old: {}, next: undefined }],
  },
  {
    name: "a list instead of an object",
    old: { a: { b: 1 } },
    next: { a: [1] },
    expected: [{ path: "a", old: { b: 1 }, next: [1] }],
  },
  {
    name: "everything, when there was nothing",
    old: undefined,
    next: { b: 1, a: "x" },
    expected: [
      { path: "a", old: undefined, next: "x" },
      { path: "b", old: undefined, next: 1 },
    ],
  },
])("tells $name", ({ old, next, expected }) => {
  expect(diffFields(old, next)).toEqual(expected);
});
