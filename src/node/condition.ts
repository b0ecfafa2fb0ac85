/** Something that holds or does not, and those who wait for it. */
export class Condition {
  readonly #waiters = new Set<{ resolve: () => void; reject: (error: unknown) => void }>();
  #holds = false;

  get holds(): boolean {
    return this.#holds;
  }

  set(holds: boolean): void {
    this.#holds = holds;
    if (!holds) return;
    for (const waiter of this.#waiters) waiter.resolve();
    this.#waiters.clear();
  }

  /** Rejects all who wait now. */
  fail(error: unknown): void {
    for (const waiter of this.#waiters) waiter.reject(error);
    this.#waiters.clear();
  }

  /** Resolves as soon as it holds; rejects with the signal's reason or what `fail` was given. */
  wait(signal: AbortSignal): Promise<void> {
    if (this.#holds) return Promise.resolve();
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(signal.reason);
        return;
      }
      const onAbort = (): void => {
        this.#waiters.delete(waiter);
        reject(signal.reason);
      };
      const waiter = {
        resolve: () => {
          signal.removeEventListener("abort", onAbort);
          resolve();
        },
        reject: (error: unknown) => {
          signal.removeEventListener("abort", onAbort);
          reject(error);
        },
      };
      this.#waiters.add(waiter);
      signal.addEventListener("abort", onAbort, { once: true });
    });
  }
}
