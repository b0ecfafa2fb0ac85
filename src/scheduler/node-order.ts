import type { NodeInfo } from "./node-info.js";
import type { TaskNeeds } from "./task-needs.js";

/**
 * Which node is better for a task: fewer recent failures of its spec (if either has many), fewer tasks of its service, fewer tasks
 * at all; then the id, so that every manager decides the same. Reserved and used resources play no part (spread by count).
 */
export class NodeOrder {
  readonly #needs: TaskNeeds;
  readonly #nowMs: number;

  constructor(needs: TaskNeeds, nowMs: number) {
    this.#needs = needs;
    this.#nowMs = nowMs;
  }

  failureRank(info: NodeInfo): number {
    return info.failureRank(this.#needs.serviceId, this.#needs.specVersion, this.#nowMs);
  }

  isBetter(a: NodeInfo, b: NodeInfo): boolean {
    const { serviceId } = this.#needs;
    const difference =
      this.failureRank(a) - this.failureRank(b) ||
      a.serviceCount(serviceId) - b.serviceCount(serviceId) ||
      a.activeCount - b.activeCount;
    return difference === 0 ? a.id < b.id : difference < 0;
  }
}

/** A binary heap, best node first. Only the top may change, and is then reported. */
export class NodeHeap {
  readonly #nodes: NodeInfo[];
  readonly #order: NodeOrder;

  constructor(nodes: Iterable<NodeInfo>, order: NodeOrder) {
    this.#nodes = [...nodes];
    this.#order = order;
    for (let at = (this.#nodes.length >> 1) - 1; at >= 0; at--) this.#sink(at);
  }

  top(): NodeInfo | undefined {
    return this.#nodes[0];
  }

  /** The top took a task and stands where it belongs again. */
  topChanged(): void {
    this.#sink(0);
  }

  dropTop(): void {
    const last = this.#nodes.pop();
    if (!last || this.#nodes.length === 0) return;
    this.#nodes[0] = last;
    this.#sink(0);
  }

  #sink(from: number): void {
    const nodes = this.#nodes;
    const moving = nodes[from];
    if (!moving) return;
    let at = from;
    for (;;) {
      let childAt = 2 * at + 1;
      let child = nodes[childAt];
      if (!child) break;
      const right = nodes[childAt + 1];
      if (right && this.#order.isBetter(right, child)) {
        child = right;
        childAt++;
      }
      if (!this.#order.isBetter(child, moving)) break;
      nodes[at] = child;
      at = childAt;
    }
    nodes[at] = moving;
  }
}
