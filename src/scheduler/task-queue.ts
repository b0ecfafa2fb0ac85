import type { Task } from "../api/index.js";

const NONE: readonly Task[] = [];

/**
 * Tasks in the order of their arrival. Most groups of a large cluster are one task, which needs no map: with many services a map for
 * each was a fifth of all the time that placing took.
 */
export class TaskQueue {
  #only: Task | undefined;
  #more: Map<string, Task> | undefined;

  get size(): number {
    if (this.#more) return this.#more.size;
    return this.#only ? 1 : 0;
  }

  /** Takes the place of one with the same id. */
  put(task: Task): void {
    if (this.#more) this.#more.set(task.id, task);
    else if (!this.#only || this.#only.id === task.id) this.#only = task;
    else {
      this.#more = new Map([
        [this.#only.id, this.#only],
        [task.id, task],
      ]);
      this.#only = undefined;
    }
  }

  /** False when it was not there. */
  delete(id: string): boolean {
    if (this.#more) return this.#more.delete(id);
    if (this.#only?.id !== id) return false;
    this.#only = undefined;
    return true;
  }

  /** Those that are there now; what was visited may be deleted meanwhile. */
  values(): Iterable<Task> {
    if (this.#more) return this.#more.values();
    return this.#only ? [this.#only] : NONE;
  }
}
