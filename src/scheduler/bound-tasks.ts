/** Pending tasks that were made for one node (global services, jobs on every node). Only a change of that node can help them. */
import type { Task } from "../api/index.js";

export class BoundTasks {
  readonly #byNode = new Map<string, Map<string, Task>>();
  /** Nodes whose tasks are to be looked at. */
  readonly #due = new Set<string>();

  get size(): number {
    let size = 0;
    for (const tasks of this.#byNode.values()) size += tasks.size;
    return size;
  }

  get isEmpty(): boolean {
    return this.#byNode.size === 0;
  }

  clear(): void {
    this.#byNode.clear();
    this.#due.clear();
  }

  put(task: Task): void {
    const tasks = this.#byNode.get(task.nodeId);
    if (tasks) tasks.set(task.id, task);
    else this.#byNode.set(task.nodeId, new Map([[task.id, task]]));
    this.#due.add(task.nodeId);
  }

  delete(task: Task): void {
    const tasks = this.#byNode.get(task.nodeId);
    if (tasks?.delete(task.id) && tasks.size === 0) this.#byNode.delete(task.nodeId);
  }

  nodeChanged(id: string): void {
    if (this.#byNode.has(id)) this.#due.add(id);
  }

  /** Nodes to look at, each until `looked`. */
  due(): Iterable<readonly [nodeId: string, tasks: Iterable<Task>]> {
    return [...this.#due].map((id) => [id, this.#byNode.get(id)?.values() ?? []] as const);
  }

  looked(nodeId: string): void {
    this.#due.delete(nodeId);
  }
}
