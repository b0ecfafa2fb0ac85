/**
 * What would become of a service's tasks if it were stored like this: which stay, restart, start or stop, and where the new ones would
 * land. Pure; the answer is as of the view, and holds as long as nothing else changes.
 */
import { type Node, type Service, TASK_STATE, type Task } from "../../api/index.js";
import { meetsConstraints, Scheduler } from "../../scheduler/index.js";
import type { StoreView } from "../../store/index.js";
import { mayRestart } from "./restart-policy.js";
import { chooseKept } from "./scale-down.js";
import { isWanted, slotsOf } from "./task-slot.js";
import { isDirty, makeTask, templateOf } from "./task-template.js";

export type PlacementView = Pick<
  StoreView,
  "nodes" | "node" | "tasks" | "task" | "tasksByService" | "networks"
>;

export type PlannedTask = {
  readonly action: "keep" | "restart" | "start" | "stop";
  /** 0 for tasks that belong to a node. */
  readonly slot: number;
  /** The task of now; "" for one that starts. */
  readonly taskId: string;
  /** Where it is now; "" when nowhere. */
  readonly nodeId: string;
  /** Where a task that starts or restarts would land; "" when it would have to wait. */
  readonly toNodeId: string;
  /** Why it would have to wait. */
  readonly reason: string;
};

/** Tasks to be made, and those that make way for them. */
type Wish = Omit<PlannedTask, "toNodeId" | "reason">;

/** `service` as it would be stored (specVersion 0: not stored yet). In the order of slots, then nodes. */
export function planPlacement(
  view: PlacementView,
  service: Service,
  nowMs: number,
): readonly PlannedTask[] {
  const wishes = wishesOf(view, service);
  const isStartFirst = service.spec.UpdateConfig?.Order === "start-first";
  const leaving = new Set(
    wishes
      .filter(({ action }) => action === "stop" || (action === "restart" && !isStartFirst))
      .map(({ taskId }) => taskId),
  );
  const made = new Map<string, Task>();
  for (const [i, wish] of wishes.entries())
    if (wish.action === "start" || wish.action === "restart")
      made.set(`plan-${i}`, newTask(service, `plan-${i}`, wish, nowMs));
  const tasks = [...view.tasks().filter((task) => !leaving.has(task.id)), ...made.values()];
  const scheduler = new Scheduler();
  scheduler.rebuild(
    {
      nodes: () => view.nodes(),
      networks: () => view.networks(),
      tasks: () => tasks,
      task: (id) => view.task(id),
    },
    nowMs,
  );
  const { decisions } = scheduler.schedule(nowMs, Number.POSITIVE_INFINITY);
  const byTask = new Map(decisions.map((decision) => [decision.taskId, decision]));
  return wishes.map((wish, i) => {
    const decision = byTask.get(`plan-${i}`);
    return {
      ...wish,
      toNodeId: decision?.kind === "assign" ? decision.nodeId : "",
      reason: decision?.kind === "wait" ? decision.reason : "",
    };
  });
}

/** The task as the orchestrator would make it, past the allocation of its addresses. */
function newTask(service: Service, id: string, wish: Wish, nowMs: number): Task {
  const nodeId = wish.slot === 0 ? wish.nodeId : "";
  const place = { number: wish.slot, nodeId, iteration: 0 };
  const made = { id, place, desiredState: TASK_STATE.running, notBeforeMs: 0, nowMs };
  return { ...makeTask(service, made), state: TASK_STATE.pending };
}

function wishesOf(view: PlacementView, service: Service): Wish[] {
  const { Mode } = service.spec;
  if ("Replicated" in Mode) return replicated(view, service, Mode.Replicated.Replicas);
  if ("Global" in Mode) return global(view, service);
  // An update of a job is a new run: what is left of the old one stops.
  const old = view.tasksByService(service.id).filter(isLiving);
  const stops = old.map((task) => wishOf("stop", task));
  if ("GlobalJob" in Mode)
    return [...stops, ...eligibleNodes(view, service).map(({ id }) => startOn(id))];
  const { MaxConcurrent, TotalCompletions } = Mode.ReplicatedJob;
  const count = Math.min(MaxConcurrent, TotalCompletions);
  return [...stops, ...Array.from({ length: count }, (_, i) => startIn(i + 1))];
}

function replicated(view: PlacementView, service: Service, replicas: number): Wish[] {
  const counted = [...slotsOf(view.tasksByService(service.id)).values()].flatMap((slot) => {
    const newest = slot.tasks.findLast(isWanted) ?? slot.tasks.at(-1);
    if (!newest || !(isWanted(newest) || !mayRestart(newest, slot))) return [];
    return [{ number: slot.number, tasks: [newest] }];
  });
  const kept = chooseKept(counted, replicas);
  const wishes = counted.flatMap(({ number, tasks: [task] }) => {
    if (!task) return [];
    if (!kept.has(number)) return [wishOf("stop", task)];
    return [wishOf(isRenewed(view, task, service) ? "restart" : "keep", task)];
  });
  for (let number = 1, missing = replicas - kept.size; missing > 0; number++) {
    if (counted.some((slot) => slot.number === number)) continue;
    wishes.push(startIn(number));
    missing--;
  }
  return wishes.sort((a, b) => a.slot - b.slot);
}

function global(view: PlacementView, service: Service): Wish[] {
  const eligible = new Set(eligibleNodes(view, service).map(({ id }) => id));
  const missing = new Set(eligible);
  const wishes = view
    .tasksByService(service.id)
    .filter(isWanted)
    .map((task) => {
      missing.delete(task.nodeId);
      // A paused node is left as it is.
      const isPaused = view.node(task.nodeId)?.spec.Availability === "pause";
      if (!isPaused && !eligible.has(task.nodeId)) return wishOf("stop", task);
      return wishOf(!isPaused && isRenewed(view, task, service) ? "restart" : "keep", task);
    });
  const starts = [...missing]
    .filter((id) => view.node(id)?.spec.Availability === "active")
    .map(startOn);
  return [...wishes, ...starts].sort((a, b) => (a.nodeId < b.nodeId ? -1 : 1));
}

function eligibleNodes(view: PlacementView, service: Service): readonly Node[] {
  const constraints = templateOf(service).Placement?.Constraints ?? [];
  return view
    .nodes()
    .filter(
      (node) =>
        node.state !== "down" &&
        node.spec.Availability !== "drain" &&
        meetsConstraints(constraints, node),
    );
}

function isRenewed(view: PlacementView, task: Task, service: Service): boolean {
  return isDirty(task, service, (id) => view.node(id));
}

function isLiving(task: Task): boolean {
  return isWanted(task) && task.state <= TASK_STATE.running;
}

function wishOf(action: Wish["action"], task: Task): Wish {
  return { action, slot: task.slot, taskId: task.id, nodeId: task.nodeId };
}

function startIn(slot: number): Wish {
  return { action: "start", slot, taskId: "", nodeId: "" };
}

function startOn(nodeId: string): Wish {
  return { action: "start", slot: 0, taskId: "", nodeId };
}
