import type { RaftCore } from "../core/raft-core.js";
import { RaftError } from "../errors.js";

type Wait = { readonly resolve: () => void; readonly reject: (error: Error) => void };

/** Callers of transferLeadership, until another leader is known or the attempt is over. */
export class TransferWaits {
  #waits: Wait[] = [];

  wait(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const onAbort = (): void =>
        reject(new RaftError("TIMEOUT", "the caller gave up", { cause: signal?.reason }));
      const forget = (): void => signal?.removeEventListener("abort", onAbort);
      signal?.addEventListener("abort", onAbort, { once: true });
      this.#waits.push({
        resolve: () => {
          forget();
          resolve();
        },
        reject: (error) => {
          forget();
          reject(error);
        },
      });
    });
  }

  observe(core: RaftCore): void {
    if (this.#waits.length === 0) return;
    if (core.role !== "leader" && core.leader !== undefined) {
      for (const wait of this.#take()) wait.resolve();
    } else if (core.role === "leader" && core.transferTarget === undefined) {
      this.failAll(
        new RaftError("TIMEOUT", "the successor did not take over within an election timeout"),
      );
    }
  }

  failAll(error: RaftError): void {
    for (const wait of this.#take()) wait.reject(error);
  }

  #take(): Wait[] {
    const waits = this.#waits;
    this.#waits = [];
    return waits;
  }
}
