/**
 * The persistent index of one placement class: all nodes that pass the filters of the class, in the order of their load,
 * arranged as the tree of its spread preferences. Catches up with the node table only when it is used.
 */
import { labelOf } from "./constraint.js";
import { passesClass, passesStatic } from "./filters.js";
import { NodeBuckets } from "./node-buckets.js";
import type { NodeInfo } from "./node-info.js";
import type { NodeTable } from "./node-table.js";
import type { TaskNeeds } from "./task-needs.js";

/** One value of one spread level; the leaves hold the nodes. Without preferences the root is the only leaf. */
export type Branch = {
  readonly value: string;
  readonly parent: Branch | undefined;
  readonly children: Branch[];
  readonly childOf: Map<string, Branch>;
  /** Nodes of this very branch that pass the class filters. Only leaves hold any. */
  readonly nodes: NodeBuckets;
};

type Entry = {
  node: NodeInfo["node"];
  isStaticOk: boolean;
  leaf: Branch;
  /** Bucket that the node stands in; −1 while it does not pass. */
  total: number;
};

export class PlacementClass {
  readonly root: Branch = newBranch("", undefined);
  readonly #needs: TaskNeeds;
  readonly #table: NodeTable;
  readonly #entries = new Map<NodeInfo, Entry>();
  #position: number;

  constructor(needs: TaskNeeds, table: NodeTable) {
    this.#needs = needs;
    this.#table = table;
    this.#position = table.mark();
    for (const info of table.infos()) this.#refresh(info);
  }

  /** Takes in what changed since the last call. */
  catchUp(): void {
    const from = this.#position;
    this.#position = this.#table.mark();
    if (this.#position === from) return;
    const changed = this.#table.changedSince(from);
    if (changed) {
      for (const info of changed) this.#refresh(info);
      return;
    }
    const known = new Set(this.#table.infos());
    for (const info of this.#entries.keys()) known.add(info);
    for (const info of known) this.#refresh(info);
  }

  /** The leaf a node belongs to, whether it passes or not. */
  leafOf(info: NodeInfo): Branch {
    return this.#entries.get(info)?.leaf ?? this.root;
  }

  /** Whether the node passes the filters of the class. */
  isIn(info: NodeInfo): boolean {
    return (this.#entries.get(info)?.total ?? -1) >= 0;
  }

  #refresh(info: NodeInfo): void {
    let entry = this.#entries.get(info);
    if (!entry) {
      if (!info.node) return;
      entry = { node: undefined, isStaticOk: false, leaf: this.root, total: -1 };
      this.#entries.set(info, entry);
    }
    const { leaf, total } = entry;
    if (!info.node) this.#entries.delete(info);
    else if (entry.node !== info.node) {
      entry.node = info.node;
      entry.isStaticOk = passesStatic(this.#needs, info);
      entry.leaf = this.#findLeaf(info);
    }
    const isIn = info.node !== undefined && entry.isStaticOk && passesClass(this.#needs, info);
    entry.total = isIn ? info.activeCount : -1;
    // As after the event of a placement that was booked when it was decided.
    if (entry.total === total && entry.leaf === leaf) return;
    if (total >= 0) leaf.nodes.remove(info, total);
    if (isIn) entry.leaf.nodes.insert(info, entry.total);
  }

  #findLeaf(info: NodeInfo): Branch {
    let branch = this.root;
    for (const key of this.#needs.spread) {
      const value = (info.node && labelOf(key, info.node)) ?? "";
      let child = branch.childOf.get(value);
      if (!child) {
        child = newBranch(value, branch);
        branch.children.push(child);
        branch.childOf.set(value, child);
      }
      branch = child;
    }
    return branch;
  }
}

function newBranch(value: string, parent: Branch | undefined): Branch {
  return { value, parent, children: [], childOf: new Map(), nodes: new NodeBuckets() };
}
