import { invariant } from "../base/index.js";

/** Longest run of items moved by one insertion, or copied by the first change after a `freeze`. */
const CHUNK_MAX = 512;

type Identified = { readonly id: string };
type Chunk<T> = { readonly items: T[]; readonly generation: number };

/**
 * Items in the order of their ids (by code unit, the same on every node), in chunks so that a change costs O(log n + chunk) even
 * with a million of them. `list()` hands out a snapshot and makes it at most once per change.
 */
export class SortedList<T extends Identified> {
  #chunks: Chunk<T>[] = [];
  #size = 0;
  #snapshot: readonly T[] | undefined = [];
  /** Chunks of an earlier one are held by a frozen copy too: they are copied before they change. */
  #generation = 0;

  get size(): number {
    return this.#size;
  }

  /** Never changes afterwards; the caller may keep it. */
  list(): readonly T[] {
    this.#snapshot ??= this.map((item) => item);
    return this.#snapshot;
  }

  /** A new array of what `pick` takes of each item. */
  map<U>(pick: (item: T) => U): U[] {
    const picked: U[] = [];
    for (const { items } of this.#chunks) for (const item of items) picked.push(pick(item));
    return picked;
  }

  /** The items as of now, whatever changes later. Costs one reference per chunk. */
  freeze(): Iterable<T> {
    this.#generation++;
    return itemsOf([...this.#chunks]);
  }

  /** Inserts the item, or puts it in place of the one with the same id. */
  set(item: T): void {
    this.#snapshot = undefined;
    const at = this.#chunkOf(item.id);
    if (at === this.#chunks.length) {
      this.#append(item);
      return;
    }
    const items = this.#writable(at);
    const position = lowerBound(items, item.id);
    if (items[position]?.id === item.id) {
      items[position] = item;
      return;
    }
    items.splice(position, 0, item);
    this.#size++;
    if (items.length > CHUNK_MAX)
      this.#chunks.splice(at + 1, 0, this.#chunk(items.splice(CHUNK_MAX / 2)));
  }

  delete(id: string): void {
    const at = this.#chunkOf(id);
    const held = this.#chunks[at]?.items ?? [];
    const position = lowerBound(held, id);
    if (held[position]?.id !== id) return;
    this.#snapshot = undefined;
    this.#size--;
    if (held.length === 1) this.#chunks.splice(at, 1);
    else this.#writable(at).splice(position, 1);
  }

  /** Beyond the end, as while a snapshot is read: full chunks are left full instead of being halved. */
  #append(item: T): void {
    const last = this.#chunks.length - 1;
    if (last >= 0 && (this.#chunks[last]?.items.length ?? 0) < CHUNK_MAX)
      this.#writable(last).push(item);
    else this.#chunks.push(this.#chunk([item]));
    this.#size++;
  }

  #chunk(items: T[]): Chunk<T> {
    return { items, generation: this.#generation };
  }

  /** The items of the chunk at `at`, to be changed. */
  #writable(at: number): T[] {
    let chunk = this.#chunks[at];
    invariant(chunk !== undefined, `no chunk ${at}`);
    if (chunk.generation < this.#generation) {
      chunk = this.#chunk([...chunk.items]);
      this.#chunks[at] = chunk;
    }
    return chunk.items;
  }

  /** Index of the first chunk whose last id is not below `id`; the number of chunks if there is none. */
  #chunkOf(id: string): number {
    let lo = 0;
    let hi = this.#chunks.length;
    while (lo < hi) {
      const mid = (lo + hi) >>> 1;
      const last = this.#chunks[mid]?.items.at(-1);
      if (last !== undefined && last.id < id) lo = mid + 1;
      else hi = mid;
    }
    return lo;
  }
}

function* itemsOf<T>(chunks: readonly Chunk<T>[]): Generator<T, void, undefined> {
  for (const { items } of chunks) yield* items;
}

function lowerBound(items: readonly Identified[], id: string): number {
  let lo = 0;
  let hi = items.length;
  while (lo < hi) {
    const mid = (lo + hi) >>> 1;
    const item = items[mid];
    if (item !== undefined && item.id < id) lo = mid + 1;
    else hi = mid;
  }
  return lo;
}
