import { describe, expect, test } from "vitest";
import { KeyedQueue, Limiter } from "./limiter.js";
import { SharedRuns } from "./shared-runs.js";
import { signalName, signalNumber } from "./signals.js";

/** A promise with its ends outside. */
function gate(): { readonly promise: Promise<void>; readonly open: () => void } {
  let open = (): void => undefined;
  const promise = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { promise, open };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("Limiter", () => {
  test("runs so many at once, the rest in order, and goes on after a failure", async () => {
    const limiter = new Limiter(2);
    const gates = [gate(), gate(), gate(), gate()];
    const started: number[] = [];
    const runs = gates.map(({ promise }, i) =>
      limiter.run(async () => {
        started.push(i);
        await promise;
        if (i === 0) throw new Error("failed");
      }),
    );
    runs[0]?.catch(() => undefined);
    await turn();
    expect(started).toEqual([0, 1]);
    gates[0]?.open();
    await turn();
    expect(started).toEqual([0, 1, 2]);
    gates[1]?.open();
    await turn();
    expect(started).toEqual([0, 1, 2, 3]);
    for (const { open } of gates) open();
    await Promise.allSettled(runs);
  });

  test("who gives up waiting leaves the line", async () => {
    const limiter = new Limiter(1);
    const first = gate();
    const running = limiter.run(() => first.promise);
    const leaving = new AbortController();
    let ran = false;
    const waiting = limiter.run(() => {
      ran = true;
      return Promise.resolve();
    }, leaving.signal);
    const reason = new Error("enough");
    leaving.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    first.open();
    await running;
    await limiter.run(() => Promise.resolve());
    expect(ran).toBe(false);
  });
});

describe("KeyedQueue", () => {
  test("same key in turn, other keys at once", async () => {
    const queue = new KeyedQueue();
    const held = gate();
    const order: string[] = [];
    const add = (key: string, wait?: Promise<void>): Promise<void> =>
      queue.run(key, async () => {
        await wait;
        order.push(key);
      });
    const all = [add("a", held.promise), add("a"), add("b")];
    await turn();
    expect(order).toEqual(["b"]);
    held.open();
    await Promise.all(all);
    expect(order).toEqual(["b", "a", "a"]);
  });

  test("a failure does not stop what follows", async () => {
    const queue = new KeyedQueue();
    await expect(queue.run("a", () => Promise.reject(new Error("x")))).rejects.toThrow("x");
    await expect(queue.run("a", () => Promise.resolve(1))).resolves.toBe(1);
  });
});

describe("SharedRuns", () => {
  test("callers at the same time share one run and its reports", async () => {
    const runs = new SharedRuns<number, string>();
    const held = gate();
    let count = 0;
    const work = async (report: (step: number) => void): Promise<string> => {
      count++;
      await held.promise;
      report(1);
      return "done";
    };
    const seen: string[] = [];
    const { signal } = new AbortController();
    const a = runs.run("k", () => seen.push("a"), signal, work);
    const b = runs.run("k", () => seen.push("b"), signal, work);
    held.open();
    expect([await a, await b, count, seen]).toEqual(["done", "done", 1, ["a", "b"]]);
    await runs.run(
      "k",
      () => undefined,
      signal,
      () => Promise.resolve("again"),
    );
  });

  test("one who leaves does not end it for the others; the last one does", async () => {
    const runs = new SharedRuns<never, string>();
    let stopped: AbortSignal | undefined;
    const work = (_report: (step: never) => void, signal: AbortSignal): Promise<string> => {
      stopped = signal;
      return new Promise((_resolve, reject) => {
        signal.addEventListener("abort", () => reject(new Error("stopped")));
      });
    };
    const [first, second] = [new AbortController(), new AbortController()];
    const a = runs.run("k", () => undefined, first.signal, work);
    const b = runs.run("k", () => undefined, second.signal, work);
    first.abort(new Error("a left"));
    await expect(a).rejects.toThrow("a left");
    expect(stopped?.aborted).toBe(false);
    second.abort(new Error("b left"));
    await expect(b).rejects.toThrow("b left");
    expect(stopped?.aborted).toBe(true);
  });
});

describe("signals", () => {
  test.each([
    ["SIGTERM", 15, "TERM"],
    ["term", 15, "TERM"],
    ["15", 15, "TERM"],
    ["SIGRTMIN+3", 37, "RTMIN+3"],
    ["RTMAX-1", 63, "RTMAX-1"],
  ])("%s", (text, number, name) => {
    expect(signalNumber(text)).toBe(number);
    expect(signalName(text.toUpperCase())).toBe(name);
  });

  test.each(["", "SIGNOTHING", "0", "65", "-1", "RTMIN+99"])("refuses %j", (text) => {
    expect(() => signalNumber(text)).toThrow("invalid signal");
  });
});
