/** All objects of one kind, by id. A write costs two map operations; the order is made when somebody asks for the list. */
export class ObjectTable<T extends { readonly id: string }> {
  readonly #byId = new Map<string, T>();
  /** In the order of ids (by code unit), as of the last `list()`; never changed, since callers may keep it. */
  #list: readonly T[] = [];
  /** Ids put or removed since. */
  readonly #changed = new Set<string>();

  get size(): number {
    return this.#byId.size;
  }

  get(id: string): T | undefined {
    return this.#byId.get(id);
  }

  list(): readonly T[] {
    if (this.#changed.size > 0) this.#list = this.#merged();
    return this.#list;
  }

  put(object: T): void {
    this.#byId.set(object.id, object);
    this.#changed.add(object.id);
  }

  remove(id: string): void {
    if (this.#byId.delete(id)) this.#changed.add(id);
  }

  /** One pass over the old list and the changed ids. */
  #merged(): readonly T[] {
    const ids = [...this.#changed].sort();
    this.#changed.clear();
    const merged: T[] = [];
    let at = 0;
    for (const id of ids) {
      for (; at < this.#list.length; at++) {
        const old = this.#list[at];
        if (old === undefined || old.id >= id) break;
        merged.push(old);
      }
      if (this.#list[at]?.id === id) at++;
      const object = this.#byId.get(id);
      if (object !== undefined) merged.push(object);
    }
    for (; at < this.#list.length; at++) {
      const old = this.#list[at];
      if (old !== undefined) merged.push(old);
    }
    return merged;
  }
}

type Named = { readonly id: string; readonly spec: { readonly Name: string } };

/** Objects with names that are unique without regard to case. */
export class NamedTable<T extends Named> extends ObjectTable<T> {
  /**
   * Lower-case name → ids in order. Preconditions keep it at one; should there be two all the same, every replica finds the lower
   * id, whatever order they came in.
   */
  readonly #ids = new Map<string, readonly string[]>();

  byName(name: string): T | undefined {
    const id = this.#ids.get(name.toLowerCase())?.[0];
    return id === undefined ? undefined : this.get(id);
  }

  override put(object: T): void {
    const old = this.get(object.id);
    if (old?.spec.Name !== object.spec.Name) {
      if (old) this.#forget(old);
      const key = object.spec.Name.toLowerCase();
      const others = this.#ids.get(key);
      this.#ids.set(key, others ? [...others, object.id].sort() : [object.id]);
    }
    super.put(object);
  }

  override remove(id: string): void {
    const old = this.get(id);
    if (old) this.#forget(old);
    super.remove(id);
  }

  #forget(object: T): void {
    const key = object.spec.Name.toLowerCase();
    const left = (this.#ids.get(key) ?? []).filter((id) => id !== object.id);
    if (left.length > 0) this.#ids.set(key, left);
    else this.#ids.delete(key);
  }
}
