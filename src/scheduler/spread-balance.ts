/**
 * How evenly the running tasks of one service are spread, and which single moves make it more even. It sees what the scheduler sees:
 * the tree of the spread preferences, then nodes by their number of tasks, and the same filters for the node that is to take one.
 */
import { type Network, type Node, TASK_STATE, type Task } from "../api/index.js";
import { labelOf } from "./constraint.js";
import { failingFilter, passesStatic } from "./filters.js";
import { isHeld, NodeInfo } from "./node-info.js";
import type { RoomView } from "./room-beside.js";
import { needsOf, type TaskNeeds } from "./task-needs.js";

/**
 * A move must take a task from a place with at least this many more than the other. One less would only change places: with it every
 * move makes the sum of squares smaller, so moves come to an end.
 */
export const GAIN_MIN = 2;

/** `networks`: their subnets may clash with a node's bridge. */
export type BalanceView = RoomView & { networks(): readonly Network[] };

export type Move = {
  readonly task: Task;
  readonly fromNodeId: string;
  readonly toNodeId: string;
};

export type BalanceOptions = {
  /** A task as the service would make it now, with the networks of its tasks: what it asks of a node. */
  readonly probe: Task;
  /** Wanted tasks of the service with a node, but those that are being moved away. */
  readonly tasks: readonly Task[];
  /** Those of them that may be moved. */
  readonly mayMove: (task: Task) => boolean;
  /** Beside the filters; asked about few nodes. */
  readonly mayTake?: (node: Node) => boolean;
  readonly mayGive?: (node: Node) => boolean;
};

/** A value of a spread preference, or in the end a node. */
type Place = {
  readonly key: string;
  /** Tasks of the service here and below, also on nodes that take no part. */
  count: number;
  /** Nodes that take part, here and below. */
  nodeCount: number;
  readonly children: Map<string, Place>;
  /** The children that take part, emptiest first; kept, as sorting what is almost sorted is cheap. */
  order: Place[] | undefined;
  isInOrder: boolean;
  readonly node: Node | undefined;
  readonly tasks: Task[];
};

export class SpreadBalance {
  readonly #options: BalanceOptions;
  readonly #view: BalanceView;
  readonly #needs: TaskNeeds;
  readonly #root = newPlace("", undefined);
  /** From the root down to the node. */
  readonly #paths = new Map<string, readonly Place[]>();
  /** Made for nodes that are to take a task only: the sums over all tasks of a node cost most. */
  readonly #infos = new Map<string, NodeInfo>();

  constructor(view: BalanceView, options: BalanceOptions) {
    this.#view = view;
    this.#options = options;
    this.#needs = needsOf(options.probe);
    for (const node of view.nodes()) this.#addNode(node);
    for (const task of options.tasks) {
      const path = this.#paths.get(task.nodeId);
      for (const place of path ?? []) place.count++;
      path?.at(-1)?.tasks.push(task);
    }
  }

  /** Tasks that the fullest of some sibling places has more than the emptiest; 0 and 1 are even. */
  get imbalance(): number {
    return imbalanceOf(this.#root);
  }

  /** Nodes that take part, with their tasks of the service, in the order of the view. */
  get counts(): readonly { readonly node: Node; readonly count: number }[] {
    return [...this.#paths.values()].flatMap((path) => {
      const place = path.at(-1);
      return place?.node && place.nodeCount > 0 ? [{ node: place.node, count: place.count }] : [];
    });
  }

  /** The next move, booked at once; undefined when none makes it more even. */
  next(): Move | undefined {
    const found = this.#find(this.#root);
    if (!found) return undefined;
    const { from, to } = found;
    const task = this.#movable(from);
    if (!task || !from.node || !to.node) return undefined;
    from.tasks.splice(from.tasks.indexOf(task), 1);
    this.#count(from.node, -1);
    this.#count(to.node, 1);
    const info = this.#infoOf(to.node);
    const genericResources = info.generic.choose(this.#needs.generic);
    info.account(
      { ...this.#options.probe, nodeId: info.id, state: TASK_STATE.assigned, genericResources },
      1,
    );
    return { task, fromNodeId: from.node.id, toNodeId: to.node.id };
  }

  /** The old task has gone: what it held is free. For plans that look ahead. */
  finish({ task, fromNodeId }: Move): void {
    const from = this.#paths.get(fromNodeId)?.at(-1);
    if (!from?.node || !isHeld(task)) return;
    this.#infoOf(from.node).account(task, -1);
  }

  /** Between places that lie side by side, the outermost first: a preference counts more than what lies below it. */
  #find(place: Place): { readonly from: Place; readonly to: Place } | undefined {
    if (place.node) return undefined;
    const children = inOrder(place);
    const fullest = children.at(-1)?.count ?? 0;
    for (const target of children) {
      if (fullest - target.count < GAIN_MIN) break;
      const to = this.#taker(target);
      if (!to) continue;
      const from = this.#giver(children, target.count + GAIN_MIN);
      if (from) return { from, to };
      break;
    }
    for (const child of children) {
      const found = this.#find(child);
      if (found) return found;
    }
    return undefined;
  }

  /** The emptiest node below that can take a task. */
  #taker(place: Place): Place | undefined {
    const { node } = place;
    if (node) {
      const { mayTake } = this.#options;
      if (mayTake && !mayTake(node)) return undefined;
      return failingFilter(this.#needs, this.#infoOf(node)) === undefined ? place : undefined;
    }
    for (const child of inOrder(place)) {
      const found = this.#taker(child);
      if (found) return found;
    }
    return undefined;
  }

  /** In the fullest of the places with at least `countMin` tasks, the fullest node that has one to give. */
  #giver(places: readonly Place[], countMin: number): Place | undefined {
    const { mayGive } = this.#options;
    for (let i = places.length - 1; i >= 0; i--) {
      const place = places[i];
      if (!place || place.count < countMin) return undefined;
      const { node } = place;
      if (!node) {
        const found = this.#giver(inOrder(place), 1);
        if (found) return found;
      } else if ((!mayGive || mayGive(node)) && this.#movable(place)) return place;
    }
    return undefined;
  }

  /** The youngest, of those that may be moved: it has the least to lose. */
  #movable(place: Place): Task | undefined {
    let found: Task | undefined;
    for (const task of place.tasks)
      if (this.#options.mayMove(task) && (!found || isYounger(task, found))) found = task;
    return found;
  }

  #count(node: Node, by: number): void {
    for (const place of this.#paths.get(node.id) ?? []) {
      place.count += by;
      place.isInOrder = false;
    }
  }

  #addNode(node: Node): void {
    const info = new NodeInfo(node.id);
    info.setNode(node);
    const takesPart = info.isReady() && passesStatic(this.#needs, info);
    const path = [this.#root];
    let place = this.#root;
    for (const key of this.#needs.spread) {
      place = childOf(place, labelOf(key, node) ?? "", undefined);
      path.push(place);
    }
    path.push(childOf(place, node.id, node));
    if (takesPart) for (const each of path) each.nodeCount++;
    this.#paths.set(node.id, path);
  }

  #infoOf(node: Node): NodeInfo {
    let info = this.#infos.get(node.id);
    if (!info) {
      info = new NodeInfo(node.id);
      info.setNode(node);
      info.setNetworks(this.#view.networks());
      for (const task of this.#view.tasksByNode(node.id))
        if (isHeld(task) || isOnItsWay(task)) info.account(task, 1);
      this.#infos.set(node.id, info);
    }
    return info;
  }
}

/** Made for its node and not assigned to it yet: it holds nothing in the scheduler's eyes, but is going to. */
function isOnItsWay(task: Task): boolean {
  return task.state < TASK_STATE.assigned && task.desiredState <= TASK_STATE.complete;
}

function isYounger(a: Task, b: Task): boolean {
  return a.createdAtMs === b.createdAtMs ? a.slot > b.slot : a.createdAtMs > b.createdAtMs;
}

function imbalanceOf(place: Place): number {
  let [least, most, worst] = [Number.POSITIVE_INFINITY, 0, 0];
  for (const child of place.children.values()) {
    if (child.nodeCount === 0) continue;
    least = Math.min(least, child.count);
    most = Math.max(most, child.count);
    worst = Math.max(worst, imbalanceOf(child));
  }
  return Math.max(worst, most - Math.min(least, most));
}

function inOrder(place: Place): readonly Place[] {
  place.order ??= [...place.children.values()].filter(({ nodeCount }) => nodeCount > 0);
  if (!place.isInOrder) place.order.sort((a, b) => a.count - b.count || (a.key < b.key ? -1 : 1));
  place.isInOrder = true;
  return place.order;
}

function childOf(place: Place, key: string, node: Node | undefined): Place {
  let child = place.children.get(key);
  if (!child) {
    child = newPlace(key, node);
    place.children.set(key, child);
  }
  return child;
}

function newPlace(key: string, node: Node | undefined): Place {
  const fields = { order: undefined, isInOrder: false, tasks: [] };
  return { key, count: 0, nodeCount: 0, children: new Map(), node, ...fields };
}
