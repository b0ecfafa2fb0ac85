import { expect, test } from "vitest";
import {
  ago,
  formatBytes,
  parseBytes,
  parseCount,
  parseCpus,
  parseDuration,
  UsageError,
} from "./units.js";

test.each([
  { text: "10s", ns: 10e9 },
  { text: "1m30s", ns: 90e9 },
  { text: "250ms", ns: 250e6 },
  { text: "1.5h", ns: 5_400e9 },
  { text: "0", ns: 0 },
])("$text is a duration", ({ text, ns }) => {
  expect(parseDuration(text)).toBe(ns);
});

test.each([
  { text: "512m", bytes: 536_870_912 },
  { text: "1.5g", bytes: 1_610_612_736 },
  { text: "4096", bytes: 4096 },
  { text: "2GB", bytes: 2_147_483_648 },
])("$text is a size", ({ text, bytes }) => {
  expect(parseBytes(text)).toBe(bytes);
});

test.each([
  { parse: parseDuration, text: "10" },
  { parse: parseDuration, text: "1x" },
  { parse: parseDuration, text: "" },
  { parse: parseBytes, text: "lots" },
  { parse: parseCpus, text: "-1" },
  { parse: parseCount, text: "1.5" },
  { parse: parseCount, text: "" },
])("$parse.name refuses $text and names it", ({ parse, text }) => {
  expect(() => parse(text)).toThrow(UsageError);
  expect(() => parse(text)).toThrow(`"${text}"`);
});

test.each([
  { sec: 0.4, words: "less than a second ago" },
  { sec: 1, words: "1 second ago" },
  { sec: 119, words: "1 minute ago" },
  { sec: 7_200, words: "2 hours ago" },
])("$sec s is $words", ({ sec, words }) => {
  expect(ago(0, sec * 1000)).toBe(words);
});

test("sizes are shown as docker shows them", () => {
  expect([999, 1_500, 123_456_789].map(formatBytes)).toEqual(["999B", "1.50kB", "123MB"]);
});
