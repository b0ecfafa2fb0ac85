import { expect, test } from "vitest";
import { FakeClock } from "./fake-clock.js";

test("timers fire in the order of their time, then of their making, each at its own moment", () => {
  const clock = new FakeClock(1_000);
  const seen: string[] = [];
  const note = (name: string) => () => seen.push(`${name}@${clock.nowMs()}/${clock.wallMs()}`);
  clock.setTimer(20, note("late"));
  clock.setTimer(10, note("first"));
  clock.setTimer(10, note("second"));
  const cancel = clock.setTimer(15, note("cancelled"));
  cancel();
  clock.advance(9);
  expect(seen).toEqual([]);
  clock.advance(30);
  expect(seen).toEqual(["first@10/1010", "second@10/1010", "late@20/1020"]);
  expect(clock.nowMs()).toBe(39);
  expect(clock.timerCount).toBe(0);
});

test("a sleep ends by time or by its signal, and leaves no timer behind", async () => {
  const clock = new FakeClock();
  const slept = clock.sleep(5);
  clock.advance(5);
  await slept;
  const controller = new AbortController();
  const cut = clock.sleep(5, controller.signal);
  controller.abort(new Error("stop"));
  await expect(cut).rejects.toThrow("stop");
  await expect(clock.sleep(5, controller.signal)).rejects.toThrow("stop");
  expect(clock.timerCount).toBe(0);
});

test("advanceAsync drives a loop that sleeps again and again", async () => {
  const clock = new FakeClock();
  const beats: number[] = [];
  const loop = (async () => {
    for (let i = 0; i < 4; i++) {
      await clock.sleep(10);
      beats.push(clock.nowMs());
    }
  })();
  await clock.advanceAsync(100);
  await loop;
  expect(beats).toEqual([10, 20, 30, 40]);
});

test("a timeout signal aborts at its time", () => {
  const clock = new FakeClock();
  const signal = clock.timeout(10);
  clock.advance(9);
  expect(signal.aborted).toBe(false);
  clock.advance(1);
  expect(signal.aborted).toBe(true);
});
