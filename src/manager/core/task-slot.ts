/** A slot: the place of a service that successive tasks fill. A number, or in global modes a node. */
import { type Node, TASK_STATE, type Task } from "../../api/index.js";

/** Where a task of the slot is made. */
export type Place = {
  /** Tells the slot from the others of its service. In global modes only while planning: the tasks there carry slot 0. */
  readonly number: number;
  /** In global modes the node that the slot stands for; "" where the scheduler chooses. */
  readonly nodeId: string;
  /** Of a job: each run has slots of its own. 0 otherwise. */
  readonly iteration: number;
};

export type Slot = Place & {
  /** Oldest first, without tasks that are to be removed. */
  readonly tasks: readonly Task[];
  /** A task of it still leaves a drained node, its replacement beside it: there is no room for a third. */
  readonly isBeingLeft?: boolean;
};

/** To be run, or to be run to its end (jobs). */
export function isWanted(task: Task): boolean {
  return task.desiredState <= TASK_STATE.complete;
}

/** Observed: it runs no more, and never will. */
export function isStopped(task: Task): boolean {
  return task.state > TASK_STATE.running;
}

/** It may have a container on its node that has to be stopped first. Nobody waits for a node that is down or gone. */
export function mayStillRun(task: Task, nodeOf: (id: string) => Node | undefined): boolean {
  if (isStopped(task) || task.state < TASK_STATE.assigned) return false;
  return nodeFate(task, nodeOf) !== "silent";
}

/** Age decides which task of a slot replaced which; ids only make the order total. */
export function byAge(a: Task, b: Task): number {
  return a.createdAtMs - b.createdAtMs || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
}

export function slotsOf(tasks: readonly Task[]): Map<number, Slot> {
  const byNumber = new Map<number, Task[]>();
  for (const task of tasks) {
    if (task.desiredState >= TASK_STATE.remove) continue;
    const others = byNumber.get(task.slot);
    if (others) others.push(task);
    else byNumber.set(task.slot, [task]);
  }
  const slots = new Map<number, Slot>();
  for (const number of [...byNumber.keys()].sort((a, b) => a - b)) {
    const inSlot = byNumber.get(number) ?? [];
    slots.set(number, { number, nodeId: "", iteration: 0, tasks: sortedByAge(inSlot) });
  }
  return slots;
}

/** By node, in the order of ids. Nodes without a task of the service are not among them. */
export function tasksByNode(tasks: readonly Task[]): Map<string, Task[]> {
  const byNode = new Map<string, Task[]>();
  for (const task of tasks) {
    if (task.desiredState >= TASK_STATE.remove) continue;
    const others = byNode.get(task.nodeId);
    if (others) others.push(task);
    else byNode.set(task.nodeId, [task]);
  }
  for (const inSlot of byNode.values()) sortedByAge(inSlot);
  return byNode;
}

function sortedByAge(tasks: Task[]): Task[] {
  return tasks.length > 1 ? tasks.sort(byAge) : tasks;
}

/** What a task's node means for it. `drained`: its tasks move. `silent` (down, gone): they move, and nobody waits for it. */
export type NodeFate = "fine" | "drained" | "silent";

export function nodeFate(task: Task, nodeOf: (id: string) => Node | undefined): NodeFate {
  if (task.nodeId === "") return "fine";
  const node = nodeOf(task.nodeId);
  if (!node || node.state === "down") return "silent";
  return node.spec.Availability === "drain" ? "drained" : "fine";
}
