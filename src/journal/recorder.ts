import type { Clock } from "../base/index.js";
import type { BatchOrigin, Store, StoreBatch, StoreEvent } from "../store/index.js";
import { entryOf, type JournalEntry } from "./core/index.js";
import type { FileJournal } from "./file/file-journal.js";

/** Events that wait to become entries; beyond it whole transactions are given up and counted. */
export const EVENTS_MAX = 65_536;
/** Longest turn of making entries. */
const SLICE_MS = 4;
/** Entries handed over at a time. */
const CHUNK_COUNT = 64;

type Pending = {
  readonly index: number;
  readonly events: readonly StoreEvent[];
  readonly origin: BatchOrigin | undefined;
  /** Events done. */
  seq: number;
};

/**
 * Makes the journal's entries of what the store applies. The store's listener only remembers the event (objects are immutable); the work is
 * done in slices afterwards, so that a large transaction holds up nothing.
 */
export class JournalRecorder {
  readonly #journal: FileJournal;
  readonly #clock: Clock;
  readonly #nextTurn: () => Promise<void>;
  readonly #unsubscribe: () => void;
  #pending: Pending[] = [];
  /** Batches of `#pending` that are done: shifting a long array one by one would cost its length each time. */
  #doneCount = 0;
  #eventCount = 0;
  #droppedCount = 0;
  #working: Promise<void> | undefined;

  constructor(parts: {
    readonly store: Store;
    readonly journal: FileJournal;
    readonly clock: Clock;
    /** Resolves in the next turn of the event loop. */
    readonly nextTurn: () => Promise<void>;
  }) {
    this.#journal = parts.journal;
    this.#clock = parts.clock;
    this.#nextTurn = parts.nextTurn;
    this.#unsubscribe = parts.store.subscribe((batch) => {
      this.#take(batch);
    });
  }

  /** Events given up since the start. */
  get droppedCount(): number {
    return this.#droppedCount;
  }

  /** Resolves when what the store has applied so far is with the journal. */
  async settled(): Promise<void> {
    await this.#working;
  }

  /** Something the store has applied is not with the journal yet. */
  get isBusy(): boolean {
    return this.#working !== undefined;
  }

  /** Takes no more, and resolves when all that was taken is with the journal. */
  async close(): Promise<void> {
    this.#unsubscribe();
    await this.#working;
  }

  #take(batch: StoreBatch): void {
    if (batch.kind === "restored") {
      this.#journal.restored(batch.index);
      return;
    }
    const { index, events, origin } = batch;
    // A log that is read again at the start holds what is stored already.
    if (events.length === 0 || index < this.#journal.lag().last.index) {
      this.#journal.seen(index);
      return;
    }
    if (this.#eventCount + events.length > EVENTS_MAX && this.#eventCount > 0) {
      this.#droppedCount += events.length;
      this.#journal.unmade(index, events.length);
      return;
    }
    this.#eventCount += events.length;
    this.#pending.push({ index, events, origin, seq: 0 });
    this.#working ??= this.#work().finally(() => {
      this.#working = undefined;
    });
  }

  async #work(): Promise<void> {
    await this.#nextTurn();
    while (this.#eventCount > 0) {
      const endMs = this.#clock.nowMs() + SLICE_MS;
      do this.#handOver();
      while (this.#eventCount > 0 && this.#clock.nowMs() < endMs);
      this.#pending = this.#pending.slice(this.#doneCount);
      this.#doneCount = 0;
      if (this.#eventCount > 0) await this.#nextTurn();
    }
  }

  #handOver(): void {
    const entries: JournalEntry[] = [];
    while (entries.length < CHUNK_COUNT) {
      const batch = this.#pending[this.#doneCount];
      if (batch === undefined) break;
      const event = batch.events[batch.seq];
      if (event === undefined) {
        this.#doneCount++;
        continue;
      }
      entries.push(entryOf({ index: batch.index, seq: batch.seq, event, origin: batch.origin }));
      batch.seq++;
      this.#eventCount--;
    }
    this.#journal.append(entries);
  }
}
