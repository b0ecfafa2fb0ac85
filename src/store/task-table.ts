import type { Task } from "../api/index.js";
import { ObjectTable } from "./object-table.js";
import { SortedList } from "./sorted-list.js";

const NONE: readonly Task[] = [];

type ServiceTasks = {
  readonly all: SortedList<Task>;
  /** Most slots hold one task, which then stands for itself; else an array in the order of ids, replaced on change. */
  readonly bySlot: Map<number, Task | readonly Task[]>;
};

/** Tasks by id, by service, by slot and by node. */
export class TaskTable extends ObjectTable<Task> {
  readonly #byService = new Map<string, ServiceTasks>();
  readonly #byNode = new Map<string, SortedList<Task>>();

  byService(serviceId: string): readonly Task[] {
    return this.#byService.get(serviceId)?.all.list() ?? NONE;
  }

  bySlot(serviceId: string, slot: number): readonly Task[] {
    return asList(this.#byService.get(serviceId)?.bySlot.get(slot));
  }

  byNode(nodeId: string): readonly Task[] {
    return this.#byNode.get(nodeId)?.list() ?? NONE;
  }

  override put(task: Task): void {
    const old = this.get(task.id);
    if (old && (old.serviceId !== task.serviceId || old.slot !== task.slot))
      this.#leaveService(old);
    if (old && old.nodeId !== task.nodeId) this.#leaveNode(old);
    super.put(task);
    this.#enterService(task);
    if (task.nodeId !== "") this.#enterNode(task);
  }

  override remove(id: string): void {
    const old = this.get(id);
    if (!old) return;
    super.remove(id);
    this.#leaveService(old);
    this.#leaveNode(old);
  }

  #enterService(task: Task): void {
    let tasks = this.#byService.get(task.serviceId);
    if (!tasks) {
      tasks = { all: new SortedList(), bySlot: new Map() };
      this.#byService.set(task.serviceId, tasks);
    }
    tasks.all.set(task);
    tasks.bySlot.set(task.slot, withTask(asList(tasks.bySlot.get(task.slot)), task));
  }

  #leaveService(task: Task): void {
    const tasks = this.#byService.get(task.serviceId);
    if (!tasks) return;
    tasks.all.delete(task.id);
    const left = asList(tasks.bySlot.get(task.slot)).filter((other) => other.id !== task.id);
    const [first] = left;
    if (first) tasks.bySlot.set(task.slot, left.length === 1 ? first : left);
    else tasks.bySlot.delete(task.slot);
    if (tasks.all.size === 0) this.#byService.delete(task.serviceId);
  }

  #enterNode(task: Task): void {
    let tasks = this.#byNode.get(task.nodeId);
    if (!tasks) {
      tasks = new SortedList();
      this.#byNode.set(task.nodeId, tasks);
    }
    tasks.set(task);
  }

  #leaveNode(task: Task): void {
    const tasks = this.#byNode.get(task.nodeId);
    if (!tasks) return;
    tasks.delete(task.id);
    if (tasks.size === 0) this.#byNode.delete(task.nodeId);
  }
}

function asList(held: Task | readonly Task[] | undefined): readonly Task[] {
  if (held === undefined) return NONE;
  return "id" in held ? [held] : held;
}

function withTask(tasks: readonly Task[], task: Task): Task | readonly Task[] {
  const others = tasks.filter((other) => other.id !== task.id);
  if (others.length === 0) return task;
  const at = others.findIndex((other) => other.id > task.id);
  others.splice(at < 0 ? others.length : at, 0, task);
  return others;
}
