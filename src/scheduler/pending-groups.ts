import type { Task } from "../api/index.js";
import { needsOf, type TaskNeeds } from "./task-needs.js";
import { TaskQueue } from "./task-queue.js";

/** Pending tasks with the same needs, once they are more than one or no node was found. */
export class Group {
  readonly serviceId: string;
  readonly specVersion: number;
  readonly tasks = new TaskQueue();
  /** The table's `freedCount` at which no node was found: until it grows, trying again is useless. */
  failedAtFreed = -1;
  reason = "";
  explainedAtMs = 0;
  /** The table's `changeCount` that the reason was found at. */
  explainedAtChange = -1;
  #needs: TaskNeeds | undefined;

  constructor(first: Task) {
    this.serviceId = first.serviceId;
    this.specVersion = first.specVersion;
    this.tasks.put(first);
  }

  /** Read when the group's turn has come: before, there are many that wait. Undefined when no task is left. */
  get needs(): TaskNeeds | undefined {
    if (this.#needs) return this.#needs;
    for (const task of this.tasks.values()) {
      this.#needs = needsOf(task);
      break;
    }
    return this.#needs;
  }
}

/**
 * Pending tasks grouped by service and version of its spec, in the order in which the groups came. Most groups of a large cluster
 * are one task that gets its node at the first try: it stands for itself, under the id of its service, a text that exists already.
 */
export class PendingGroups {
  /** Under the id of the service: the version that came when no other waited there. The rest under "service/version". */
  readonly #entries = new Map<string, Task | Group>();
  #underVersionCount = 0;

  /** Of all groups. */
  get taskCount(): number {
    let count = 0;
    for (const entry of this.#entries.values())
      count += entry instanceof Group ? entry.tasks.size : 1;
    return count;
  }

  clear(): void {
    this.#entries.clear();
    this.#underVersionCount = 0;
  }

  /** With their keys; what was visited may be dropped or opened meanwhile. */
  entries(): Iterable<readonly [key: string, entry: Task | Group]> {
    return this.#entries;
  }

  /** Takes the place of one with the same id. */
  put(task: Task): void {
    const key = this.#keyOf(task);
    const entry = this.#entries.get(key);
    if (entry instanceof Group) entry.tasks.put(task);
    else if (entry && entry.id !== task.id) this.open(key, entry).tasks.put(task);
    else {
      this.#entries.set(key, task);
      if (!entry && key !== task.serviceId) this.#underVersionCount++;
    }
  }

  /** Nothing when it is not there; an emptied group goes with it. */
  delete(task: Task): void {
    const key = this.#keyOf(task);
    const entry = this.#entries.get(key);
    if (entry instanceof Group) {
      if (entry.tasks.delete(task.id) && entry.tasks.size === 0) this.drop(key, entry);
    } else if (entry?.id === task.id) this.drop(key, entry);
  }

  /** A group of one task in that task's place. */
  open(key: string, only: Task): Group {
    const group = new Group(only);
    this.#entries.set(key, group);
    return group;
  }

  drop(key: string, entry: Task | Group): void {
    if (this.#entries.delete(key) && key !== entry.serviceId) this.#underVersionCount--;
  }

  /** Where the task's group is, or would be. */
  #keyOf(task: Task): string {
    const { serviceId, specVersion } = task;
    const first = this.#entries.get(serviceId);
    if (first ? first.specVersion === specVersion : this.#underVersionCount === 0) return serviceId;
    const key = `${serviceId}/${specVersion}`;
    return first || this.#entries.has(key) ? key : serviceId;
  }
}
