/** Answers of other servers, kept for the time when none of them answers (RFC 8767). Least recently used goes first. */

/** Entries on one node. */
export const STALE_ENTRY_MAX = 2_048;
/** Larger answers are not kept: with the line above, at most 2.5 MiB. */
export const STALE_MESSAGE_MAX_BYTES = 1_232;
/** How long past its TTL an answer may still be given (RFC 8767 §5 suggests 1 to 3 days). */
export const STALE_MAX_MS = 24 * 3_600_000;
/** A question that failed is not asked again for this long while an old answer serves (RFC 8767 §5: failure recheck). */
export const STALE_RECHECK_MS = 5_000;

type Entry<Message> = {
  readonly message: Message;
  readonly endMs: number;
  recheckAtMs: number;
};

export class StaleCache<Message extends { readonly length: number }> {
  readonly #entries = new Map<string, Entry<Message>>();

  get size(): number {
    return this.#entries.size;
  }

  /** `ttlSec` of 0: the answer was for that one question (RFC 8767 §4), and an older one is no longer true. */
  put(key: string, message: Message, ttlSec: number, nowMs: number): void {
    this.#entries.delete(key);
    if (ttlSec === 0 || message.length > STALE_MESSAGE_MAX_BYTES) return;
    const endMs = nowMs + ttlSec * 1_000 + STALE_MAX_MS;
    this.#entries.set(key, { message, endMs, recheckAtMs: nowMs });
    if (this.#entries.size > STALE_ENTRY_MAX) {
      for (const oldest of this.#entries.keys()) {
        this.#entries.delete(oldest);
        break;
      }
    }
  }

  /** `isFailing`: it failed a moment ago; give this answer and ask nobody. */
  get(key: string, nowMs: number): { message: Message; isFailing: boolean } | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#entries.delete(key);
    if (nowMs >= entry.endMs) return undefined;
    this.#entries.set(key, entry);
    return { message: entry.message, isFailing: nowMs < entry.recheckAtMs };
  }

  /** Nobody answered. */
  fail(key: string, nowMs: number): void {
    const entry = this.#entries.get(key);
    if (entry !== undefined) entry.recheckAtMs = nowMs + STALE_RECHECK_MS;
  }
}
