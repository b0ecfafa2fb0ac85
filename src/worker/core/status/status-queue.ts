/**
 * Statuses on their way to the managers: in order of their last change, one per task (a later state replaces an unsent
 * one), in batches that are kept until acknowledged. A new session begins again with everything that is known.
 */
import type { TaskStatus } from "../task/types.js";

export type StatusBatch = { readonly seq: number; readonly statuses: readonly TaskStatus[] };

/** Most statuses in one message. */
export const BATCH_MAX = 500;
/** Most batches sent and not acknowledged. */
export const IN_FLIGHT_MAX = 8;

export class StatusQueue {
  /** Insertion order is sending order. */
  readonly #waiting = new Map<string, TaskStatus>();
  readonly #inFlight = new Map<number, readonly TaskStatus[]>();
  #seq = 0;

  /** Statuses waiting or sent and not acknowledged. */
  get size(): number {
    let count = this.#waiting.size;
    for (const statuses of this.#inFlight.values()) count += statuses.length;
    return count;
  }

  put(status: TaskStatus): void {
    const earlier = this.#waiting.get(status.taskId);
    if (earlier !== undefined && earlier.state > status.state) return;
    this.#waiting.delete(status.taskId);
    this.#waiting.set(status.taskId, status);
  }

  /** The managers have forgotten the task: nothing of it needs to be told. */
  forget(taskId: string): void {
    this.#waiting.delete(taskId);
  }

  /** Batches that may be sent now. */
  take(): readonly StatusBatch[] {
    const batches: StatusBatch[] = [];
    while (this.#waiting.size > 0 && this.#inFlight.size < IN_FLIGHT_MAX) {
      const statuses: TaskStatus[] = [];
      for (const [taskId, status] of this.#waiting) {
        if (statuses.length === BATCH_MAX) break;
        statuses.push(status);
        this.#waiting.delete(taskId);
      }
      this.#seq += 1;
      this.#inFlight.set(this.#seq, statuses);
      batches.push({ seq: this.#seq, statuses });
    }
    return batches;
  }

  /** All statuses of the batch are committed. Unknown numbers belong to an earlier session. */
  acknowledge(seq: number): void {
    this.#inFlight.delete(seq);
  }

  /**
   * A new session: what was sent and not acknowledged may be lost, and another leader may know less than the last one.
   * Tells all of `known` (in the order they changed) and keeps numbering, so that a late acknowledgement hits nothing.
   */
  restart(known: readonly TaskStatus[]): void {
    this.#inFlight.clear();
    this.#waiting.clear();
    for (const status of [...known].sort(byChange)) this.#waiting.set(status.taskId, status);
  }
}

function byChange(a: TaskStatus, b: TaskStatus): number {
  return a.atMs - b.atMs || (a.taskId < b.taskId ? -1 : 1);
}
