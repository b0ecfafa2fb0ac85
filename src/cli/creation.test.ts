import { expect, test } from "vitest";
import { newerFirst } from "./creation.js";

test("the newest comes first, though the API leaves a fraction's zeros out", () => {
  const times = ["12:00:30Z", "12:00:30.5Z", "12:00:30.512Z", "12:00:31Z", "12:00:31.07Z"];
  const made = times.map((time) => ({ CreatedAt: `2026-01-01T${time}` }));
  expect([...made].sort(newerFirst)).toEqual([...made].reverse());
});
