/** Tasks that were made for one node (global modes). They are not placed: their node is asked whether it can take them. */
import { TASK_STATE, type Task } from "../api/index.js";
import { explainFilter, failingFilter } from "./filters.js";
import type { NodeTable } from "./node-table.js";
import type { Decision } from "./scheduler.js";
import { needsOf } from "./task-needs.js";

export class PreAssigned {
  readonly #byNode = new Map<string, Map<string, Task>>();
  /** Nodes with tasks that were not looked at since something changed there. */
  readonly #changed = new Set<string>();

  get count(): number {
    let count = 0;
    for (const tasks of this.#byNode.values()) count += tasks.size;
    return count;
  }

  clear(): void {
    this.#byNode.clear();
    this.#changed.clear();
  }

  add(task: Task): void {
    let tasks = this.#byNode.get(task.nodeId);
    if (!tasks) {
      tasks = new Map();
      this.#byNode.set(task.nodeId, tasks);
    }
    tasks.set(task.id, task);
    this.#changed.add(task.nodeId);
  }

  delete(task: Task): void {
    const tasks = this.#byNode.get(task.nodeId);
    if (tasks?.delete(task.id) && tasks.size === 0) this.#byNode.delete(task.nodeId);
  }

  /** The node, or what runs there, is another now. */
  nodeChanged(nodeId: string): void {
    if (this.#byNode.has(nodeId)) this.#changed.add(nodeId);
  }

  /** Decides in the order of arrival on each node. `book` must enter the task into the table before the next one is judged. */
  decide(table: NodeTable, limit: number, book: (task: Task) => void): Decision[] {
    const decisions: Decision[] = [];
    for (const nodeId of this.#changed) {
      for (const task of this.#byNode.get(nodeId)?.values() ?? []) {
        if (decisions.length >= limit) return decisions;
        const decision = judge(task, table);
        if (decision?.kind === "assign") {
          this.delete(task);
          book({ ...task, state: TASK_STATE.assigned });
        }
        if (decision) decisions.push(decision);
      }
      this.#changed.delete(nodeId);
    }
    return decisions;
  }
}

function judge(task: Task, table: NodeTable): Decision | undefined {
  const { id: taskId, nodeId } = task;
  const info = table.info(nodeId);
  const failing = info?.node ? failingFilter(needsOf(task), info) : "ready";
  if (failing === undefined) return { kind: "assign", taskId, nodeId };
  // There is one node, so nothing to sum up: the bare explanation (spec §4.9).
  const reason = explainFilter(failing, 1);
  return task.err === reason ? undefined : { kind: "wait", taskId, reason };
}
