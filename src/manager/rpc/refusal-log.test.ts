import { expect, test } from "vitest";
import { FakeClock } from "../testing/fake-clock.js";
import { REMEMBERED_MAX, RefusalLog } from "./refusal-log.js";

const refusal = { from: "10.0.0.5", method: "/swarm.dispatcher.Dispatcher/Session", reason: "no" };

test("a caller that comes again is written down once an hour", async () => {
  const clock = new FakeClock();
  const log = new RefusalLog(clock);
  expect([log.isNew(refusal), log.isNew(refusal)]).toEqual([true, false]);
  await clock.advance(3_599_000);
  expect(log.isNew(refusal)).toBe(false);
  await clock.advance(1_000);
  expect(log.isNew(refusal)).toBe(true);
});

test.each([
  { name: "another caller", other: { from: "10.0.0.6" } },
  { name: "another method", other: { method: "/swarm.tunnel.Tunnel/Open" } },
  { name: "another reason", other: { reason: "removed" } },
])("$name is written down for itself", ({ other }) => {
  const log = new RefusalLog(new FakeClock());
  log.isNew(refusal);
  expect(log.isNew({ ...refusal, ...other })).toBe(true);
});

test("the memory is bounded: the oldest is forgotten", () => {
  const log = new RefusalLog(new FakeClock());
  for (let i = 0; i <= REMEMBERED_MAX; i++) log.isNew({ ...refusal, from: `caller ${i}` });
  expect(log.isNew({ ...refusal, from: `caller ${REMEMBERED_MAX}` })).toBe(false);
  expect(log.isNew({ ...refusal, from: "caller 0" })).toBe(true);
});
