/** What a long computation needs of its surroundings to leave the loop free in between. */
export type Pace = {
  /** Resolves after the event loop has had a turn (setImmediate). */
  readonly yieldToLoop: () => Promise<void>;
  /** Monotonic ms. */
  readonly nowMs: () => number;
};

/** Checked against a bound of 4 ms: what is begun within it may take a little longer. */
const SLICE_MS = 3;
/** Steps, or bytes worked on, between two looks at the clock. */
const STEPS_PER_LOOK = 16;
const BYTES_PER_LOOK = 64 * 1024;

/** Counts the steps of a computation and says when it has held the loop long enough. */
export class TimeSlice {
  readonly #pace: Pace;
  #startMs: number;
  #steps = 0;
  #sizeBytes = 0;

  constructor(pace: Pace) {
    this.#pace = pace;
    this.#startMs = pace.nowMs();
  }

  /** Call once per step, with the bytes it worked on; when true, await `next()` before the next one. */
  isOver(sizeBytes: number): boolean {
    this.#steps += 1;
    this.#sizeBytes += sizeBytes;
    if (this.#steps < STEPS_PER_LOOK && this.#sizeBytes < BYTES_PER_LOOK) return false;
    this.#steps = 0;
    this.#sizeBytes = 0;
    return this.#pace.nowMs() - this.#startMs >= SLICE_MS;
  }

  async next(): Promise<void> {
    await this.#pace.yieldToLoop();
    this.#startMs = this.#pace.nowMs();
  }
}
