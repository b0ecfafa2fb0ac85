import type { Clock } from "../base/index.js";

type Timer = { readonly atMs: number; readonly order: number; readonly fire: () => void };

/**
 * A clock that stands still until a test moves it. Timers that fall due fire in the order of their time, then of their
 * making, each with `nowMs` at exactly its own moment.
 */
export class FakeClock implements Clock {
  #nowMs = 0;
  readonly #wallOffsetMs: number;
  #timers: Timer[] = [];
  #made = 0;

  /** `wallMs` is the Unix time at the start; monotonic time starts at 0. */
  constructor(wallMs = 1_700_000_000_000) {
    this.#wallOffsetMs = wallMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  wallMs(): number {
    return this.#wallOffsetMs + this.#nowMs;
  }

  sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
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
    this.setTimer(delayMs, () => {
      controller.abort(new DOMException(`timed out after ${delayMs} ms`, "TimeoutError"));
    });
    return controller.signal;
  }

  setTimer(delayMs: number, callback: () => void): () => void {
    this.#made++;
    const timer = {
      atMs: this.#nowMs + Math.max(0, delayMs),
      order: this.#made,
      fire: callback,
    };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  /** Time of the earliest timer, undefined when none waits. */
  nextTimerAtMs(): number | undefined {
    return this.#earliest()?.atMs;
  }

  /** Timers that wait. A test that ends with some has probably leaked them. */
  get timerCount(): number {
    return this.#timers.length;
  }

  /** Moves time by `byMs`, firing what falls due, callbacks synchronously. */
  advance(byMs: number): void {
    const untilMs = this.#nowMs + byMs;
    for (let timer = this.#due(untilMs); timer; timer = this.#due(untilMs)) this.#fire(timer);
    this.#nowMs = untilMs;
  }

  /**
   * As `advance`, but after each timer lets the promises and I/O callbacks that it set going run to their end (`turns` event-loop
   * turns), so that loops which sleep, work and sleep again are driven through all of `byMs`.
   */
  async advanceAsync(byMs: number, turns = 3): Promise<void> {
    const untilMs = this.#nowMs + byMs;
    await settle(turns);
    for (let timer = this.#due(untilMs); timer; timer = this.#due(untilMs)) {
      this.#fire(timer);
      await settle(turns);
    }
    this.#nowMs = untilMs;
  }

  #fire(timer: Timer): void {
    this.#timers = this.#timers.filter((other) => other !== timer);
    this.#nowMs = Math.max(this.#nowMs, timer.atMs);
    timer.fire();
  }

  #due(untilMs: number): Timer | undefined {
    const timer = this.#earliest();
    return timer && timer.atMs <= untilMs ? timer : undefined;
  }

  #earliest(): Timer | undefined {
    let best: Timer | undefined;
    for (const timer of this.#timers) {
      if (!best || timer.atMs < best.atMs || (timer.atMs === best.atMs && timer.order < best.order))
        best = timer;
    }
    return best;
  }
}

/** Lets everything that is ready run: promises, and `turns` rounds of the event loop. */
export async function settle(turns = 3): Promise<void> {
  for (let i = 0; i < turns; i++) await new Promise<void>((resolve) => setImmediate(resolve));
}
