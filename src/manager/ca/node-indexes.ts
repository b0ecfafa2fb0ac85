/** Stable small numbers of nodes, 1–4094: ingress address, MAC, mark and zone derive from them (contracts §7). */
import type { Node } from "../../api/index.js";
import { ApiError } from "../../base/index.js";

export const NODE_INDEX_MAX = 4_094;

export class NodeIndexes {
  /** Given to admissions that are not committed yet. */
  readonly #taken = new Set<number>();
  #last = 0;

  /**
   * The next number that no node has, going round after the highest one: a removed node's number is given again as late as
   * possible, so that nothing takes its leftovers on other nodes for the new node's.
   */
  take(nodes: readonly Pick<Node, "nodeIndex">[]): number {
    const used = new Set(nodes.map((node) => node.nodeIndex));
    if (this.#last === 0) this.#last = Math.max(0, ...used);
    for (let step = 1; step <= NODE_INDEX_MAX; step += 1) {
      const candidate = ((this.#last + step - 1) % NODE_INDEX_MAX) + 1;
      if (used.has(candidate) || this.#taken.has(candidate)) continue;
      this.#taken.add(candidate);
      this.#last = candidate;
      return candidate;
    }
    throw new ApiError(
      "ResourceExhausted",
      `the swarm has ${NODE_INDEX_MAX} nodes, the most it can have; remove nodes that are gone first`,
    );
  }

  /** The admission is committed (the node itself has the number now) or certainly did not happen. */
  release(nodeIndex: number): void {
    this.#taken.delete(nodeIndex);
  }
}
