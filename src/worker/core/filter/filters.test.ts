import { expect, test } from "vitest";
import { FilterError, matchesAny, matchesLabels, matchesName, parseFilters } from "./filters.js";

const ALLOWED = new Set(["name", "label"]);

test.each([
  ["nothing", "", {}],
  ["lists", '{"name":["a","b"]}', { name: ["a", "b"] }],
  ["sets, the older form", '{"name":{"a":true,"b":false}}', { name: ["a"] }],
])("reads %s", (_name, text, want) => {
  expect(parseFilters(text, ALLOWED)).toEqual(want);
});

test.each([
  ["an unknown key", '{"color":["red"]}', "invalid filter 'color'"],
  ["no JSON", "{name", "invalid filters: {name is not JSON"],
  ["a list instead of an object", "[]", "invalid filters: not an object"],
  ["numbers", '{"name":[1]}', "invalid filter 'name': not a text"],
])("refuses %s", (_name, text, message) => {
  expect(() => parseFilters(text, ALLOWED)).toThrow(new FilterError(message));
});

test("one matching value is enough, none at all matches everything", () => {
  expect(matchesAny(["a", "b"], (value) => value === "b")).toBe(true);
  expect(matchesAny(["a"], (value) => value === "b")).toBe(false);
  expect(matchesAny(undefined, () => false)).toBe(true);
});

test("labels must all match, by key or by key and value", () => {
  const labels = { a: "1", b: "" };
  expect(matchesLabels(["a", "b"], labels)).toBe(true);
  expect(matchesLabels(["a=1"], labels)).toBe(true);
  expect(matchesLabels(["a=2"], labels)).toBe(false);
  expect(matchesLabels(["toString"], labels)).toBe(false);
});

test.each([
  ["web", true],
  ["/web", true],
  ["eb.1", true],
  ["^web", true],
  ["^eb", false],
  ["1$", true],
  ["^/web.1$", true],
  ["^web$", false],
])("name=%s matches web.1: %s", (wanted, want) => {
  expect(matchesName(wanted, "web.1")).toBe(want);
});
