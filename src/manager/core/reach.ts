import { NETWORK_PHASE, TASK_STATE, type Task } from "../../api/index.js";

/**
 * What the network knows of a task's endpoint. A step of an update goes: new one healthy → in the balancers → old one out of them →
 * stopped.
 */
export type Reach = {
  /** The new task answers wherever its service does: the old one may go. */
  isReachable(task: Task): boolean;
  /** Nobody is sent to the old task any more: the next slot may begin. */
  isWithdrawn(task: Task): boolean;
};

/**
 * The dispatcher writes a phase when all nodes have confirmed it, or have been waited for long enough: so the stored task says it all,
 * also to the next leader. A task on no network is reached when it runs, and out when it is to stop.
 */
export const REACH_BY_PHASE: Reach = {
  isReachable: ({ state, networks, networkPhase }) =>
    state === TASK_STATE.running &&
    (networks.length === 0 || networkPhase >= NETWORK_PHASE.announced),
  // One that was never announced, or has ended, is in no balancer.
  isWithdrawn: ({ state, networks, networkPhase }) =>
    networks.length === 0 || state > TASK_STATE.running || networkPhase !== NETWORK_PHASE.announced,
};
