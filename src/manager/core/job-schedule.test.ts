import { expect, test } from "vitest";
import { expressionError, isTimeZone, nextTickMs } from "./job-schedule.js";

const BERLIN = "Europe/Berlin";

test.each([
  {
    name: "the same day",
    text: "0 3 * * *",
    zone: "UTC",
    from: "2026-11-21T02:00",
    ticks: ["2026-11-21T03:00", "2026-11-22T03:00"],
  },
  {
    name: "strictly after",
    text: "0 3 * * *",
    zone: "UTC",
    from: "2026-11-21T03:00",
    ticks: ["2026-11-22T03:00"],
  },
  {
    name: "in its zone",
    text: "0 3 * * *",
    zone: BERLIN,
    from: "2026-07-01T00:00",
    ticks: ["2026-07-01T01:00"],
  },
  {
    name: "a time that the clocks pass over runs after the gap",
    text: "30 2 * * *",
    zone: BERLIN,
    from: "2026-03-28T12:00",
    ticks: ["2026-03-29T01:30", "2026-03-30T00:30"],
  },
  {
    name: "a time that comes twice runs once",
    text: "30 2 * * *",
    zone: BERLIN,
    from: "2026-10-24T12:00",
    ticks: ["2026-10-25T00:30", "2026-10-26T01:30"],
  },
  {
    name: "every hour goes on evenly when it comes twice",
    text: "0 * * * *",
    zone: BERLIN,
    from: "2026-10-24T23:30",
    ticks: ["2026-10-25T00:00", "2026-10-25T01:00", "2026-10-25T02:00"],
  },
  {
    name: "every hour goes on evenly over the gap",
    text: "0 * * * *",
    zone: BERLIN,
    from: "2026-03-28T23:30",
    ticks: ["2026-03-29T00:00", "2026-03-29T01:00", "2026-03-29T02:00"],
  },
  {
    name: "a zone with half hours",
    text: "0 9 * * *",
    zone: "Asia/Kolkata",
    from: "2026-01-01T00:00",
    ticks: ["2026-01-01T03:30"],
  },
  {
    name: "weekdays by name",
    text: "0 8 * * MON-FRI",
    zone: "UTC",
    from: "2026-11-20T09:00",
    ticks: ["2026-11-23T08:00"],
  },
  {
    name: "only leap years",
    text: "0 0 29 2 *",
    zone: "UTC",
    from: "2026-01-01T00:00",
    ticks: ["2028-02-29T00:00"],
  },
  {
    name: "macros",
    text: "@weekly",
    zone: "UTC",
    from: "2026-11-21T00:00",
    ticks: ["2026-11-22T00:00"],
  },
])("next ticks: $name", ({ text, zone, from, ticks }) => {
  const found: string[] = [];
  let atMs = Date.parse(`${from}Z`);
  for (const _ of ticks) {
    // Each from the one before alone, as a new leader does it.
    atMs = nextTickMs({ Expression: text, TimeZone: zone }, atMs);
    found.push(new Date(atMs).toISOString().slice(0, 16));
  }
  expect(found).toEqual(ticks);
});

test.each([
  { text: "0 3 * *", error: "has 4 fields, not 5" },
  { text: "0 0 3 * * *", error: "has 6 fields, not 5" },
  { text: "", error: "fields, not 5" },
  { text: "@secondly", error: "fields, not 5" },
  { text: "61 * * * *", error: "61" },
  { text: "H 3 * * *", error: '"H" is no cron field' },
  { text: "0 0 30 2 *", error: "day of month" },
  { text: "0 3 * * foo", error: "foo" },
  { text: "0 3 * * ;", error: '";" is no cron field' },
])("refused: $text", ({ text, error }) => {
  expect(expressionError(text, 0)).toContain(error);
});

test.each(["0 3 * * *", "*/5 9-17 * * 1-5", "0 0 L * *", "0 8 * * thu", "@daily"])(
  "taken: %s",
  (text) => {
    expect(expressionError(text, 0)).toBeUndefined();
  },
);

test("time zones are IANA names", () => {
  expect(["UTC", BERLIN].every(isTimeZone)).toBe(true);
  expect(["Mars/Olympus", ""].some(isTimeZone)).toBe(false);
});
