import { expect, test } from "vitest";
import { END } from "./entry.js";
import type { JournalQuery } from "./query.js";
import { parseQueryText, QUERY_BYTES_MAX, queryText } from "./query-text.js";

test.each<{ readonly name: string; readonly query: JournalQuery; readonly text: string }>([
  { name: "nothing", query: {}, text: "{}" },
  {
    name: "everything",
    query: {
      after: { index: 4, seq: 0 },
      upTo: END,
      needles: ["web", 'a"b'],
      sinceMs: 1.5,
      untilMs: 9,
      last: 256,
    },
    text: `{"after":"4-0","last":256,"needles":["web","a\\"b"],"sinceMs":1.5,"untilMs":9,"upTo":"${END.index}-${END.seq}"}`,
  },
])("$name there and back", ({ query, text }) => {
  expect(queryText(query)).toBe(text);
  expect(parseQueryText(text)).toEqual(query);
});

test("the filter stays here, and so do needles that are too long", () => {
  const needles = ["x".repeat(QUERY_BYTES_MAX)];
  expect(queryText({ last: 1, needles, filter: () => true })).toBe('{"last":1}');
});

test.each([
  { name: "no JSON", text: "{", why: "not JSON" },
  { name: "no object", text: "[]", why: "not an object" },
  { name: "null", text: "null", why: "not an object" },
  { name: "an unknown field", text: '{"limit":1}', why: "field limit is not supported" },
  { name: "a place that is none", text: '{"after":"4"}', why: "field after is malformed" },
  { name: "a place as a number", text: '{"upTo":4}', why: "field upTo is malformed" },
  { name: "a time as text", text: '{"sinceMs":"1"}', why: "field sinceMs is malformed" },
  { name: "no time", text: '{"untilMs":null}', why: "field untilMs is malformed" },
  { name: "a part of an entry", text: '{"last":1.5}', why: "field last is malformed" },
  { name: "less than none", text: '{"last":-1}', why: "field last is malformed" },
  { name: "too many", text: '{"last":10001}', why: "field last is malformed" },
  { name: "a needle in everything", text: '{"needles":[""]}', why: "field needles is malformed" },
  { name: "one needle", text: '{"needles":"web"}', why: "field needles is malformed" },
  { name: "too long", text: " ".repeat(QUERY_BYTES_MAX + 1), why: "at most 65536 are taken" },
])("refused: $name", ({ text, why }) => {
  expect(() => parseQueryText(text)).toThrow(why);
});
