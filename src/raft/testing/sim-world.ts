type Event = {
  readonly atMs: number;
  readonly order: number;
  readonly run: () => void;
  isCancelled: boolean;
};

/** Virtual time: a queue of callbacks, run in order of time, then of arrival. */
export class SimWorld {
  #heap: Event[] = [];
  #order = 0;
  nowMs = 0;
  eventCount = 0;

  schedule(delayMs: number, run: () => void): () => void {
    const event: Event = {
      atMs: this.nowMs + delayMs,
      order: this.#order++,
      run,
      isCancelled: false,
    };
    this.#push(event);
    return () => {
      event.isCancelled = true;
    };
  }

  sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => void this.schedule(delayMs, resolve));
  }

  /** Runs until `endMs`; after each event, everything promised by it settles and `check` looks at the result. */
  async runUntil(endMs: number, check: () => void): Promise<void> {
    for (
      let event = this.#heap[0];
      event !== undefined && event.atMs <= endMs;
      event = this.#heap[0]
    ) {
      this.#pop();
      if (event.isCancelled) continue;
      this.nowMs = event.atMs;
      this.eventCount++;
      event.run();
      await new Promise((resolve) => setImmediate(resolve));
      check();
    }
    this.nowMs = Math.max(this.nowMs, endMs);
  }

  #push(event: Event): void {
    const heap = this.#heap;
    let at = heap.push(event) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || isBefore(above, event)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = event;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      const [left, right] = [heap[child], heap[child + 1]];
      if (left === undefined) break;
      if (right !== undefined && isBefore(right, left)) child++;
      const smaller = heap[child];
      if (smaller === undefined || isBefore(last, smaller)) break;
      heap[at] = smaller;
      at = child;
    }
    heap[at] = last;
  }
}

function isBefore(a: Event, b: Event): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}
