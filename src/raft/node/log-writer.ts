import type { HardState } from "../core/entry.js";
import { entrySizeBytes } from "../core/entry.js";
import type { Ready } from "../core/raft-core.js";
import type { SaveBatch, Wal } from "../wal/wal.js";

/** How often a commit index that nothing else takes along goes to the disk by itself. */
export const COMMIT_FLUSH_TICKS = 10;
/** Bytes of entries gathered into one flush; the rest waits for the next. */
export const FLUSH_MAX_BYTES = 4 * 1024 * 1024;

/**
 * Group commit: one flush in flight; whatever is submitted meanwhile shares the next frame. `onSaved` is
 * called in the order of submission, also for work that needed no flush itself but came after some that did.
 */
export class LogWriter {
  readonly #wal: Pick<Wal, "save">;
  readonly #onSaved: (saved: readonly Ready[], isAsync: boolean) => void;
  readonly #onFailed: (cause: unknown) => void;
  #queue: Ready[] = [];
  #inFlight: Promise<void> | undefined;
  #isStopped = false;
  /** A commit index alone is not worth a flush at once: it rides with the next frame. */
  #lazyHardState: HardState | undefined;

  constructor(
    wal: Pick<Wal, "save">,
    onSaved: (saved: readonly Ready[], isAsync: boolean) => void,
    onFailed: (cause: unknown) => void,
  ) {
    this.#wal = wal;
    this.#onSaved = onSaved;
    this.#onFailed = onFailed;
  }

  submit(ready: Ready): void {
    this.#queue.push(ready);
    if (this.#inFlight === undefined) this.#pump(false);
  }

  /**
   * Saves a commit index that still waits for a next frame. A member that dies may be the one its group is continued from
   * (core/alone.ts), and only what it knows to be committed counts then: that must not stay behind for as long as nothing is written.
   */
  flushCommit(): void {
    const hardState = this.#lazyHardState;
    if (hardState === undefined || this.#inFlight !== undefined || this.#isStopped) return;
    this.#lazyHardState = undefined;
    const flush = this.#save([{ reset: undefined, entries: [], hardState }]);
    if (flush === undefined || flush === "failed") return;
    this.#inFlight = flush.then(
      () => this.#flushed([]),
      (cause: unknown) => this.#failed(cause),
    );
  }

  /** Waits for the flush in flight and saves the last commit index; nothing is taken afterwards. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#inFlight;
    const hardState = this.#lazyHardState;
    if (hardState !== undefined)
      await this.#wal.save([{ reset: undefined, entries: [], hardState }]);
    this.#lazyHardState = undefined;
  }

  /** After a failure: nothing more is written or reported. */
  abandon(): void {
    this.#isStopped = true;
    this.#queue = [];
    this.#lazyHardState = undefined;
  }

  #pump(isAsync: boolean): void {
    while (this.#queue.length > 0 && !this.#isStopped) {
      const taken = this.#take();
      const batches = this.#batches(taken);
      const flush = batches.length === 0 ? undefined : this.#save(batches);
      if (flush === "failed") return;
      if (flush !== undefined) {
        this.#inFlight = flush.then(
          () => this.#flushed(taken),
          (cause: unknown) => this.#failed(cause),
        );
        return;
      }
      this.#onSaved(taken, isAsync);
    }
  }

  #flushed(taken: readonly Ready[]): void {
    this.#inFlight = undefined;
    if (this.#isStopped) return;
    this.#onSaved(taken, true);
    if (this.#inFlight === undefined) this.#pump(true);
  }

  #failed(cause: unknown): void {
    this.#inFlight = undefined;
    this.abandon();
    this.#onFailed(cause);
  }

  #save(batches: readonly SaveBatch[]): Promise<void> | undefined | "failed" {
    try {
      return this.#wal.save(batches);
    } catch (cause) {
      this.#failed(cause);
      return "failed";
    }
  }

  #take(): Ready[] {
    let bytes = 0;
    let count = 0;
    for (const ready of this.#queue) {
      for (const entry of ready.entries) bytes += entrySizeBytes(entry);
      if (count > 0 && bytes > FLUSH_MAX_BYTES) break;
      count++;
    }
    return this.#queue.splice(0, count);
  }

  /** What of it goes to disk now; empty when nothing has to. */
  #batches(taken: readonly Ready[]): SaveBatch[] {
    if (!taken.some((ready) => ready.mustSync)) {
      for (const ready of taken) this.#lazyHardState = ready.hardState ?? this.#lazyHardState;
      return [];
    }
    const batches: SaveBatch[] = [];
    if (this.#lazyHardState !== undefined) {
      batches.push({ reset: undefined, entries: [], hardState: this.#lazyHardState });
      this.#lazyHardState = undefined;
    }
    for (const { snapshot, entries, hardState } of taken) {
      if (snapshot === undefined && entries.length === 0 && hardState === undefined) continue;
      batches.push({ reset: snapshot, entries, hardState });
    }
    return batches;
  }
}
