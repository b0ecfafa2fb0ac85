import { setMaxListeners } from "node:events";

/**
 * Owns background loops: starts them, reports the first failure, and on disposal aborts and awaits all of them.
 * Nothing runs detached from a group.
 */
export class TaskGroup implements AsyncDisposable {
  readonly #controller = new AbortController();
  readonly #running = new Set<Promise<void>>();
  readonly #onFailure: (name: string, error: unknown) => void;

  constructor(onFailure: (name: string, error: unknown) => void) {
    this.#onFailure = onFailure;
    // All loops share this signal and wait on it, often in several places, so Node's warning at ten listeners says nothing. It is
    // bounded: the group's loops are (tasks of a node, loops of a leader), and a wait that ends takes its listener along.
    setMaxListeners(0, this.#controller.signal);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Runs `loop` until it returns. A rejection after the group was aborted is the expected way to end. */
  run(name: string, loop: (signal: AbortSignal) => Promise<void>): void {
    const done = loop(this.signal)
      .catch((error: unknown) => {
        if (!this.signal.aborted) this.#onFailure(name, error);
      })
      .finally(() => this.#running.delete(done));
    this.#running.add(done);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#controller.abort(new Error("stopping"));
    await Promise.all(this.#running);
  }
}
