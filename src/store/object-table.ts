import { SortedList } from "./sorted-list.js";

/** All objects of one kind, by id. */
export class ObjectTable<T extends { readonly id: string }> {
  readonly #byId = new Map<string, T>();
  readonly #sorted = new SortedList<T>();

  get size(): number {
    return this.#byId.size;
  }

  get(id: string): T | undefined {
    return this.#byId.get(id);
  }

  list(): readonly T[] {
    return this.#sorted.list();
  }

  put(object: T): void {
    this.#byId.set(object.id, object);
    this.#sorted.set(object);
  }

  remove(id: string): void {
    this.#byId.delete(id);
    this.#sorted.delete(id);
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
      this.#ids.set(key, [...(this.#ids.get(key) ?? []), object.id].sort());
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
