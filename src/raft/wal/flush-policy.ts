/** A flush on the event loop beats one through the thread pool below about this; above, it only blocks. */
export const SYNC_FLUSH_MAX_MS = 0.25;
/** Larger frames go through the pool: their copy into the page cache alone would hold the loop. */
export const SYNC_FRAME_MAX_BYTES = 256 * 1024;
/** Flushes through the pool before a synchronous one is tried again. */
export const RETRY_AFTER_FLUSHES = 256;
/** A stall this long sends the next flushes to the pool whatever the mean says. */
const STALL_MS = 4;
const SMOOTHING = 0.1;

/** Chooses between synchronous and pooled flushes from measured latency. */
export class FlushPolicy {
  #meanMs = 0;
  #pooledLeft = 0;

  isSyncWorthwhile(sizeBytes: number): boolean {
    if (sizeBytes > SYNC_FRAME_MAX_BYTES) return false;
    if (this.#pooledLeft > 0) {
      this.#pooledLeft--;
      return false;
    }
    return true;
  }

  measuredSync(durationMs: number): void {
    // One stall must not weigh on the mean for long: it is answered by the pool at once.
    this.#meanMs += SMOOTHING * (Math.min(durationMs, STALL_MS) - this.#meanMs);
    if (durationMs >= STALL_MS || this.#meanMs > SYNC_FLUSH_MAX_MS) {
      this.#pooledLeft = RETRY_AFTER_FLUSHES;
      this.#meanMs = Math.min(this.#meanMs, SYNC_FLUSH_MAX_MS);
    }
  }
}
