/** Refused callers come again every second for as long as they live: each is written down once an hour. */
import type { Clock } from "../../base/index.js";

const REPEAT_AFTER_MS = 3_600_000;
/** Callers remembered; the one that was written down longest ago is forgotten first. */
export const REMEMBERED_MAX = 1_024;

export class RefusalLog {
  readonly #clock: Clock;
  /** Caller, method and reason → when it was written down. Insertion order is order of time. */
  readonly #written = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether this refusal is to be written down. */
  isNew(refusal: {
    readonly from: string;
    readonly method: string;
    readonly reason: string;
  }): boolean {
    const key = `${refusal.from}\n${refusal.method}\n${refusal.reason}`;
    const nowMs = this.#clock.nowMs();
    const writtenMs = this.#written.get(key);
    if (writtenMs !== undefined && nowMs - writtenMs < REPEAT_AFTER_MS) return false;
    this.#written.delete(key);
    this.#written.set(key, nowMs);
    if (this.#written.size > REMEMBERED_MAX) {
      const oldest = this.#written.keys().next().value;
      if (oldest !== undefined) this.#written.delete(oldest);
    }
    return true;
  }
}
