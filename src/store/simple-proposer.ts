import { encodeTransaction, type Transaction } from "../api/index.js";
import type { Proposer, ReplicatedStore } from "./port.js";
import { ProposeError } from "./propose-error.js";
import { rejectionText } from "./rejection-text.js";

/**
 * A proposer without a group: each transaction becomes the next entry of `store` during the call. Proposals made by a store listener
 * wait until the entry they react to is done, as they would with a log in between. For one process alone, and for tests.
 */
export class LocalProposer implements Proposer {
  readonly #store: ReplicatedStore;
  readonly #queue: (() => void)[] = [];
  #isApplying = false;

  constructor(store: ReplicatedStore) {
    this.#store = store;
  }

  propose(
    transaction: Transaction,
    signal?: AbortSignal,
  ): Promise<{ readonly index: number; readonly resultJson: string }> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(new ProposeError("STOPPED", "the caller gave up", { cause: signal.reason }));
        return;
      }
      const bytes = encodeTransaction(transaction);
      this.#queue.push(() => {
        const outcome = this.#store.apply(this.#store.index + 1, bytes);
        if (outcome.kind === "applied") {
          resolve({ index: outcome.index, resultJson: outcome.resultJson });
          return;
        }
        const { rejection } = outcome;
        reject(new ProposeError("REJECTED", rejectionText(rejection), { rejection }));
      });
      this.#drain();
    });
  }

  #drain(): void {
    if (this.#isApplying) return;
    this.#isApplying = true;
    try {
      for (let next = this.#queue.shift(); next; next = this.#queue.shift()) next();
    } finally {
      this.#isApplying = false;
    }
  }
}
