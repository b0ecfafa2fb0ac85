import { performance } from "node:perf_hooks";
import { getHeapStatistics } from "node:v8";

const MIB = 1024 * 1024;
const LOOK_EVERY_MS = 15_000;
/** So many looks at least between two collections: by the fifth V8 throws away compiled code that did not run since the first. */
export const REST_LOOKS = 20;
/** Share of the time since the last look in which a thread did anything: with more of it something goes on. */
export const IDLE_SHARE = 0.05;
/** So much more than was kept is taken for garbage. */
export const GROWTH_BYTES = 2 * MIB;
/** The pause grows with what lives, some 10 ms for 20 MiB: a larger heap is left to V8. */
export const HEAP_MAX_BYTES = 64 * MIB;

export type HeapKeeperParts = {
  /** Of the heap, with garbage. */
  readonly usedBytes: () => number;
  /** Of the time since it was last asked, from 0 to 1. */
  readonly busyShare: () => number;
  /** All garbage, now. */
  readonly collect: () => void;
};

/**
 * Keeps the heap of a daemon that is mostly idle near what it needs. What it looks at every few seconds outlives two collections of the young
 * and is old then; V8 lets the old be until there is as much garbage as heap, which takes hours, and looks like a leak. While something goes
 * on nothing is collected: a pause, and room that is needed again at once, would only delay it.
 */
export class HeapKeeper {
  readonly #parts: HeapKeeperParts;
  #keptBytes = 0;
  #looksUntilNext = 0;

  constructor(parts: HeapKeeperParts) {
    this.#parts = parts;
  }

  /** To be called now and then. */
  look(): void {
    const { usedBytes, busyShare, collect } = this.#parts;
    const isIdle = busyShare() < IDLE_SHARE;
    const used = usedBytes();
    this.#looksUntilNext--;
    const isWorthIt = used <= HEAP_MAX_BYTES && used - this.#keptBytes >= GROWTH_BYTES;
    if (isIdle && isWorthIt && this.#looksUntilNext <= 0) {
      collect();
      this.#keptBytes = usedBytes();
      this.#looksUntilNext = REST_LOOKS;
    } else this.#keptBytes = Math.min(this.#keptBytes, used);
  }
}

/** For this thread, as long as it lives; nothing without node's `--expose-gc`. */
export function keepHeapSmall(): void {
  const collect = globalThis.gc;
  if (collect === undefined) return;
  let last = performance.eventLoopUtilization();
  const keeper = new HeapKeeper({
    usedBytes: () => getHeapStatistics().used_heap_size,
    busyShare: () => {
      const now = performance.eventLoopUtilization();
      const { utilization } = performance.eventLoopUtilization(now, last);
      last = now;
      return utilization;
    },
    collect: () => void collect(),
  });
  setInterval(() => keeper.look(), LOOK_EVERY_MS).unref();
}
