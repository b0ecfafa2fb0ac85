import type { Clock } from "../../base/index.js";

type Timer = { readonly atMs: number; readonly fire: () => void };

/** A clock that moves only when a test says so. */
export class FakeClock implements Clock {
  #nowMs = 0;
  readonly #originMs: number;
  #timers: Timer[] = [];

  constructor(wallMs = 1_700_000_000_000) {
    this.#originMs = wallMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  wallMs(): number {
    return this.#originMs + this.#nowMs;
  }

  sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) {
        reject(signal.reason);
        return;
      }
      const onAbort = (): void => {
        cancel();
        reject(signal?.reason);
      };
      const cancel = this.setTimer(delayMs, () => {
        signal?.removeEventListener("abort", onAbort);
        resolve();
      });
      signal?.addEventListener("abort", onAbort, { once: true });
    });
  }

  timeout(delayMs: number): AbortSignal {
    const controller = new AbortController();
    this.setTimer(delayMs, () => controller.abort(new Error("timed out")));
    return controller.signal;
  }

  setTimer(delayMs: number, callback: () => void): () => void {
    const timer = { atMs: this.#nowMs + delayMs, fire: callback };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  /** Moves time in steps of at most `stepMs`, letting everything else (files, promises) run in between. */
  async advance(totalMs: number, stepMs = totalMs): Promise<void> {
    const endMs = this.#nowMs + totalMs;
    await settle();
    while (this.#nowMs < endMs) {
      const next = Math.min(endMs, this.#nowMs + stepMs, this.#earliest(endMs));
      this.#nowMs = next;
      const due = this.#timers.filter((timer) => timer.atMs <= next);
      this.#timers = this.#timers.filter((timer) => timer.atMs > next);
      for (const timer of due) timer.fire();
      await settle();
    }
  }

  /** Moves on by 100 ms at a time, with room for real file operations, until `isTrue`. */
  async advanceUntil(isTrue: () => boolean, what: string): Promise<void> {
    const giveUpMs = performance.now() + 10_000;
    while (!isTrue()) {
      if (performance.now() > giveUpMs) throw new Error(`never came true: ${what}`);
      await this.advance(100);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }

  #earliest(endMs: number): number {
    return Math.max(this.#nowMs, Math.min(endMs, ...this.#timers.map((timer) => timer.atMs)));
  }
}

/** Lets pending promises and file operations come in. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 5; i += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** Turns the event loop until `isTrue`; fails with `what` after 10 s of real time. */
export async function until(isTrue: () => boolean, what: string): Promise<void> {
  const giveUpMs = performance.now() + 10_000;
  while (!isTrue()) {
    if (performance.now() > giveUpMs) throw new Error(`never came true: ${what}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
