import type { Entry, HardState } from "../core/entry.js";
import { RaftError } from "../errors.js";
import { INDEX_ZERO, TERM_ZERO } from "../ids.js";
import type { LogIndex, MemberId, Term } from "../types.js";
import type { WalRecord } from "./record.js";

export type ReplayedLog = {
  readonly memberId: MemberId;
  readonly hardState: HardState;
  /** Position before the first entry. */
  readonly base: LogIndex;
  readonly baseTerm: Term;
  readonly entries: readonly Entry[];
};

/** Rebuilds the log from its records, in the order they were written. */
export class Replay {
  #memberId: MemberId | undefined;
  #hardState: HardState = { term: TERM_ZERO, vote: undefined, commit: INDEX_ZERO };
  #base: LogIndex = INDEX_ZERO;
  #baseTerm: Term = TERM_ZERO;
  #entries: Entry[] = [];

  get lastIndex(): number {
    return this.#base + this.#entries.length;
  }

  feed(record: WalRecord, where: string): void {
    switch (record.kind) {
      case "head":
        return this.#head(record, where);
      case "entry":
        return this.#entry(record.entry, where);
      case "hardState":
        this.#hardState = record.hardState;
        return;
      case "reset":
        return this.#reset(record.index, record.term);
    }
  }

  finish(): ReplayedLog | undefined {
    if (this.#memberId === undefined) return undefined;
    return {
      memberId: this.#memberId,
      hardState: this.#hardState,
      base: this.#base,
      baseTerm: this.#baseTerm,
      entries: this.#entries,
    };
  }

  #head(record: WalRecord & { kind: "head" }, where: string): void {
    if (this.#memberId === undefined) {
      // The oldest segment left: what came before it is covered by a snapshot.
      this.#hardState = record.hardState;
      this.#reset(record.lastIndex, record.lastTerm);
    } else if (this.#memberId !== record.memberId || record.lastIndex !== this.lastIndex) {
      throw new RaftError(
        "DAMAGED",
        `${where}: segment of ${record.memberId} after index ${record.lastIndex} does not continue ` +
          `the log of ${this.#memberId} at ${this.lastIndex}`,
      );
    }
    this.#memberId = record.memberId;
  }

  #entry(entry: Entry, where: string): void {
    if (entry.index > this.lastIndex + 1) {
      throw new RaftError("DAMAGED", `${where}: entry ${entry.index} after ${this.lastIndex}`);
    }
    if (entry.index <= this.#base) {
      // A conflict below the oldest segment left: its predecessor is gone, so it becomes the base itself.
      this.#reset(entry.index, entry.term);
      return;
    }
    this.#entries.length = entry.index - this.#base - 1;
    this.#entries.push(entry);
  }

  #reset(index: LogIndex, term: Term): void {
    this.#base = index;
    this.#baseTerm = term;
    this.#entries = [];
  }
}
