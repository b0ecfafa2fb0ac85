/**
 * Keeps starts back while superseded tasks still run: a node that was away stops them first, so that no slot runs twice
 * on it. Tasks of the same service wait without limit, others for at most 30 s.
 */
import type { Clock } from "../../base/index.js";

const OTHERS_WAIT_MAX_MS = 30_000;

export class StartGate {
  readonly #clock: Clock;
  readonly #stopping = new Set<{ readonly serviceId: string; readonly done: Promise<void> }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** `done` resolves when the superseded task of `serviceId` has ended; it never rejects. */
  hold(serviceId: string, done: Promise<void>): void {
    const entry = { serviceId, done };
    this.#stopping.add(entry);
    void done.then(() => this.#stopping.delete(entry)); // never rejects
  }

  /** Resolves when a task of `serviceId` may start; rejects with the signal's reason. */
  async pass(serviceId: string, signal: AbortSignal): Promise<void> {
    const entries = [...this.#stopping];
    if (entries.length === 0) return;
    const own = entries.filter((entry) => entry.serviceId === serviceId);
    const others = Promise.race([
      Promise.all(entries.map((entry) => entry.done)),
      this.#clock.sleep(OTHERS_WAIT_MAX_MS, signal),
    ]);
    const aborted = new Promise<never>((_, reject) => {
      if (signal.aborted) reject(signal.reason);
      signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    });
    await Promise.race([Promise.all([...own.map((entry) => entry.done), others]), aborted]);
  }
}
