/** What one agent was told of its tasks, and what it must be told next. Pure. */
import { TASK_STATE, type Task, type TaskState } from "../../../api/index.js";
import { isStopHeld } from "./endpoint-phases.js";

/** Changes of tasks for one agent: what to send now. */
export type AssignmentDiff = {
  readonly isComplete: boolean;
  readonly appliesTo: number;
  readonly resultsIn: number;
  readonly tasks: readonly Task[];
  readonly removedTaskIds: readonly string[];
};

/** Whether a task belongs to what its node is told. Terminal tasks too: their containers and logs stay until the task is deleted. */
export function isAssigned(task: Task, nodeId: string): boolean {
  return task.nodeId === nodeId && task.state >= TASK_STATE.assigned;
}

/** What the agent is told to do: to let a task run on while its stop is held back. An agent never goes back to a lower state. */
export function toldState(task: Task): TaskState {
  return isStopHeld(task) ? TASK_STATE.running : task.desiredState;
}

/**
 * Tracks one session. Statuses that the agent itself reported are not echoed: only what a manager decides (desired state, start time,
 * network phase) makes a task worth sending again; spec, slot, host ports and addresses of a task never change.
 */
export class AssignmentTracker {
  readonly #nodeId: string;
  readonly #sent = new Map<string, string>();
  #index = 0;

  constructor(nodeId: string) {
    this.#nodeId = nodeId;
  }

  /** The node's whole set. The agent compares it with what it runs, so sending it again restarts nothing. */
  complete(tasks: readonly Task[], index: number): AssignmentDiff {
    this.#sent.clear();
    const assigned = tasks.filter((task) => isAssigned(task, this.#nodeId));
    for (const task of assigned) this.#sent.set(task.id, signature(task));
    this.#index = index;
    return {
      isComplete: true,
      appliesTo: 0,
      resultsIn: index,
      tasks: assigned,
      removedTaskIds: [],
    };
  }

  /** What changed among `taskIds` since the last message; undefined when nothing of it concerns the agent. */
  incremental(
    taskIds: Iterable<string>,
    taskOf: (id: string) => Task | undefined,
    index: number,
  ): AssignmentDiff | undefined {
    const tasks: Task[] = [];
    const removedTaskIds: string[] = [];
    for (const id of taskIds) {
      const task = taskOf(id);
      if (task !== undefined && isAssigned(task, this.#nodeId)) {
        const now = signature(task);
        if (this.#sent.get(id) === now) continue;
        this.#sent.set(id, now);
        tasks.push(task);
      } else if (this.#sent.delete(id)) removedTaskIds.push(id);
    }
    if (tasks.length === 0 && removedTaskIds.length === 0) return undefined;
    const appliesTo = this.#index;
    this.#index = index;
    return { isComplete: false, appliesTo, resultsIn: index, tasks, removedTaskIds };
  }
}

function signature(task: Task): string {
  return `${toldState(task)}/${task.notBeforeMs}/${task.networkPhase}`;
}
