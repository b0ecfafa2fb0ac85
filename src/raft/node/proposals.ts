import { RaftError } from "../errors.js";
import type { LogIndex, MemberId, Term } from "../types.js";

export type ProposalResult = { readonly index: LogIndex; readonly result: unknown };

type Pending = {
  readonly term: Term;
  readonly sizeBytes: number;
  readonly resolve: (value: ProposalResult) => void;
  readonly reject: (error: Error) => void;
  readonly forget: () => void;
};

/** Proposals appended by this leader and not applied yet, by log index. */
export class Proposals {
  readonly #pending = new Map<LogIndex, Pending>();
  #sizeBytes = 0;

  get count(): number {
    return this.#pending.size;
  }
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** Settles when the entry is applied here, or its fate can no longer be known. */
  wait(
    index: LogIndex,
    term: Term,
    sizeBytes: number,
    signal: AbortSignal | undefined,
  ): Promise<ProposalResult> {
    return new Promise((resolve, reject) => {
      const onAbort = (): void => this.#abort(index, signal);
      signal?.addEventListener("abort", onAbort, { once: true });
      const forget = (): void => signal?.removeEventListener("abort", onAbort);
      this.#pending.set(index, { term, sizeBytes, resolve, reject, forget });
      this.#sizeBytes += sizeBytes;
    });
  }

  applied(index: LogIndex, term: Term, result: unknown): void {
    const pending = this.#take(index);
    if (pending === undefined) return;
    if (pending.term === term) pending.resolve({ index, result });
    else
      pending.reject(
        new RaftError("OUTCOME_UNKNOWN", `entry ${index} was replaced by another leader's`),
      );
  }

  /** Leadership or the node itself is lost: each of them may still commit elsewhere, or never. */
  failAll(why: string, leader: MemberId | undefined, cause?: unknown): void {
    for (const index of [...this.#pending.keys()]) {
      const message = `entry ${index}: ${why}; it may or may not commit`;
      this.#take(index)?.reject(new RaftError("OUTCOME_UNKNOWN", message, { leader, cause }));
    }
  }

  #abort(index: LogIndex, signal: AbortSignal | undefined): void {
    const message = `entry ${index}: the caller gave up; it may or may not commit`;
    this.#take(index)?.reject(new RaftError("OUTCOME_UNKNOWN", message, { cause: signal?.reason }));
  }

  #take(index: LogIndex): Pending | undefined {
    const pending = this.#pending.get(index);
    if (pending === undefined) return undefined;
    this.#pending.delete(index);
    this.#sizeBytes -= pending.sizeBytes;
    pending.forget();
    return pending;
  }
}
