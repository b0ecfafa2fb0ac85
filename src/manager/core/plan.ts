import type { Change, Precondition } from "../../api/index.js";

/** Changes of one transaction of a leader loop. More would make entries that hold up the log for everybody else. */
export const CHANGES_MAX = 200;

/**
 * What one turn of a reconciler wants done: changes for one transaction, filled up to a limit, and when to look again though nothing
 * happens. Units go in whole or not at all.
 */
export class Plan {
  /** The leader's clock, Unix ms, at the start of the turn. */
  readonly nowMs: number;
  readonly changes: Change[] = [];
  /** What the changes claim; checked in apply. */
  readonly preconditions: Precondition[] = [];
  readonly #limit: number;
  #isCut = false;
  #wakeAtMs: number | undefined;
  #atMs: number;

  constructor(nowMs: number, limit = CHANGES_MAX) {
    this.nowMs = nowMs;
    this.#atMs = nowMs;
    this.#limit = limit;
  }

  /** Takes the changes together; false when there is no room for them, and then for nothing else in this turn. */
  add(...unit: readonly Change[]): boolean {
    if (
      this.#isCut ||
      (this.changes.length > 0 && this.changes.length + unit.length > this.#limit)
    ) {
      this.#isCut = true;
      return false;
    }
    this.changes.push(...unit);
    return true;
  }

  /** As `add`, for changes that hold only together with what they claim. */
  claim(preconditions: readonly Precondition[], ...unit: readonly Change[]): boolean {
    if (!this.add(...unit)) return false;
    this.preconditions.push(...preconditions);
    return true;
  }

  /** Something did not fit. */
  get isCut(): boolean {
    return this.#isCut;
  }

  get room(): number {
    return this.#isCut ? 0 : this.#limit - this.changes.length;
  }

  /** Look again at this Unix ms at the latest. */
  wakeAt(atMs: number): void {
    this.#wakeAtMs = Math.min(this.#wakeAtMs ?? atMs, atMs);
  }

  get wakeAtMs(): number | undefined {
    return this.#wakeAtMs;
  }

  /**
   * The transaction must be dated at `atMs` or later: tasks of a slot are told apart by age, and this manager's clock may be
   * behind that of the one which made the older ones.
   */
  dateFrom(atMs: number): void {
    this.#atMs = Math.max(this.#atMs, atMs);
  }

  /** Date of the transaction. */
  get atMs(): number {
    return this.#atMs;
  }
}
