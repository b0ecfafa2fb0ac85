import { expect, test } from "vitest";
import { timeOf } from "./commands/journal.js";
import { eventText, historyRows, type JournalEntry } from "./journal-table.js";

const ENTRY: JournalEntry = {
  index: 12,
  seq: 0,
  atMs: Date.parse("2026-11-21T10:00:00Z"),
  type: "service",
  action: "update",
  id: "abcdefghijklmnop",
  name: "web",
  who: { nodeId: "n".repeat(25), door: "rest", actor: "Docker-Client/28" },
  old: { "Mode.Replicated.Replicas": "1", "Labels.a": "(hidden)" },
  new: { "Mode.Replicated.Replicas": "3", "Labels.a": "(hidden)" },
  moreFields: 2,
  outcome: "updating: update in progress",
};

test("a line of history says when, who, what and with what outcome", () => {
  expect(historyRows([ENTRY])[1]).toEqual([
    "2026-11-21T10:00:00.000Z",
    "rest:Docker-Client/28@nnnnnnnnnnnn",
    "service web update",
    "Labels.a changed, Mode.Replicated.Replicas: 1 → 3, and 2 more",
    "updating: update in progress",
  ]);
});

test("control characters of clients and containers do not reach the terminal", () => {
  const who = { ...ENTRY.who, actor: "evil\u001b[2J" };
  expect(eventText({ ...ENTRY, who, outcome: "failed\r\nnext" })).toMatch(/^[^\p{Cc}]+$/u);
});

test.each([
  { text: "10m", expected: "9400.000" },
  { text: "2026-11-21T10:00:00Z", expected: "2026-11-21T10:00:00Z" },
  { text: "1700000000", expected: "1700000000" },
])("time $text", ({ text, expected }) => {
  expect(timeOf(text, 10_000_000)).toBe(expected);
});
