import type { Entry, Membership, SnapshotMeta } from "../core/entry.js";
import { applyChange } from "../core/membership.js";
import type { LogIndex, RaftClock, StateMachine, Term } from "../types.js";
import { decodeChange } from "../wire/entry-codec.js";

/** A backlog is applied in slices of this length, so that the loop keeps breathing. */
export const APPLY_SLICE_MS = 6;
const ENTRIES_PER_CLOCK_READ = 32;

type Work =
  | { readonly kind: "entries"; readonly entries: readonly Entry[]; at: number }
  | { readonly kind: "restore"; readonly meta: SnapshotMeta; readonly run: () => Promise<void> };

export type ApplierHooks = {
  /** An entry is applied; `result` is the state machine's for data entries. */
  readonly onApplied: (entry: Entry, result: unknown) => void;
  /** A run of entries or a restore is done. */
  readonly onProgress: () => void;
  readonly onFailed: (cause: unknown) => void;
  readonly defer: (callback: () => void) => void;
};

/** Runs committed entries through the state machine, in order, one loop, never while a restore is under way. */
export class Applier {
  readonly #machine: StateMachine;
  readonly #clock: RaftClock;
  readonly #hooks: ApplierHooks;
  #queue: Work[] = [];
  #isBusy = false;
  #isStopped = false;
  #applied: LogIndex;
  #appliedTerm: Term;
  /** As of `applied`; the core's is as of the commit index, which may be ahead. */
  #membership: Membership;
  #restoring: Promise<void> | undefined;

  constructor(machine: StateMachine, clock: RaftClock, start: SnapshotMeta, hooks: ApplierHooks) {
    this.#machine = machine;
    this.#clock = clock;
    this.#hooks = hooks;
    this.#applied = start.index;
    this.#appliedTerm = start.term;
    this.#membership = start.membership;
  }

  get applied(): LogIndex {
    return this.#applied;
  }

  /** The position a snapshot taken now would have. Undefined while the state is being replaced. */
  position(): SnapshotMeta | undefined {
    if (this.#restoring !== undefined || this.#isStopped) return undefined;
    return { index: this.#applied, term: this.#appliedTerm, membership: this.#membership };
  }

  apply(entries: readonly Entry[]): void {
    if (entries.length === 0 || this.#isStopped) return;
    this.#queue.push({ kind: "entries", entries, at: 0 });
    if (!this.#isBusy) this.#run();
  }

  /** Replaces the state by a snapshot once everything queued before is through. */
  restore(meta: SnapshotMeta, run: () => Promise<void>): void {
    if (this.#isStopped) return;
    // Entries still waiting are covered by the snapshot; applying them first would only delay it.
    this.#queue = [{ kind: "restore", meta, run }];
    if (!this.#isBusy) this.#run();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#queue = [];
    await this.#restoring;
  }

  #run(): void {
    const endMs = this.#clock.nowMs() + APPLY_SLICE_MS;
    this.#isBusy = true;
    for (let work = this.#queue[0]; work !== undefined; work = this.#queue[0]) {
      if (work.kind === "restore") {
        this.#queue.shift();
        this.#restoring = this.#restore(work.meta, work.run);
        return;
      }
      if (!this.#applySlice(work, endMs)) {
        this.#hooks.defer(() => this.#resume());
        return;
      }
      this.#queue.shift();
    }
    this.#isBusy = false;
    this.#hooks.onProgress();
  }

  #resume(): void {
    if (this.#isStopped) return;
    this.#hooks.onProgress();
    try {
      this.#run();
    } catch (cause) {
      this.#hooks.onFailed(cause);
    }
  }

  /** False: the slice is used up before the work is. */
  #applySlice(work: Work & { kind: "entries" }, endMs: number): boolean {
    for (; work.at < work.entries.length; work.at++) {
      if (work.at % ENTRIES_PER_CLOCK_READ === 31 && this.#clock.nowMs() >= endMs) return false;
      const entry = work.entries[work.at];
      if (entry === undefined || entry.index <= this.#applied) continue;
      this.#applyOne(entry);
    }
    return true;
  }

  #applyOne(entry: Entry): void {
    let result: unknown;
    if (entry.kind === "data") result = this.#machine.apply(entry);
    else if (entry.kind === "membership") {
      this.#membership = applyChange(this.#membership, decodeChange(entry.data));
    }
    this.#applied = entry.index;
    this.#appliedTerm = entry.term;
    this.#hooks.onApplied(entry, result);
  }

  async #restore(meta: SnapshotMeta, run: () => Promise<void>): Promise<void> {
    try {
      await run();
      this.#applied = meta.index;
      this.#appliedTerm = meta.term;
      this.#membership = meta.membership;
      this.#restoring = undefined;
      if (!this.#isStopped) this.#run();
    } catch (cause) {
      this.#restoring = undefined;
      this.#hooks.onFailed(cause);
    }
  }
}
