import { type Change, TASK_STATE, type Task, type TaskStateName } from "../api/index.js";
import type { Random } from "../base/index.js";
import type { StoreView } from "../store/index.js";

const STEPS: readonly TaskStateName[] = ["accepted", "preparing", "ready", "starting", "running"];

/** A node: reads its assignments from the store, runs containers, reports. While cut off its containers run on. */
export class FakeAgent {
  readonly nodeId: string;
  isConnected = true;
  readonly #view: StoreView;
  readonly #random: Random;
  readonly #running = new Set<string>();

  constructor(nodeId: string, view: StoreView, random: Random) {
    this.nodeId = nodeId;
    this.#view = view;
    this.#random = random;
  }

  /** Tasks whose container runs here, whatever the managers know. */
  running(): ReadonlySet<string> {
    return this.#running;
  }

  /** Some progress with some of the tasks; returns what it reports. */
  step(wallMs: number, isFaulty: boolean): Change[] {
    if (!this.isConnected) return [];
    const reports: Change[] = [];
    for (const task of this.#view.tasksByNode(this.nodeId)) {
      // What was made for this node is told to it once it is assigned.
      if (task.state < TASK_STATE.assigned) continue;
      if (this.#random.float() < 0.3) continue;
      const next = this.#next(task, isFaulty);
      if (next === undefined) continue;
      if (next === "running") this.#running.add(task.id);
      else if (TASK_STATE[next] > TASK_STATE.running) this.#running.delete(task.id);
      reports.push(report(task, next, wallMs));
    }
    for (const id of this.#running) {
      const task = this.#view.task(id);
      if (!task || task.state > TASK_STATE.running) this.#running.delete(id);
    }
    return reports;
  }

  #next(task: Task, isFaulty: boolean): TaskStateName | undefined {
    if (task.state > TASK_STATE.running) return undefined;
    if (task.desiredState > TASK_STATE.complete)
      return this.#random.float() < 0.7 ? "shutdown" : undefined;
    if (isFaulty && this.#random.float() < 0.03)
      return task.state < TASK_STATE.starting ? "rejected" : "failed";
    if (task.desiredState === TASK_STATE.complete && task.state === TASK_STATE.running)
      return this.#random.float() < 0.3 ? "complete" : undefined;
    return STEPS.find(
      (name) => TASK_STATE[name] > task.state && TASK_STATE[name] <= task.desiredState,
    );
  }
}

function report(task: Task, state: TaskStateName, atMs: number): Change {
  return {
    kind: "taskStatus",
    taskId: task.id,
    state: TASK_STATE[state],
    atMs,
    message: state,
    err: "",
    containerId: task.id,
    pid: 1,
    exitCode: state === "failed" ? 1 : 0,
    portStatus: [],
  };
}
