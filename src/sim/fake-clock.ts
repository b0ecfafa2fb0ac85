import type { Clock } from "../base/index.js";

type Timer = {
  readonly atMs: number;
  readonly order: number;
  readonly fire: () => void;
  isCancelled: boolean;
};

/**
 * A clock that stands still until a test moves it. Timers that fall due fire in the order of their time, then of their
 * making, each with `nowMs` at exactly its own moment.
 */
export class FakeClock implements Clock {
  #nowMs = 0;
  #wallOffsetMs: number;
  /** A heap: the earliest first, then the first made. Cancelled ones stay until they would be due. */
  readonly #timers: Timer[] = [];
  #waitingCount = 0;
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

  /** The wall clock is set, as an operator or NTP does; timers go by the monotonic one. */
  stepWall(byMs: number): void {
    this.#wallOffsetMs += byMs;
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
    const timer: Timer = {
      atMs: this.#nowMs + Math.max(0, delayMs),
      order: this.#made,
      fire: callback,
      isCancelled: false,
    };
    this.#waitingCount++;
    this.#push(timer);
    return () => {
      if (timer.isCancelled) return;
      timer.isCancelled = true;
      this.#waitingCount--;
    };
  }

  /** Time of the earliest timer, undefined when none waits. */
  nextTimerAtMs(): number | undefined {
    return this.#earliest()?.atMs;
  }

  /** Timers that wait. A test that ends with some has probably leaked them. */
  get timerCount(): number {
    return this.#waitingCount;
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
    this.#dropFirst();
    // Its canceller does nothing from now on.
    timer.isCancelled = true;
    this.#waitingCount--;
    this.#nowMs = Math.max(this.#nowMs, timer.atMs);
    timer.fire();
  }

  #due(untilMs: number): Timer | undefined {
    const timer = this.#earliest();
    return timer && timer.atMs <= untilMs ? timer : undefined;
  }

  #earliest(): Timer | undefined {
    while (this.#timers[0]?.isCancelled) this.#dropFirst();
    return this.#timers[0];
  }

  #push(timer: Timer): void {
    const heap = this.#timers;
    let at = heap.length;
    heap.push(timer);
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = heap[above];
      if (!parent || isBefore(parent, timer)) break;
      heap[at] = parent;
      at = above;
    }
    heap[at] = timer;
  }

  #dropFirst(): void {
    const heap = this.#timers;
    const last = heap.pop();
    if (!last || heap.length === 0) return;
    let at = 0;
    for (;;) {
      const left = heap[2 * at + 1];
      const right = heap[2 * at + 2];
      if (!left) break;
      const isRight = right !== undefined && isBefore(right, left);
      const child = isRight ? right : left;
      if (isBefore(last, child)) break;
      heap[at] = child;
      at = 2 * at + (isRight ? 2 : 1);
    }
    heap[at] = last;
  }
}

function isBefore(a: Timer, b: Timer): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}

/** Lets everything that is ready run: promises, and `turns` rounds of the event loop. */
export async function settle(turns = 3): Promise<void> {
  for (let i = 0; i < turns; i++) await new Promise<void>((resolve) => setImmediate(resolve));
}
