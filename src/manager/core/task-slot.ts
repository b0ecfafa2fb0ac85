/** A slot: the numbered place of a service that successive tasks fill. */
import { type Node, TASK_STATE, type Task } from "../../api/index.js";

export type Slot = {
  readonly number: number;
  /** Oldest first, without tasks that are to be removed. */
  readonly tasks: readonly Task[];
};

export function isWanted(task: Task): boolean {
  return task.desiredState <= TASK_STATE.running;
}

/** Observed: it runs no more, and never will. */
export function isStopped(task: Task): boolean {
  return task.state > TASK_STATE.running;
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
    slots.set(number, { number, tasks: inSlot.length > 1 ? inSlot.sort(byAge) : inSlot });
  }
  return slots;
}

/** What a task's node means for it. `drained`: its tasks move. `silent` (down, gone): they move, and nobody waits for it. */
export type NodeFate = "fine" | "drained" | "silent";

export function nodeFate(task: Task, nodeOf: (id: string) => Node | undefined): NodeFate {
  if (task.nodeId === "") return "fine";
  const node = nodeOf(task.nodeId);
  if (!node || node.state === "down") return "silent";
  return node.spec.Availability === "drain" ? "drained" : "fine";
}
