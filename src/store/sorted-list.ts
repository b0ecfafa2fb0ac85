/** Longest run of items moved by one insertion. */
const CHUNK_MAX = 512;

type Identified = { readonly id: string };

/**
 * Items in the order of their ids (by code unit, the same on every node), in chunks so that a change costs O(log n + chunk) even
 * with a million of them. `list()` hands out a snapshot and makes it at most once per change.
 */
export class SortedList<T extends Identified> {
  #chunks: T[][] = [];
  #size = 0;
  #snapshot: readonly T[] | undefined = [];

  get size(): number {
    return this.#size;
  }

  /** Never changes afterwards; the caller may keep it. */
  list(): readonly T[] {
    this.#snapshot ??= this.#chunks.flat();
    return this.#snapshot;
  }

  /** A new array of what `pick` takes of each item. */
  map<U>(pick: (item: T) => U): U[] {
    return this.#chunks.flatMap((chunk) => chunk.map(pick));
  }

  /** Inserts the item, or puts it in place of the one with the same id. */
  set(item: T): void {
    this.#snapshot = undefined;
    const last = this.#chunks.at(-1);
    if (last === undefined) {
      this.#chunks.push([item]);
      this.#size = 1;
      return;
    }
    const at = this.#chunkOf(item.id);
    const chunk = this.#chunks[at];
    if (chunk === undefined) {
      // Beyond the end, as while a snapshot is read: full chunks are left full instead of being halved.
      if (last.length < CHUNK_MAX) last.push(item);
      else this.#chunks.push([item]);
      this.#size++;
      return;
    }
    const position = lowerBound(chunk, item.id);
    if (chunk[position]?.id === item.id) {
      chunk[position] = item;
      return;
    }
    chunk.splice(position, 0, item);
    this.#size++;
    if (chunk.length > CHUNK_MAX) this.#chunks.splice(at + 1, 0, chunk.splice(CHUNK_MAX / 2));
  }

  delete(id: string): void {
    const at = this.#chunkOf(id);
    const chunk = this.#chunks[at];
    if (chunk === undefined) return;
    const position = lowerBound(chunk, id);
    if (chunk[position]?.id !== id) return;
    this.#snapshot = undefined;
    this.#size--;
    chunk.splice(position, 1);
    if (chunk.length === 0) this.#chunks.splice(at, 1);
  }

  /** Index of the first chunk whose last id is not below `id`; the number of chunks if there is none. */
  #chunkOf(id: string): number {
    let lo = 0;
    let hi = this.#chunks.length;
    while (lo < hi) {
      const mid = (lo + hi) >>> 1;
      const last = this.#chunks[mid]?.at(-1);
      if (last !== undefined && last.id < id) lo = mid + 1;
      else hi = mid;
    }
    return lo;
  }
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
