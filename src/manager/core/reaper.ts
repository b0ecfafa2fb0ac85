/** Deletes task records: those that are to be removed and have stopped, and old history beyond what is kept per slot. */
import {
  containerTaskOf,
  isGlobal,
  isJob,
  type Service,
  TASK_STATE,
  type Task,
} from "../../api/index.js";
import type { StoreEvent, StoreView } from "../../store/index.js";
import { DirtySet } from "./dirty-set.js";
import type { Plan } from "./plan.js";
import type { Reconciler } from "./reconciler.js";
import { byAge, isStopped, isWanted } from "./task-slot.js";
import { renewedSlot } from "./update-progress.js";

/** History is trimmed in batches: after this time, or at once when there is much to look at. */
export const BATCH_DELAY_MS = 250;
export const BATCH_SIZE = 1000;
const HISTORY_DEFAULT = 5;
/** Failed attempts per slot of a job. What has completed, or is to, is never deleted: the job counts it. */
export const JOB_ATTEMPTS_KEPT = 100;

export class Reaper implements Reconciler {
  /** Tasks that are to be removed. */
  readonly #removals = new DirtySet<string>();
  /** `service/slot/iteration/node` with more history than before; the node counts only where slots are nodes. */
  readonly #slots = new DirtySet<string>();
  /** Since when something waits; undefined while nothing does. */
  #waitingSinceMs: number | undefined;

  reset(view: StoreView, nowMs: number): void {
    this.#removals.clear();
    this.#slots.clear();
    this.#waitingSinceMs = undefined;
    for (const task of view.tasks()) this.#look(task, nowMs);
  }

  observe(events: readonly StoreEvent[], _view: StoreView, nowMs: number): void {
    for (const event of events) {
      if (event.table !== "task" || event.kind === "removed") continue;
      const task = event.object;
      const isRelevant =
        event.kind === "created" ||
        event.old.desiredState !== task.desiredState ||
        isStopped(event.old) !== isStopped(task);
      if (isRelevant) this.#look(task, nowMs);
    }
  }

  plan(view: StoreView, plan: Plan): void {
    if (this.#waitingSinceMs === undefined) return;
    const dueMs = this.#waitingSinceMs + BATCH_DELAY_MS;
    if (plan.nowMs < dueMs && this.#removals.size + this.#slots.size < BATCH_SIZE) {
      plan.wakeAt(dueMs);
      return;
    }
    this.#removals.take((id) => {
      const task = view.task(id);
      return !task || !isCollectable(task) || plan.add(deletion(task));
    });
    this.#slots.take((key) => {
      const [serviceId = "", slot = "", iteration = "", nodeId = ""] = key.split("/");
      const tasks = tasksOf(view, serviceId, Number(slot), nodeId);
      const ofRun = tasks.filter((task) => task.jobIteration === Number(iteration));
      return trimSlot(view, serviceId, ofRun, plan);
    });
    if (!plan.isCut) this.#waitingSinceMs = undefined;
  }

  settled(isApplied: boolean): void {
    this.#removals.settle(isApplied);
    this.#slots.settle(isApplied);
    if (!isApplied) this.#waitingSinceMs ??= 0;
  }

  #look(task: Task, nowMs: number): void {
    if (task.desiredState >= TASK_STATE.remove || task.serviceId === "") {
      if (!isCollectable(task)) return;
      this.#removals.mark(task.id);
    } else {
      const nodeId = task.slot === 0 ? task.nodeId : "";
      this.#slots.mark(`${task.serviceId}/${task.slot}/${task.jobIteration}/${nodeId}`);
    }
    this.#waitingSinceMs ??= nowMs;
  }
}

/**
 * To be removed, and no container can be left of it: never given to a node, or ended. A container outside services has no history: its
 * record stays until it is removed, or its node is lost.
 */
function isCollectable(task: Task): boolean {
  if (task.serviceId === "" && task.state >= TASK_STATE.orphaned) return true;
  // Nobody removes an attachment that ended with its container.
  if (containerTaskOf(task) !== undefined && task.state >= TASK_STATE.complete) return true;
  return (
    task.desiredState >= TASK_STATE.remove &&
    (task.state < TASK_STATE.assigned || task.state >= TASK_STATE.complete)
  );
}

function tasksOf(
  view: StoreView,
  serviceId: string,
  slot: number,
  nodeId: string,
): readonly Task[] {
  const mode = view.service(serviceId)?.spec.Mode;
  // A replicated job has a slot 0 too, whose tasks may have been on several nodes.
  if (slot === 0 && mode && isGlobal(mode))
    return view.tasksByNode(nodeId).filter((task) => task.serviceId === serviceId);
  return view.tasksBySlot(serviceId, slot);
}

function trimSlot(
  view: StoreView,
  serviceId: string,
  inSlot: readonly Task[],
  plan: Plan,
): boolean {
  const tasks = inSlot.filter((task) => task.desiredState < TASK_STATE.remove).sort(byAge);
  const newest = tasks.at(-1);
  if (!newest) return true;
  const kept = keptCount(newest, view);
  let excess = kept < 0 ? 0 : tasks.length - kept;
  if (excess <= 0) return true;
  const needed = neededByUpdate(view.service(serviceId), tasks, view);
  for (const task of tasks) {
    if (excess <= 0) break;
    // The newest stays in any case: it tells that the slot ended for good, if it did.
    if (task === newest || needed.has(task) || !isHistory(task)) continue;
    if (!plan.add(deletion(task))) return false;
    excess--;
  }
  return true;
}

/** Tasks per slot that stay, the living one among them; negative = all. Limited attempts need their history to be counted. */
function keptCount(newest: Task, view: StoreView): number {
  const attemptsMax = newest.spec.RestartPolicy?.MaxAttempts ?? 0;
  const mode = view.service(newest.serviceId)?.spec.Mode;
  if (mode && isJob(mode)) return Math.max(attemptsMax + 1, JOB_ATTEMPTS_KEPT);
  if (attemptsMax > 0) return attemptsMax + 1;
  return view.cluster()?.spec.Orchestration.TaskHistoryRetentionLimit ?? HISTORY_DEFAULT;
}

/** A running update is planned from the first new and the last old task of each slot: they stay until it is over. */
function neededByUpdate(
  service: Service | undefined,
  tasks: readonly Task[],
  view: StoreView,
): ReadonlySet<Task> {
  const status = service?.updateStatus;
  if (!service || (status?.state !== "updating" && status?.state !== "rollback_started"))
    return new Set();
  const slot = { number: 0, nodeId: "", iteration: 0, tasks };
  const found = renewedSlot(slot, service, status.startedAtMs, (id) => view.node(id));
  return found ? new Set([found.first, found.replaced]) : new Set();
}

/** Not wanted any more, and ended or never begun. */
function isHistory(task: Task): boolean {
  return !isWanted(task) && (isStopped(task) || task.state < TASK_STATE.assigned);
}

function deletion(task: Task) {
  return { kind: "delete", table: "task", id: task.id } as const;
}
