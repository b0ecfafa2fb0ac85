/** How long one query waits for somebody else's answers: not long for the first, and little in all for those that follow. */
import type { Clock } from "../base/index.js";

/** Until the first answer, connecting included; and what all further ones may take beyond their PAGE_MS. */
export const PATIENCE_MS = 1500;
/** Entries of one answer. */
export const PAGE_ENTRIES = 256;
/** Entries looked at for one query. */
export const LOOKED_AT_MAX = 1_000_000;
/** Who takes no longer than this for an answer can be read to the end. */
const PAGE_MS = 20;

export class Patience {
  readonly #clock: Clock;
  #leftMs = PATIENCE_MS;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Milliseconds that the next answer may take; never 0. */
  get leftMs(): number {
    return Math.max(1, this.#leftMs);
  }

  /** As at the beginning. */
  renew(): void {
    this.#leftMs = PATIENCE_MS;
  }

  /**
   * As `work` ends; rejects once that takes too long, or `closing` aborts. The signal that `work` gets aborts when it is not waited for
   * any more.
   */
  async wait<T>(work: (signal: AbortSignal) => Promise<T>, closing?: AbortSignal): Promise<T> {
    closing?.throwIfAborted();
    const startMs = this.#clock.nowMs();
    const over = new AbortController();
    const signal = closing === undefined ? over.signal : AbortSignal.any([over.signal, closing]);
    const tooLate = this.#clock.sleep(this.leftMs, signal).then(() => {
      throw new Error(`did not answer within ${PATIENCE_MS / 1000} s`);
    });
    try {
      const answer = await Promise.race([work(signal), tooLate]);
      const waitedMs = this.#clock.nowMs() - startMs;
      this.#leftMs = Math.min(PATIENCE_MS, this.#leftMs - waitedMs + PAGE_MS);
      return answer;
    } finally {
      over.abort();
      // It rejects with the abort, whoever won.
      tooLate.catch(() => undefined);
    }
  }
}
