import type { StoredResultRecord } from "../api/index.js";

export const RESULTS_MAX = 10_000;
export const RESULT_AGE_MAX_MS = 10 * 60_000;

/**
 * Results of the last requests, so that a retry gets the first answer instead of a second effect (contracts §2). Ages by
 * transaction time alone, and only when a result is added: every replica drops the same ones at the same entry.
 */
export class KeptResults {
  /** In the order of their log index. */
  readonly #byRequest = new Map<string, StoredResultRecord>();

  get(requestId: string): StoredResultRecord | undefined {
    return this.#byRequest.get(requestId);
  }

  /** Indexes grow from call to call. */
  add(result: StoredResultRecord): void {
    this.#byRequest.set(result.requestId, result);
    for (const [requestId, oldest] of this.#byRequest) {
      const isTooOld = oldest.atMs < result.atMs - RESULT_AGE_MAX_MS;
      if (!isTooOld && this.#byRequest.size <= RESULTS_MAX) break;
      this.#byRequest.delete(requestId);
    }
  }

  list(): readonly StoredResultRecord[] {
    return [...this.#byRequest.values()];
  }
}
