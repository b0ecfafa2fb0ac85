import { getHeapStatistics } from "node:v8";

const MIB = 1024 * 1024;
const LOOK_EVERY_MS = 60_000;
/** So much more than was kept is taken for garbage. */
export const GROWTH_BYTES = 3 * MIB;
/** The pause grows with what lives, some 10 ms for 20 MiB: a larger heap is left to V8. */
export const HEAP_MAX_BYTES = 64 * MIB;

export type HeapKeeperParts = {
  /** Of the heap, with garbage. */
  readonly usedBytes: () => number;
  /** All garbage, now. */
  readonly collect: () => void;
};

/**
 * Keeps the heap of a daemon that is mostly idle near what it needs. What it looks at every few seconds outlives two collections of the young
 * and is old then; V8 lets the old be until there is as much garbage as heap, which takes hours, and looks like a leak.
 */
export class HeapKeeper {
  readonly #parts: HeapKeeperParts;
  #keptBytes = 0;

  constructor(parts: HeapKeeperParts) {
    this.#parts = parts;
  }

  /** To be called now and then. */
  look(): void {
    const { usedBytes, collect } = this.#parts;
    const used = usedBytes();
    if (used <= HEAP_MAX_BYTES && used - this.#keptBytes >= GROWTH_BYTES) {
      collect();
      this.#keptBytes = usedBytes();
    } else this.#keptBytes = Math.min(this.#keptBytes, used);
  }
}

/** For this thread, as long as it lives; nothing without node's `--expose-gc`. */
export function keepHeapSmall(): void {
  const collect = globalThis.gc;
  if (collect === undefined) return;
  const keeper = new HeapKeeper({
    usedBytes: () => getHeapStatistics().used_heap_size,
    collect: () => void collect(),
  });
  setInterval(() => keeper.look(), LOOK_EVERY_MS).unref();
}
