/** The spread of one replicated service, and which of its tasks may be moved. */
import { type Node, type Service, TASK_STATE, type Task } from "../../api/index.js";
import { type BalanceView, SpreadBalance } from "../../scheduler/index.js";
import { mayRestart } from "./restart-policy.js";
import { isWanted, type Slot } from "./task-slot.js";
import { makeTask } from "./task-template.js";

export type BalanceLimits = {
  /** Slots that may be touched. */
  readonly mayUse?: (slot: Slot) => boolean;
  readonly mayTake?: (node: Node) => boolean;
  readonly mayGive?: (node: Node) => boolean;
};

/** Tasks on their way count where they go. Only what runs, and may be replaced by its restart policy, is moved. */
export function balanceOf(
  room: BalanceView,
  service: Service,
  slots: Iterable<Slot>,
  { mayUse, mayTake, mayGive }: BalanceLimits = {},
): SpreadBalance {
  const leaving = new Set(service.rebalance?.moves.map(({ taskId }) => taskId));
  const movable = new Set<Task>();
  const tasks: Task[] = [];
  for (const slot of slots) {
    const wanted = slot.tasks.filter((task) => isWanted(task) && !leaving.has(task.id));
    tasks.push(...wanted.filter(({ nodeId }) => nodeId !== ""));
    const [only, ...others] = wanted;
    if (only?.state !== TASK_STATE.running || others.length > 0) continue;
    if (mayRestart(only, slot) && (!mayUse || mayUse(slot))) movable.add(only);
  }
  const made = makeTask(service, {
    id: "",
    place: { number: 1, nodeId: "", iteration: 0 },
    desiredState: TASK_STATE.running,
    notBeforeMs: 0,
    nowMs: 0,
  });
  return new SpreadBalance(room, {
    probe: { ...made, networks: tasks[0]?.networks ?? made.networks },
    tasks,
    mayMove: (task) => movable.has(task),
    ...(mayTake && { mayTake }),
    ...(mayGive && { mayGive }),
  });
}
