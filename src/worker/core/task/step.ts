/**
 * The agent's step function: what to do next for one task, from what was observed and what is desired (semantics §4.1).
 * Pure; the runner carries the step out and comes back with the new state.
 */
import { TASK_STATE, type TaskState } from "../../../api/index.js";

/** A task on overlay networks that is ready waits this long for the other nodes to know it, then it is started all the same. */
export const ANNOUNCE_MAX_MS = 2000;

export type TaskView = {
  readonly state: TaskState;
  readonly desired: TaskState;
  readonly notBeforeMs: number;
  /** Since when it is in `state`, Unix ms. */
  readonly sinceMs: number;
  /** It is on overlay networks whose nodes do not all know it yet. */
  readonly isUnannounced: boolean;
  /** Unix ms. */
  readonly nowMs: number;
  /** The manager no longer knows the task: everything of it goes, its record too. */
  readonly isWithdrawn: boolean;
  /** Network namespace or host ports are held for it. */
  readonly hasNetwork: boolean;
  /** A container, volume or file may be left of it. */
  readonly hasRemains: boolean;
};

export type TaskStep =
  /** Nothing until the assignment changes. */
  | { readonly kind: "wait" }
  | { readonly kind: "waitUntil"; readonly atMs: number }
  | { readonly kind: "transition"; readonly to: TaskState; readonly message: string }
  /** Pull, network, files, container; then ready. */
  | { readonly kind: "prepare" }
  /** Start, wait until healthy; then running. */
  | { readonly kind: "start" }
  /** Wait for the end; then complete or failed. */
  | { readonly kind: "watch" }
  /** Stop what runs; then shutdown. */
  | { readonly kind: "stop" }
  /** Give back network and host ports of an ended task. Its container stays for logs and inspection. */
  | { readonly kind: "release" }
  /** Delete container, anonymous volumes and files. The record stays until the manager forgets the task. */
  | { readonly kind: "discard" }
  /** Forget the task. */
  | { readonly kind: "erase" };

const WAIT: TaskStep = { kind: "wait" };

export function decideStep(task: TaskView): TaskStep {
  const { state, desired } = task;
  if (task.isWithdrawn || desired >= TASK_STATE.shutdown) {
    if (state < TASK_STATE.complete) return { kind: "stop" };
    return cleanUp(task);
  }
  // An ended task frees its ports and addresses at once, whatever the manager still thinks of it.
  if (state >= TASK_STATE.complete) return task.hasNetwork ? { kind: "release" } : WAIT;
  if (state > desired) return WAIT;
  switch (state) {
    // These three have begun something outside: they go on to its end, even past the desired state.
    case TASK_STATE.preparing:
      return { kind: "prepare" };
    case TASK_STATE.starting:
      return { kind: "start" };
    case TASK_STATE.running:
      return { kind: "watch" };
    default:
      return state >= desired ? WAIT : enterNext(task);
  }
}

function enterNext(task: TaskView): TaskStep {
  switch (task.state) {
    case TASK_STATE.new:
    case TASK_STATE.pending:
    case TASK_STATE.assigned:
      return { kind: "transition", to: TASK_STATE.accepted, message: "accepted" };
    case TASK_STATE.accepted:
      return { kind: "transition", to: TASK_STATE.preparing, message: "preparing" };
    case TASK_STATE.ready: {
      if (task.nowMs < task.notBeforeMs) return { kind: "waitUntil", atMs: task.notBeforeMs };
      const announcedMs = task.sinceMs + ANNOUNCE_MAX_MS;
      if (task.isUnannounced && task.nowMs < announcedMs)
        return { kind: "waitUntil", atMs: announcedMs };
      return { kind: "transition", to: TASK_STATE.starting, message: "starting" };
    }
    default:
      return WAIT;
  }
}

function cleanUp(task: TaskView): TaskStep {
  if (task.hasNetwork) return { kind: "release" };
  if (task.hasRemains && (task.isWithdrawn || task.desired === TASK_STATE.remove)) {
    return { kind: "discard" };
  }
  return task.isWithdrawn ? { kind: "erase" } : WAIT;
}
