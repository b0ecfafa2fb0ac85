/** The first result; rejects with the signal's reason as soon as it aborts. */
export function raceAbort<T>(signal: AbortSignal, promises: readonly Promise<T>[]): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    if (signal.aborted) onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    const done = (): void => signal.removeEventListener("abort", onAbort);
    for (const promise of promises) promise.then(resolve, reject).finally(done);
  });
}
