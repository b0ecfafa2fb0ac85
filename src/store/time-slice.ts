/** What a long computation needs of its surroundings to leave the loop free in between. */
export type Pace = {
  /** Resolves after the event loop has had a turn (setImmediate). */
  readonly yieldToLoop: () => Promise<void>;
  /** Monotonic ms. */
  readonly nowMs: () => number;
};

/** Checked against a bound of 4 ms: what is begun within it may take a little longer. */
const SLICE_MS = 3;
/** Steps between two looks at the clock. */
const STEPS_PER_LOOK = 16;

/** Counts the steps of a computation and says when it has held the loop long enough. */
export class TimeSlice {
  readonly #pace: Pace;
  #startMs: number;
  #steps = 0;

  constructor(pace: Pace) {
    this.#pace = pace;
    this.#startMs = pace.nowMs();
  }

  /** Call once per step; when true, await `next()` before the next one. */
  isOver(): boolean {
    if (++this.#steps % STEPS_PER_LOOK !== 0) return false;
    return this.#pace.nowMs() - this.#startMs >= SLICE_MS;
  }

  async next(): Promise<void> {
    await this.#pace.yieldToLoop();
    this.#startMs = this.#pace.nowMs();
  }
}
