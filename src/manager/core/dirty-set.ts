/** Things to look at. What was taken for a plan counts as done only when the plan was applied. */
export class DirtySet<Key> {
  readonly #dirty = new Set<Key>();
  readonly #taken = new Set<Key>();

  get size(): number {
    return this.#dirty.size;
  }

  mark(key: Key): void {
    this.#dirty.add(key);
  }

  clear(): void {
    this.#dirty.clear();
    this.#taken.clear();
  }

  /** Hands out keys in the order of their marking until `handle` says that it could not finish one. */
  take(handle: (key: Key) => boolean): void {
    for (const key of this.#dirty) {
      this.#taken.add(key);
      if (!handle(key)) return;
      this.#dirty.delete(key);
    }
  }

  settle(isApplied: boolean): void {
    if (!isApplied) for (const key of this.#taken) this.#dirty.add(key);
    this.#taken.clear();
  }
}
