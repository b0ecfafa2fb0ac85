/** Time as the shells see it. Cores get plain numbers (`nowMs`, `wallMs`) in their events instead. */
export interface Clock {
  /** Monotonic ms. Only differences mean anything; never stored or sent. */
  nowMs(): number;
  /** Unix time in ms: for stored timestamps and log lines only, never for deadlines. */
  wallMs(): number;
  /** Resolves after delayMs; rejects with signal.reason once aborted. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>;
  /** Aborts after delayMs. Use instead of AbortSignal.timeout, which reads the real clock. */
  timeout(delayMs: number): AbortSignal;
  /** Calls back once after delayMs; the result cancels it. */
  setTimer(delayMs: number, callback: () => void): () => void;
}

/** The machine's clocks. Its timers keep no process alive by themselves. */
export class SystemClock implements Clock {
  nowMs(): number {
    return performance.now();
  }

  wallMs(): number {
    return Date.now();
  }

  sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason);
        return;
      }
      const onAbort = (): void => {
        clearTimeout(timer);
        reject(signal?.reason);
      };
      const timer = setTimeout(() => {
        signal?.removeEventListener("abort", onAbort);
        resolve();
      }, delayMs);
      signal?.addEventListener("abort", onAbort, { once: true });
    });
  }

  timeout(delayMs: number): AbortSignal {
    const controller = new AbortController();
    setTimeout(() => {
      controller.abort(new DOMException(`timed out after ${delayMs} ms`, "TimeoutError"));
    }, delayMs).unref();
    return controller.signal;
  }

  setTimer(delayMs: number, callback: () => void): () => void {
    const timer = setTimeout(callback, delayMs);
    timer.unref();
    return () => {
      clearTimeout(timer);
    };
  }
}
