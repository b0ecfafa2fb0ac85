import { TASK_STATE, type Task } from "../../api/index.js";

/**
 * What the network knows of a task's endpoint. A step of an update goes: new one healthy → in the balancers → old one out of them →
 * stopped. Whoever answers these from more than the task must have the service planned again when an answer changes.
 */
export type Reach = {
  /** The new task answers wherever its service does: the old one may go. */
  isReachable(task: Task): boolean;
  /** Nobody is sent to the old task any more: the next slot may begin. */
  isWithdrawn(task: Task): boolean;
};

/** Without a network to ask: who runs is reached, and who is to stop is out. */
export const REACH_BY_STATE: Reach = {
  isReachable: (task) => task.state === TASK_STATE.running,
  isWithdrawn: () => true,
};
