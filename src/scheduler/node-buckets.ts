import type { NodeInfo } from "./node-info.js";

/** Nodes in the order (active tasks, id): one sorted array per number of tasks. Moving a node costs about a microsecond. */
export class NodeBuckets {
  readonly #byTotal: (NodeInfo[] | undefined)[] = [];
  #size = 0;
  /** No bucket below this one holds anything. */
  #lowest = 0;

  get size(): number {
    return this.#size;
  }

  insert(info: NodeInfo, total: number): void {
    const bucket = this.#byTotal[total];
    const last = bucket?.at(-1);
    if (!bucket) this.#byTotal[total] = [info];
    // Nodes of equal load are taken in the order of ids, so most go from the front of one bucket to the end of the next.
    else if (!last || last.id < info.id) bucket.push(info);
    else bucket.splice(lowerBound(bucket, info.id), 0, info);
    this.#size++;
    if (total < this.#lowest || this.#size === 1) this.#lowest = total;
  }

  remove(info: NodeInfo, total: number): void {
    const bucket = this.#byTotal[total];
    if (!bucket) return;
    if (bucket[0] === info) bucket.shift();
    else {
      const at = lowerBound(bucket, info.id);
      if (bucket[at] !== info) return;
      bucket.splice(at, 1);
    }
    this.#size--;
  }

  /** Fewest active tasks on any of the nodes; Infinity when there is none. */
  lowestTotal(): number {
    if (this.#size === 0) return Number.POSITIVE_INFINITY;
    while (!this.#byTotal[this.#lowest]?.length) this.#lowest++;
    return this.#lowest;
  }

  /** The first node in order that is fit, among the first `max`. */
  find(isFit: (info: NodeInfo) => boolean, max: number): NodeInfo | undefined {
    let left = max;
    for (let total = this.lowestTotal(); total < this.#byTotal.length; total++) {
      for (const info of this.#byTotal[total] ?? []) {
        if (left-- === 0) return undefined;
        if (isFit(info)) return info;
      }
    }
    return undefined;
  }

  *inOrder(): Generator<NodeInfo> {
    for (let total = this.lowestTotal(); total < this.#byTotal.length; total++)
      yield* this.#byTotal[total] ?? [];
  }
}

function lowerBound(bucket: readonly NodeInfo[], id: string): number {
  let lo = 0;
  let hi = bucket.length;
  while (lo < hi) {
    const mid = (lo + hi) >> 1;
    const at = bucket[mid];
    if (at && at.id < id) lo = mid + 1;
    else hi = mid;
  }
  return lo;
}
