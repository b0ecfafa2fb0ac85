/** How far a service is from what it is to be: counts of its tasks, by its mode. Pure. */

import type { ApiService, ApiTask } from "./api-types.js";
import { newerFirst } from "./creation.js";

export type Snapshot = {
  readonly service: ApiService;
  /** Up to date ones; all of the service when its rollout is paused and only its scale was changed. */
  readonly tasks: readonly ApiTask[];
  readonly downNodes: ReadonlySet<string>;
};

export type Progress = {
  /** Slots or nodes whose task runs, or has finished as it was to. */
  readonly running: number;
  readonly wanted: number;
  /** First error of a task, "" when there is none. */
  readonly error: string;
  readonly verb: "overall" | "rolling back" | "job";
};

/** A count, and what will never be counted. */
type Counted = {
  readonly running: number;
  readonly wanted: number;
  readonly lost: readonly ApiTask[];
};

const GIVEN_UP = new Set(["shutdown", "remove"]);
const TERMINAL = new Set(["complete", "shutdown", "failed", "rejected", "remove", "orphaned"]);

export function progressOf(snapshot: Snapshot): Progress {
  const { service, tasks } = snapshot;
  const { running, wanted } = countOf(snapshot);
  const newest = [...tasks].sort(newerFirst);
  const error = newest.find((task) => (task.Status.Err ?? "") !== "")?.Status.Err ?? "";
  if (isJob(service)) return { running, wanted, error, verb: "job" };
  const isRollback = service.UpdateStatus?.State?.startsWith("rollback") === true;
  return { running, wanted, error, verb: isRollback ? "rolling back" : "overall" };
}

/** One-shots that failed and that their policy does not start again. */
export function lostTasks(snapshot: Snapshot): readonly ApiTask[] {
  return countOf(snapshot).lost;
}

/** Why no node takes a task that is to run now, when that is what the service waits for. */
export function refusalOf({ tasks }: Snapshot): string | undefined {
  // A task that is only to be ready waits for the old one of its slot, and maybe for its room.
  return tasks.find(
    (task) =>
      task.Status.State === "pending" &&
      task.DesiredState !== "ready" &&
      !GIVEN_UP.has(task.DesiredState) &&
      (task.Status.Err ?? "") !== "",
  )?.Status.Err;
}

export function isJob({ Spec: { Mode } }: ApiService): boolean {
  return Mode.ReplicatedJob !== undefined || Mode.GlobalJob !== undefined;
}

function countOf(snapshot: Snapshot): Counted {
  const { Mode } = snapshot.service.Spec;
  if (isJob(snapshot.service)) return countJob(snapshot);
  if (Mode.Global !== undefined) return countGlobal(snapshot);
  return countReplicated(snapshot, Mode.Replicated?.Replicas ?? 0);
}

function countReplicated(snapshot: Snapshot, wanted: number): Counted {
  const slots = groupBySlot(snapshot.tasks);
  let running = 0;
  const lost: ApiTask[] = [];
  for (const tasks of slots.values()) {
    if (tasks.some((task) => isRunning(task, snapshot))) running++;
    else {
      const last = newestOf(tasks);
      if (last && !isLive(last)) {
        if (hasFinished(last)) running++;
        else if (isLost(last)) lost.push(last);
      }
    }
  }
  return { running: Math.min(running, wanted), wanted, lost };
}

function groupBySlot(tasks: readonly ApiTask[]): Map<number, ApiTask[]> {
  const slots = new Map<number, ApiTask[]>();
  for (const task of tasks) {
    const slot = task.Slot ?? 0;
    const others = slots.get(slot);
    if (others) others.push(task);
    else slots.set(slot, [task]);
  }
  return slots;
}

/** Which nodes are to have a task is the orchestrator's to know: those that have one tell. */
function countGlobal(snapshot: Snapshot): Counted {
  const live = snapshot.tasks.filter(
    (task) => isLive(task) && !snapshot.downNodes.has(task.NodeID ?? ""),
  );
  const nodes = new Set(live.map((task) => task.NodeID));
  const running = new Set(
    live.filter((task) => isRunning(task, snapshot)).map((task) => task.NodeID),
  );
  return { running: running.size, wanted: nodes.size, lost: [] };
}

/** Slots of the present run that have completed, wherever that was; of a global job as many nodes as are to run it are wanted. */
function countJob(snapshot: Snapshot): Counted {
  const { ReplicatedJob } = snapshot.service.Spec.Mode;
  const ofRun = tasksOfRun(snapshot);
  const slotOf = (task: ApiTask): number | string =>
    ReplicatedJob ? (task.Slot ?? 0) : (task.NodeID ?? "");
  const done = ofRun.filter((task) => task.Status.State === "complete");
  const meant = ofRun.filter((task) => !GIVEN_UP.has(task.DesiredState));
  const wanted = ReplicatedJob?.TotalCompletions ?? new Set(meant.map(slotOf)).size;
  return { running: new Set(done.map(slotOf)).size, wanted, lost: [] };
}

/** No task of the job's present run may still complete. */
export function isRunOver(snapshot: Snapshot): boolean {
  return tasksOfRun(snapshot).every(
    (task) => task.Status.State === "complete" || GIVEN_UP.has(task.DesiredState),
  );
}

function tasksOfRun({ service, tasks }: Snapshot): readonly ApiTask[] {
  const run = service.JobStatus?.JobIteration.Index ?? 0;
  return tasks.filter((task) => (task.JobIteration?.Index ?? 0) === run);
}

function isLive(task: ApiTask): boolean {
  return !TERMINAL.has(task.DesiredState);
}

function isRunning(task: ApiTask, { downNodes }: Snapshot): boolean {
  const { Status, DesiredState, NodeID } = task;
  return Status.State === "running" && DesiredState === "running" && !downNodes.has(NodeID ?? "");
}

function hasFinished(task: ApiTask): boolean {
  return task.Status.State === "complete" && conditionOf(task) !== "any";
}

function isLost(task: ApiTask): boolean {
  const { State } = task.Status;
  return (State === "failed" || State === "rejected") && conditionOf(task) === "none";
}

function conditionOf(task: ApiTask): string {
  return task.Spec.RestartPolicy?.Condition ?? "any";
}

function newestOf(tasks: readonly ApiTask[]): ApiTask | undefined {
  return [...tasks].sort(newerFirst)[0];
}
