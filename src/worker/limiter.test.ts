import { expect, test } from "vitest";
import { Limiter } from "./limiter.js";

function gate(): { readonly opened: Promise<void>; open(): void } {
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open: () => open() };
}

test("runs no more than its limit at a time, the others in order", async () => {
  const limiter = new Limiter(2);
  const gates = [gate(), gate(), gate(), gate()];
  const started: number[] = [];
  const signal = new AbortController().signal;
  const runs = gates.map((g, i) =>
    limiter.run(signal, async () => {
      started.push(i);
      await g.opened;
    }),
  );
  await Promise.resolve();
  expect(started).toEqual([0, 1]);
  gates[1]?.open();
  await runs[1];
  await Promise.resolve();
  expect(started).toEqual([0, 1, 2]);
  for (const g of gates) g.open();
  await Promise.all(runs);
  expect(started).toEqual([0, 1, 2, 3]);
});

test("one that stops waiting takes no place", async () => {
  const limiter = new Limiter(1);
  const first = gate();
  const never = new AbortController();
  const run = limiter.run(new AbortController().signal, () => first.opened);
  const waiting = limiter.run(never.signal, () => Promise.resolve());
  never.abort(new Error("no longer wanted"));
  await expect(waiting).rejects.toThrow("no longer wanted");
  first.open();
  await run;
  await expect(limiter.run(new AbortController().signal, () => Promise.resolve(7))).resolves.toBe(
    7,
  );
});
