import type { Task } from "../api/index.js";
import { SortedList } from "./sorted-list.js";

const NONE: readonly Task[] = [];

/**
 * One task's place in all indexes. Most writes change a task where it is: they put a new object into the cell and leave the
 * sorted lists alone, whose searches are what a write would otherwise spend its time on.
 */
type TaskCell = {
  readonly id: string;
  task: Task;
  service: ServiceTasks;
  node: TaskList | undefined;
};

type ServiceTasks = {
  readonly list: TaskList;
  /** Most slots hold one task, which then stands for itself; else an array in the order of ids, replaced on change. */
  readonly bySlot: Map<number, TaskCell | readonly TaskCell[]>;
};

/** Cells as of one moment, with the tasks that those changed since held then. A removed cell keeps its last task. */
type TaskFrame = {
  readonly cells: Iterable<TaskCell>;
  readonly before: Map<TaskCell, Task>;
};

/** Tasks by id, by service, by slot and by node. */
export class TaskTable {
  readonly #cells = new Map<string, TaskCell>();
  readonly #all = new TaskList();
  readonly #byService = new Map<string, ServiceTasks>();
  readonly #byNode = new Map<string, TaskList>();
  /** Weak: a frame that nobody reads to its end is not to gather old tasks for ever. */
  readonly #frames = new Set<WeakRef<TaskFrame>>();

  get(id: string): Task | undefined {
    return this.#cells.get(id)?.task;
  }

  list(): readonly Task[] {
    return this.#all.tasks();
  }

  /**
   * The tasks as of now in the order of ids, to be walked once while the table goes on. Costs one reference per chunk of tasks
   * now, and one map entry for each task that changes until the walk ends.
   */
  freeze(): Iterable<Task> {
    const frame: TaskFrame = { cells: this.#all.freeze(), before: new Map() };
    const ref = new WeakRef(frame);
    this.#frames.add(ref);
    return walk(frame, () => this.#frames.delete(ref));
  }

  byService(serviceId: string): readonly Task[] {
    return this.#byService.get(serviceId)?.list.tasks() ?? NONE;
  }

  bySlot(serviceId: string, slot: number): readonly Task[] {
    const cells = asList(this.#byService.get(serviceId)?.bySlot.get(slot));
    return cells.length === 0 ? NONE : cells.map((cell) => cell.task);
  }

  byNode(nodeId: string): readonly Task[] {
    return this.#byNode.get(nodeId)?.tasks() ?? NONE;
  }

  put(task: Task): void {
    const cell = this.#cells.get(task.id);
    if (!cell) {
      this.#insert(task);
      return;
    }
    const old = cell.task;
    if (this.#frames.size > 0) this.#keepForFrames(cell);
    const isMoved = old.serviceId !== task.serviceId || old.slot !== task.slot;
    if (isMoved) this.#leaveService(cell);
    if (old.nodeId !== task.nodeId) this.#leaveNode(cell);
    cell.task = task;
    if (isMoved) cell.service = this.#enterService(cell);
    if (old.nodeId !== task.nodeId) cell.node = this.#enterNode(cell);
    this.#all.touch();
    cell.service.list.touch();
    cell.node?.touch();
  }

  remove(id: string): void {
    const cell = this.#cells.get(id);
    if (!cell) return;
    this.#cells.delete(id);
    this.#all.delete(id);
    this.#leaveService(cell);
    this.#leaveNode(cell);
  }

  #keepForFrames(cell: TaskCell): void {
    for (const ref of this.#frames) {
      const frame = ref.deref();
      if (frame === undefined) this.#frames.delete(ref);
      else if (!frame.before.has(cell)) frame.before.set(cell, cell.task);
    }
  }

  #insert(task: Task): void {
    const cell: TaskCell = {
      id: task.id,
      task,
      service: this.#serviceTasks(task.serviceId),
      node: undefined,
    };
    this.#cells.set(task.id, cell);
    this.#all.add(cell);
    this.#enterService(cell);
    cell.node = this.#enterNode(cell);
  }

  #serviceTasks(serviceId: string): ServiceTasks {
    let tasks = this.#byService.get(serviceId);
    if (!tasks) {
      tasks = { list: new TaskList(), bySlot: new Map() };
      this.#byService.set(serviceId, tasks);
    }
    return tasks;
  }

  #enterService(cell: TaskCell): ServiceTasks {
    const { serviceId, slot } = cell.task;
    const tasks = this.#serviceTasks(serviceId);
    tasks.list.add(cell);
    tasks.bySlot.set(slot, withCell(asList(tasks.bySlot.get(slot)), cell));
    return tasks;
  }

  #leaveService(cell: TaskCell): void {
    const { serviceId, slot } = cell.task;
    const tasks = cell.service;
    tasks.list.delete(cell.id);
    const left = asList(tasks.bySlot.get(slot)).filter((other) => other !== cell);
    const [first] = left;
    if (first) tasks.bySlot.set(slot, left.length === 1 ? first : left);
    else tasks.bySlot.delete(slot);
    if (tasks.list.size === 0) this.#byService.delete(serviceId);
  }

  #enterNode(cell: TaskCell): TaskList | undefined {
    const { nodeId } = cell.task;
    if (nodeId === "") return undefined;
    let tasks = this.#byNode.get(nodeId);
    if (!tasks) {
      tasks = new TaskList();
      this.#byNode.set(nodeId, tasks);
    }
    tasks.add(cell);
    return tasks;
  }

  #leaveNode(cell: TaskCell): void {
    cell.node?.delete(cell.id);
    if (cell.node?.size === 0) this.#byNode.delete(cell.task.nodeId);
    cell.node = undefined;
  }
}

/** Tasks in the order of their ids, handed out as snapshots that are made at most once per change. */
class TaskList {
  readonly #cells = new SortedList<TaskCell>();
  #tasks: readonly Task[] | undefined;

  get size(): number {
    return this.#cells.size;
  }

  tasks(): readonly Task[] {
    this.#tasks ??= this.#cells.map((cell) => cell.task);
    return this.#tasks;
  }

  freeze(): Iterable<TaskCell> {
    return this.#cells.freeze();
  }

  /** A task of the list was replaced in its cell. */
  touch(): void {
    this.#tasks = undefined;
  }

  add(cell: TaskCell): void {
    this.#tasks = undefined;
    this.#cells.set(cell);
  }

  delete(id: string): void {
    this.#tasks = undefined;
    this.#cells.delete(id);
  }
}

function* walk(frame: TaskFrame, onEnd: () => void): Generator<Task, void, undefined> {
  try {
    for (const cell of frame.cells) yield frame.before.get(cell) ?? cell.task;
  } finally {
    onEnd();
  }
}

function asList(held: TaskCell | readonly TaskCell[] | undefined): readonly TaskCell[] {
  if (held === undefined) return [];
  return "id" in held ? [held] : held;
}

function withCell(cells: readonly TaskCell[], cell: TaskCell): TaskCell | readonly TaskCell[] {
  if (cells.length === 0) return cell;
  const at = cells.findIndex((other) => other.id > cell.id);
  return at < 0 ? [...cells, cell] : [...cells.slice(0, at), cell, ...cells.slice(at)];
}
