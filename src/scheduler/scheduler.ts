/**
 * The scheduler: which node each pending task goes to. Pure: it is told of events and of the time, keeps sums and indexes, and
 * answers with decisions that the caller proposes. A decision counts as booked at once, until `settle` tells how it ended.
 */
import { type GenericResource, type Node, TASK_STATE, type Task } from "../api/index.js";
import type { StoreEvent, StoreView } from "../store/index.js";
import { BoundTasks } from "./bound-tasks.js";
import { explainNode, explainNoNode } from "./filters.js";
import { GroupPlacement } from "./group-placement.js";
import type { Held, NodeInfo } from "./node-info.js";
import { NodeTable } from "./node-table.js";
import { Group, PendingGroups } from "./pending-groups.js";
import { PlacementClass } from "./placement-class.js";
import { needsOf, type TaskNeeds } from "./task-needs.js";

export type SchedulerView = Pick<StoreView, "nodes" | "tasks" | "task" | "networks">;

/** In the order in which they were taken. */
export type Decision =
  | {
      readonly kind: "assign";
      readonly taskId: string;
      readonly nodeId: string;
      /** What the task gets of the node's generic resources. */
      readonly genericResources: readonly GenericResource[];
    }
  | { readonly kind: "wait"; readonly taskId: string; readonly reason: string };

export type Schedule = {
  readonly decisions: readonly Decision[];
  /** More could be decided at once; the limit cut it short. */
  readonly isMore: boolean;
  /** Unix ms of the next refresh of explanations, if one is due later. */
  readonly wakeAtMs: number | undefined;
};

export type SchedulerOptions = {
  /** A group's explanation is renewed at most this often: it names counts that change with every task. */
  readonly explainEveryMs?: number;
};

const EXPLAIN_EVERY_MS = 1000;
/** Indexes kept; a class that is not among them is built anew when it is needed. */
const CLASSES_MAX = 64;

/** Nodes looked at for explanations in one call; groups beyond it are explained in a later one. */
const EXPLAIN_NODES_MAX = 200_000;

/** What one call of `schedule` may still do. */
type Turn = { readonly decisions: Decision[]; readonly limit: number; nodesToLookAt: number };

export class Scheduler {
  readonly #explainEveryMs: number;
  #table = new NodeTable();
  readonly #classes = new Map<string, PlacementClass>();
  /** The last of #classes: group after group has the same one. */
  #latest: { readonly key: string; readonly found: PlacementClass } | undefined;
  readonly #groups = new PendingGroups();
  readonly #bound = new BoundTasks();
  /** Up to here in the table's change log nodes were looked at for tasks bound to them. */
  #boundMark = 0;
  /** Decided, not yet seen in the store: the task as booked. */
  readonly #tentative = new Map<string, Held>();
  /** Tasks bound to their node that were told why they wait, not yet settled. */
  readonly #boundTold = new Set<string>();

  constructor(options: SchedulerOptions = {}) {
    this.#explainEveryMs = options.explainEveryMs ?? EXPLAIN_EVERY_MS;
  }

  /** Forgets everything and looks at the state anew. */
  rebuild(view: SchedulerView, nowMs: number): void {
    this.#table = new NodeTable();
    this.#classes.clear();
    this.#latest = undefined;
    this.#groups.clear();
    this.#bound.clear();
    this.#boundMark = 0;
    this.#tentative.clear();
    this.#boundTold.clear();
    for (const network of view.networks()) this.#table.setNetwork(network);
    for (const node of view.nodes()) this.#table.setNode(node);
    for (const task of view.tasks()) {
      this.#table.add(task);
      this.#enqueue(task);
      if (isFailure(task)) this.#table.recordFailure(task, Math.min(task.statusAtMs, nowMs), nowMs);
    }
  }

  /** Takes in the events of one batch, in order. */
  applyEvents(events: readonly StoreEvent[], nowMs: number): void {
    for (const event of events) {
      if (event.table === "node") {
        if (event.kind === "removed") this.#table.removeNode(event.old.id);
        else this.#nodeChanged(event.object, event.kind === "updated" ? event.old : undefined);
      } else if (event.table === "network") {
        if (event.kind === "removed") this.#table.removeNetwork(event.old.id);
        else this.#table.setNetwork(event.object);
      } else if (event.table === "task") {
        if (event.kind === "created") this.#taskCreated(event.object);
        else if (event.kind === "updated") this.#taskUpdated(event.old, event.object, nowMs);
        else this.#taskRemoved(event.old);
      }
    }
  }

  /** Tasks that wait for a node. */
  get pendingCount(): number {
    return this.#bound.size + this.#groups.taskCount;
  }

  /** Decides for tasks made for one node, then group by group in the order of arrival; at most `limit` decisions. */
  schedule(nowMs: number, limit: number): Schedule {
    const decisions: Decision[] = [];
    const turn: Turn = { decisions, limit, nodesToLookAt: EXPLAIN_NODES_MAX };
    let wakeAtMs: number | undefined;
    if (!this.#placeBound(turn)) return { decisions, isMore: true, wakeAtMs };
    for (const [key, entry] of this.#groups.entries()) {
      if (decisions.length >= limit) return { decisions, isMore: true, wakeAtMs };
      const group = this.#place(key, entry, nowMs, turn);
      if (!group) {
        this.#groups.drop(key, entry);
        continue;
      }
      if (decisions.length >= limit) return { decisions, isMore: true, wakeAtMs };
      const dueMs = this.#explain(group, nowMs, turn);
      if (dueMs !== undefined) wakeAtMs = Math.min(wakeAtMs ?? dueMs, dueMs);
    }
    return { decisions, isMore: false, wakeAtMs };
  }

  /**
   * The proposal with these decisions has ended, one way or the other, and its events have been applied. What the store does not
   * show as assigned is given back: it is pending again, or no longer wanted.
   */
  settle(taskIds: Iterable<string>, view: Pick<SchedulerView, "task">): void {
    for (const id of taskIds) {
      const booked = this.#tentative.get(id);
      if (booked) this.#release(booked);
      // One that waits for its own node is looked at again too: it may not have been told why.
      const isTold = this.#boundTold.size > 0 && this.#boundTold.delete(id);
      if (!booked && !isTold) continue;
      const task = view.task(id);
      if (task) this.#enqueue(task);
    }
  }

  /** False when the limit cut it short. */
  #placeBound(turn: Turn): boolean {
    const from = this.#boundMark;
    this.#boundMark = this.#table.mark();
    if (this.#bound.isEmpty) return true;
    for (const info of this.#table.changedSince(from) ?? this.#table.infos())
      this.#bound.nodeChanged(info.id);
    for (const [nodeId, tasks] of this.#bound.due()) {
      const info = this.#table.info(nodeId);
      for (const task of tasks) {
        if (turn.decisions.length >= turn.limit) return false;
        if (!info?.node) continue;
        const reason = explainNode(needsOf(task), info);
        if (reason === "") {
          this.#bound.delete(task);
          this.#book(task, info, needsOf(task), turn);
        } else if (task.err !== reason) {
          turn.decisions.push({ kind: "wait", taskId: task.id, reason });
          this.#boundTold.add(task.id);
        }
      }
      this.#bound.looked(nodeId);
    }
    return true;
  }

  /** `isFirst`: no node has a task of the service yet. */
  #book(task: Task, info: NodeInfo, needs: TaskNeeds, turn: Turn, isFirst = false): void {
    const genericResources = info.generic.choose(needs.generic);
    // Not a copy of the whole task: that costs as much as finding its node.
    const booked: Held = {
      id: task.id,
      serviceId: task.serviceId,
      nodeId: info.id,
      spec: task.spec,
      hostPorts: task.hostPorts,
      desiredState: task.desiredState,
      state: TASK_STATE.assigned,
      genericResources,
    };
    this.#tentative.set(task.id, booked);
    this.#table.book(info, booked, isFirst);
    turn.decisions.push({ kind: "assign", taskId: task.id, nodeId: info.id, genericResources });
  }

  /** What is left of the group; undefined when all its tasks have nodes. */
  #place(key: string, entry: Task | Group, nowMs: number, turn: Turn): Group | undefined {
    if (entry instanceof Group) {
      if (entry.failedAtFreed !== this.#table.freedCount) this.#placeAll(entry, nowMs, turn);
      return entry.tasks.size === 0 ? undefined : entry;
    }
    const needs = needsOf(entry);
    const placement = this.#placement(needs, nowMs);
    const info = placement.pick();
    if (info) {
      this.#book(entry, info, needs, turn, placement.isFirst);
      return undefined;
    }
    const group = this.#groups.open(key, entry);
    group.failedAtFreed = this.#table.freedCount;
    return group;
  }

  #placeAll(group: Group, nowMs: number, turn: Turn): void {
    const { needs } = group;
    if (!needs) return;
    const placement = this.#placement(needs, nowMs);
    for (const task of group.tasks.values()) {
      if (turn.decisions.length >= turn.limit) return;
      const info = placement.pick();
      if (!info) {
        group.failedAtFreed = this.#table.freedCount;
        return;
      }
      this.#book(task, info, needs, turn);
      group.tasks.delete(task.id);
      if (group.tasks.size > 0) placement.placed(info);
    }
  }

  #placement(needs: TaskNeeds, nowMs: number): GroupPlacement {
    return new GroupPlacement(needs, this.#classOf(needs), this.#table, nowMs);
  }

  /** Tells the group's tasks why they wait. Returns when the text is to be looked at again, if it may be out of date. */
  #explain(group: Group, nowMs: number, turn: Turn): number | undefined {
    const isCurrent = group.explainedAtChange === this.#table.changeCount;
    const dueMs = group.reason === "" ? nowMs : group.explainedAtMs + this.#explainEveryMs;
    let wakeAtMs: number | undefined;
    const { needs } = group;
    if (!isCurrent && needs && nowMs >= dueMs && turn.nodesToLookAt > 0) {
      turn.nodesToLookAt -= this.#table.size;
      group.reason = explainNoNode(needs, this.#table.infos());
      group.explainedAtMs = nowMs;
      group.explainedAtChange = this.#table.changeCount;
    } else if (!isCurrent) wakeAtMs = Math.max(dueMs, nowMs + 1);
    if (group.reason === "") return wakeAtMs;
    for (const task of group.tasks.values()) {
      if (task.err === group.reason) continue;
      if (turn.decisions.length >= turn.limit) break;
      turn.decisions.push({ kind: "wait", taskId: task.id, reason: group.reason });
    }
    return wakeAtMs;
  }

  #classOf(needs: TaskNeeds): PlacementClass {
    if (this.#latest?.key === needs.classKey) return this.#latest.found;
    let found = this.#classes.get(needs.classKey);
    if (found) this.#classes.delete(needs.classKey);
    else found = new PlacementClass(needs, this.#table);
    // Re-inserted at the end: the map's first entry is the one unused for longest.
    this.#classes.set(needs.classKey, found);
    this.#latest = { key: needs.classKey, found };
    const oldest = this.#classes.keys().next();
    if (this.#classes.size > CLASSES_MAX && !oldest.done) this.#classes.delete(oldest.value);
    return found;
  }

  #enqueue(task: Task): void {
    if (!isPending(task) || this.#tentative.has(task.id)) return;
    if (task.nodeId !== "") {
      this.#bound.put(task);
      return;
    }
    this.#groups.put(task);
  }

  #dequeue(task: Task): void {
    if (task.nodeId !== "") {
      this.#bound.delete(task);
      return;
    }
    this.#groups.delete(task);
  }

  #release(booked: Held): void {
    this.#tentative.delete(booked.id);
    this.#table.remove(booked);
  }

  #nodeChanged(node: Node, old: Node | undefined): void {
    if (
      old &&
      old.spec === node.spec &&
      old.description === node.description &&
      old.state === node.state &&
      old.role === node.role &&
      old.addr === node.addr
    )
      return;
    this.#table.setNode(node);
  }

  #taskCreated(task: Task): void {
    this.#table.add(task);
    this.#enqueue(task);
  }

  #taskUpdated(old: Task, task: Task, nowMs: number): void {
    const booked = this.#tentative.get(task.id);
    if (booked && !isPending(task)) {
      this.#tentative.delete(task.id);
      this.#table.update(booked, task);
    } else this.#table.update(old, task);
    if (isPending(task)) this.#enqueue(task);
    else if (isPending(old) && !booked) this.#dequeue(old);
    if (isFailure(task) && !isFailure(old)) this.#table.recordFailure(task, nowMs, nowMs);
  }

  #taskRemoved(old: Task): void {
    const booked = this.#tentative.get(old.id);
    if (booked) this.#release(booked);
    this.#table.remove(old);
    if (isPending(old)) this.#dequeue(old);
  }
}

function isPending(task: Task): boolean {
  return task.state === TASK_STATE.pending && task.desiredState <= TASK_STATE.complete;
}

function isFailure(task: Task): boolean {
  return (
    task.nodeId !== "" && (task.state === TASK_STATE.failed || task.state === TASK_STATE.rejected)
  );
}
