import { RaftError } from "../errors.js";
import type { LogIndex } from "../types.js";

/** Barriers waiting on this node; more are refused with OVERLOADED. */
export const BARRIERS_MAX = 65_536;
/** A request unanswered for this long is asked again: it or its answer was lost. */
export const READ_RETRY_TICKS = 2;
/** A barrier older than this is rejected with TIMEOUT. */
export const READ_TIMEOUT_TICKS = 50;

type Barrier = {
  readonly startedTick: number;
  readonly resolve: (index: LogIndex) => void;
  readonly reject: (error: Error) => void;
};

type Asked = {
  readonly requestId: number;
  readonly askedTick: number;
  readonly barriers: Barrier[];
};
type Answered = { readonly index: LogIndex; readonly barriers: Barrier[] };

/**
 * Batches linearizable reads (dissertation §6.4): callers that arrive while a request is out share the next
 * one. A barrier passes three stages: waiting → asked → answered (until this node has applied the index).
 */
export class ReadBarriers {
  #waiting: Barrier[] = [];
  #asked: Asked | undefined;
  #answered: Answered[] = [];
  #nextId: number;
  #count = 0;

  /** `firstId` must differ between runs of the node: a late answer to an earlier run proves nothing now. */
  constructor(firstId: number) {
    this.#nextId = firstId;
  }

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  wait(tick: number, signal: AbortSignal | undefined): Promise<LogIndex> {
    if (this.#count >= BARRIERS_MAX) {
      return Promise.reject(new RaftError("OVERLOADED", `${BARRIERS_MAX} reads are waiting`));
    }
    return new Promise((resolve, reject) => {
      const onAbort = (): void =>
        reject(new RaftError("TIMEOUT", "the reader gave up", { cause: signal?.reason }));
      const forget = (): void => signal?.removeEventListener("abort", onAbort);
      signal?.addEventListener("abort", onAbort, { once: true });
      this.#count++;
      this.#waiting.push({
        startedTick: tick,
        resolve: (index) => {
          forget();
          resolve(index);
        },
        reject: (error) => {
          forget();
          reject(error);
        },
      });
    });
  }

  /** Asks for a read index if anyone waits and nothing is out. `ask` says whether there was someone to ask. */
  flush(tick: number, ask: (requestId: number) => boolean): void {
    if (this.#asked !== undefined || this.#waiting.length === 0) return;
    const requestId = this.#nextId++;
    if (!ask(requestId)) return;
    this.#asked = { requestId, askedTick: tick, barriers: this.#waiting };
    this.#waiting = [];
  }

  answered(requestId: number, index: LogIndex): void {
    if (this.#asked?.requestId !== requestId) return;
    this.#answered.push({ index, barriers: this.#asked.barriers });
    this.#asked = undefined;
  }

  /** The request came to nothing (the leader changed): its barriers wait for the next one. */
  retry(requestId?: number): void {
    if (this.#asked === undefined) return;
    if (requestId !== undefined && this.#asked.requestId !== requestId) return;
    this.#waiting = [...this.#asked.barriers, ...this.#waiting];
    this.#asked = undefined;
  }

  /** Releases the barriers whose index is applied. */
  applied(applied: LogIndex): void {
    if (this.#answered.length === 0) return;
    const held: Answered[] = [];
    for (const answered of this.#answered) {
      if (answered.index > applied) {
        held.push(answered);
        continue;
      }
      this.#count -= answered.barriers.length;
      for (const barrier of answered.barriers) barrier.resolve(applied);
    }
    this.#answered = held;
  }

  tick(tick: number): void {
    if (this.#asked !== undefined && tick - this.#asked.askedTick >= READ_RETRY_TICKS) this.retry();
    const isOld = (barrier: Barrier): boolean => tick - barrier.startedTick >= READ_TIMEOUT_TICKS;
    if (this.#waiting.some(isOld)) {
      const old = this.#waiting.filter(isOld);
      this.#waiting = this.#waiting.filter((barrier) => !isOld(barrier));
      this.#reject(
        old,
        new RaftError("TIMEOUT", `no read index within ${READ_TIMEOUT_TICKS} ticks`),
      );
    }
  }

  failWaiting(error: RaftError): void {
    this.retry();
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#reject(waiting, error);
  }

  failAll(error: RaftError): void {
    this.failWaiting(error);
    const answered = this.#answered;
    this.#answered = [];
    for (const { barriers } of answered) this.#reject(barriers, error);
  }

  #reject(barriers: readonly Barrier[], error: RaftError): void {
    this.#count -= barriers.length;
    for (const barrier of barriers) barrier.reject(error);
  }
}
