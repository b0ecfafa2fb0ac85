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

const NOON = Date.parse("2026-11-21T12:00:00Z");

test.each([
  { text: "0s", expected: NOON },
  { text: "10m", expected: NOON - 600_000 },
  { text: "1h30m", expected: NOON - 5_400_000 },
  { text: "1.5h", expected: NOON - 5_400_000 },
  { text: "250ms", expected: NOON - 250 },
  { text: "2d", expected: NOON - 2 * 86_400_000 },
  { text: "1d12h", expected: NOON - 1.5 * 86_400_000 },
])("$text is that long before now", ({ text, expected }) => {
  expect(timeOf(text, NOON)).toBe((expected / 1000).toFixed(3));
});

test.each([
  { text: "2026-11-21", local: [2026, 10, 21] },
  { text: "2026-11-21T10:30", local: [2026, 10, 21, 10, 30] },
  { text: "2026-11-21T10:30:05.250", local: [2026, 10, 21, 10, 30, 5, 250] },
] as const)("$text is a time of this machine's zone", ({ text, local }) => {
  const [year, month, ...rest] = local;
  const expected = new Date(year, month, ...rest).getTime();
  expect(timeOf(text, NOON)).toBe((expected / 1000).toFixed(3));
});

test.each([
  "2026-11-21T10:00:00Z",
  "2026-11-21T10:00:00+02:00",
  "1700000000",
  "1700000000.123",
  "0",
])("%s is the API's to read", (text) => {
  expect(timeOf(text, NOON)).toBe(text);
});
