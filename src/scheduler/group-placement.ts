/** Places the tasks of one group (same service and spec) one after the other, always on the best node as things then stand. */
import { passesService } from "./filters.js";
import type { NodeInfo } from "./node-info.js";
import { NodeHeap, NodeOrder } from "./node-order.js";
import type { NodeTable } from "./node-table.js";
import type { Branch, PlacementClass } from "./placement-class.js";
import type { TaskNeeds } from "./task-needs.js";

/** Nodes looked at in the persistent order before a heap over the leaf is built instead. */
const WALK_MAX = 64;

export class GroupPlacement {
  readonly #needs: TaskNeeds;
  readonly #class: PlacementClass;
  readonly #order: NodeOrder;
  /** No node has a task of the service, as for most groups: nothing has to be counted on any. */
  #isFirst = true;
  // Made when they are needed: most groups of a large cluster are one task.
  /** Tasks of the service below each branch, over all nodes, usable or not. */
  #counts: Map<Branch, number> | undefined;
  /** Leaves served by a heap: a large group, or a service that is on most nodes already. */
  #heaps: Map<Branch, NodeHeap> | undefined;
  /** Branches in which no node can take another task of this group. */
  #full: Set<Branch> | undefined;

  constructor(needs: TaskNeeds, placementClass: PlacementClass, table: NodeTable, nowMs: number) {
    this.#needs = needs;
    this.#class = placementClass;
    this.#order = new NodeOrder(needs, nowMs);
    this.#class.catchUp();
    for (const info of table.hosts(needs.serviceId)) {
      this.#isFirst = false;
      if (needs.spread.length === 0) return;
      if (info.node) this.#count(this.#class.leafOf(info), info.serviceCount(needs.serviceId));
    }
  }

  get isFirst(): boolean {
    return this.#isFirst;
  }

  /** The best node, undefined when none can take the task. The caller books the task there, then calls `placed`. */
  pick(): NodeInfo | undefined {
    this.#class.catchUp();
    for (;;) {
      const leaf = this.#bestLeaf();
      if (!leaf) return undefined;
      const info = this.#bestInLeaf(leaf);
      if (info) return info;
      this.#setFull(leaf);
    }
  }

  placed(info: NodeInfo): void {
    this.#isFirst = false;
    const leaf = this.#class.leafOf(info);
    if (this.#needs.spread.length > 0) this.#count(leaf, 1);
    this.#heaps?.get(leaf)?.topChanged();
  }

  /** Walks down the tree, at each level into the branch with the fewest tasks of the service. */
  #bestLeaf(): Branch | undefined {
    let branch = this.#class.root;
    for (let level = 0; level < this.#needs.spread.length; level++) {
      const next = this.#bestChild(branch);
      if (!next) {
        // All below is full. The parent must not be chosen again either.
        this.#setFull(branch);
        if (!branch.parent) return undefined;
        branch = this.#class.root;
        level = -1;
        continue;
      }
      branch = next;
    }
    return this.#full?.has(branch) ? undefined : branch;
  }

  #bestChild(branch: Branch): Branch | undefined {
    let best: Branch | undefined;
    let bestCount = 0;
    let bestLoad: number | undefined;
    for (const child of branch.children) {
      if (this.#full?.has(child)) continue;
      const count = this.#counts?.get(child) ?? 0;
      if (best && count > bestCount) continue;
      if (best && count === bestCount) {
        // Ties go to the branch with the least loaded node: else small services would all land in the first one.
        bestLoad ??= lowestLoad(best);
        const load = lowestLoad(child);
        if (load > bestLoad || (load === bestLoad && child.value > best.value)) continue;
        bestLoad = load;
      } else bestLoad = undefined;
      best = child;
      bestCount = count;
    }
    return best;
  }

  #bestInLeaf(leaf: Branch): NodeInfo | undefined {
    let heap = this.#heaps?.get(leaf);
    if (!heap) {
      const fresh = this.#walk(leaf);
      if (fresh) return fresh;
      heap = new NodeHeap(leaf.nodes.inOrder(), this.#order);
      this.#heaps ??= new Map();
      this.#heaps.set(leaf, heap);
    }
    for (let top = heap.top(); top; top = heap.top()) {
      // Only this group books in this leaf while the heap lives, so a node that drops out stays out.
      if (this.#class.isIn(top) && passesService(this.#needs, top)) return top;
      heap.dropTop();
    }
    return undefined;
  }

  /** The least loaded node without tasks of the service and without a bad record: none can be better. */
  #walk(leaf: Branch): NodeInfo | undefined {
    const { serviceId } = this.#needs;
    return leaf.nodes.find(
      (info) =>
        (this.#isFirst || info.serviceCount(serviceId) === 0) &&
        this.#order.failureRank(info) === 0 &&
        passesService(this.#needs, info),
      WALK_MAX,
    );
  }

  #setFull(branch: Branch): void {
    this.#full ??= new Set();
    this.#full.add(branch);
  }

  #count(leaf: Branch, by: number): void {
    this.#counts ??= new Map();
    for (let branch: Branch | undefined = leaf; branch; branch = branch.parent)
      this.#counts.set(branch, (this.#counts.get(branch) ?? 0) + by);
  }
}

function lowestLoad(branch: Branch): number {
  let lowest = branch.nodes.lowestTotal();
  for (const child of branch.children) lowest = Math.min(lowest, lowestLoad(child));
  return lowest;
}
