import type { Plan } from "./plan.js";

/** When to look at which key again. The earliest wish per key counts. */
export class WakeTimes<Key> {
  readonly #atMs = new Map<Key, number>();

  clear(): void {
    this.#atMs.clear();
  }

  set(key: Key, atMs: number): void {
    this.#atMs.set(key, Math.min(this.#atMs.get(key) ?? atMs, atMs));
  }

  delete(key: Key): void {
    this.#atMs.delete(key);
  }

  takeDue(nowMs: number): Key[] {
    const due: Key[] = [];
    for (const [key, atMs] of this.#atMs) if (atMs <= nowMs) due.push(key);
    for (const key of due) this.#atMs.delete(key);
    return due;
  }

  /** Tells the plan of the earliest time. */
  tell(plan: Plan): void {
    let earliest = Number.POSITIVE_INFINITY;
    for (const atMs of this.#atMs.values()) earliest = Math.min(earliest, atMs);
    if (earliest < Number.POSITIVE_INFINITY) plan.wakeAt(earliest);
  }
}
