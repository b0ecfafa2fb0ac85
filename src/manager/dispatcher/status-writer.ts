import type { Change } from "../../api/index.js";
import type { Clock, Logger } from "../../base/index.js";
import { ProposeError, type Proposer } from "../../store/index.js";

/** Changes in one transaction. */
export const BATCH_ITEMS_MAX = 10_000;
/** Estimated bytes in one transaction; Raft takes 1.5 MiB. */
export const BATCH_BYTES_MAX = 1024 * 1024;
/** Changes waiting; beyond it sessions are ended and their agents send again later. */
export const QUEUE_ITEMS_MAX = 100_000;
const OVERLOADED_PAUSE_MS = 50;

type Item = {
  readonly change: Change;
  readonly sizeBytes: number;
  readonly done: (error?: unknown) => void;
};

/**
 * Commits what agents report: one transaction in flight, and everything that arrives meanwhile goes into the next one.
 * So a lone status is written at once, and a flood costs one disk write per round.
 */
export class StatusWriter {
  #queue: Item[] = [];
  #wake: (() => void) | undefined;
  #isClosed = false;
  readonly #proposer: Proposer;
  readonly #clock: Clock;
  readonly #logger: Logger;

  constructor(parts: {
    readonly proposer: Proposer;
    readonly clock: Clock;
    readonly logger: Logger;
  }) {
    this.#proposer = parts.proposer;
    this.#clock = parts.clock;
    this.#logger = parts.logger;
  }

  get isFull(): boolean {
    return this.#queue.length >= QUEUE_ITEMS_MAX;
  }

  /** Resolves once all changes are committed. Rejects when leadership is lost: then they may or may not be. */
  write(changes: readonly Change[]): Promise<void> {
    if (this.#isClosed) return Promise.reject(closed());
    const last = changes.at(-1);
    if (last === undefined) return Promise.resolve();
    return new Promise((resolve, reject) => {
      for (const change of changes) {
        // Order is kept, so the last one's commit is everybody's.
        const done =
          change === last
            ? (error?: unknown) => (error === undefined ? resolve() : reject(error))
            : () => {};
        this.#queue.push({ change, sizeBytes: estimate(change), done });
      }
      this.#wake?.();
    });
  }

  /** Until the signal aborts; then everything that waits is rejected. */
  async run(signal: AbortSignal): Promise<void> {
    const onAbort = (): void => this.#wake?.();
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      while (!signal.aborted) {
        const batch = this.#take();
        if (batch.length === 0) {
          await new Promise<void>((resolve) => {
            this.#wake = resolve;
          });
          this.#wake = undefined;
        } else if (!(await this.#commit(batch, signal))) return;
      }
    } finally {
      signal.removeEventListener("abort", onAbort);
      this.#isClosed = true;
      for (const item of this.#queue.splice(0)) item.done(closed());
    }
  }

  /** False when this node leads no more. */
  async #commit(batch: readonly Item[], signal: AbortSignal): Promise<boolean> {
    try {
      await this.#proposer.propose(
        {
          requestId: "",
          atMs: this.#clock.wallMs(),
          isClient: false,
          preconditions: [],
          changes: batch.map((item) => item.change),
          resultJson: "",
        },
        signal,
      );
      for (const item of batch) item.done();
      return true;
    } catch (error) {
      if (!(error instanceof ProposeError)) throw error;
      if (error.code === "OVERLOADED") {
        this.#queue = [...batch, ...this.#queue];
        await this.#clock.sleep(OVERLOADED_PAUSE_MS);
        return true;
      }
      for (const item of batch) item.done(error);
      if (error.code !== "REJECTED" && error.code !== "TOO_LARGE") return false;
      this.#logger.error({ err: error, count: batch.length }, "reported statuses were refused");
      return true;
    }
  }

  #take(): Item[] {
    let count = 0;
    let sizeBytes = 0;
    for (const item of this.#queue) {
      sizeBytes += item.sizeBytes;
      if (count > 0 && (count >= BATCH_ITEMS_MAX || sizeBytes > BATCH_BYTES_MAX)) break;
      count += 1;
    }
    return this.#queue.splice(0, count);
  }
}

/** Rough: fixed fields plus the texts that can be long. */
function estimate(change: Change): number {
  if (change.kind === "taskStatus")
    return 200 + 3 * (change.message.length + change.err.length) + 40 * change.portStatus.length;
  if (change.kind === "nodeStatus" && change.description !== undefined) return 16 * 1024;
  return 200;
}

function closed(): ProposeError {
  return new ProposeError("NOT_LEADER", "this manager leads no more");
}
