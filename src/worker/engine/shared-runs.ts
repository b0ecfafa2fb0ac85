import { untilAborted } from "./until-aborted.js";

/** Lets callers that want the same thing at the same time share one run of the work. */
type Run<Report, Result> = {
  readonly result: Promise<Result>;
  readonly listeners: Set<(report: Report) => void>;
  readonly stop: AbortController;
};

export class SharedRuns<Report, Result> {
  readonly #runs = new Map<string, Run<Report, Result>>();

  /** Joins the run under `key` or starts it. A caller that aborts leaves; the work is aborted when the last one left. */
  async run(
    key: string,
    listener: (report: Report) => void,
    signal: AbortSignal,
    work: (report: (report: Report) => void, signal: AbortSignal) => Promise<Result>,
  ): Promise<Result> {
    signal.throwIfAborted();
    const run = this.#runs.get(key) ?? this.#start(key, work);
    // A function of its own: two callers may hand in the same listener.
    const own = (report: Report): void => listener(report);
    run.listeners.add(own);
    try {
      return await untilAborted(run.result, signal);
    } finally {
      run.listeners.delete(own);
      if (run.listeners.size === 0) {
        // Whoever comes now must not join what is being aborted.
        if (this.#runs.get(key) === run) this.#runs.delete(key);
        run.stop.abort(new Error("nobody waits for it any more"));
      }
    }
  }

  #start(
    key: string,
    work: (report: (report: Report) => void, signal: AbortSignal) => Promise<Result>,
  ): Run<Report, Result> {
    const stop = new AbortController();
    const listeners = new Set<(report: Report) => void>();
    const result = work((report) => {
      for (const listener of listeners) listener(report);
    }, stop.signal).finally(() => {
      if (this.#runs.get(key)?.stop === stop) this.#runs.delete(key);
    });
    result.catch(() => undefined);
    const run = { result, listeners, stop };
    this.#runs.set(key, run);
    return run;
  }
}
