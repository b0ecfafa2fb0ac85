/** The agent's assignment set: what one message from the dispatcher changes (semantics §5.5, contracts §5). */
import type { Assignment } from "./types.js";

export type AssignmentMessage = {
  readonly isComplete: boolean;
  readonly appliesTo: number;
  readonly resultsIn: number;
  readonly tasks: readonly Assignment[];
  readonly removedTaskIds: readonly string[];
};

export type AssignmentChange =
  /** A change in between was lost: open the session again and ask for the complete set. */
  | { readonly kind: "gap" }
  | {
      readonly kind: "apply";
      readonly index: number;
      /** To be put in or updated. */
      readonly tasks: readonly Assignment[];
      /** Known here and no longer the manager's: stopped and removed. */
      readonly withdrawnIds: readonly string[];
    };

/** `index` is the log index applied so far, 0 for none. */
export function planAssignments(
  index: number,
  knownIds: Iterable<string>,
  message: AssignmentMessage,
): AssignmentChange {
  if (message.isComplete) {
    const wanted = new Set(message.tasks.map((task) => task.taskId));
    const withdrawnIds = [...knownIds].filter((id) => !wanted.has(id)).sort();
    return { kind: "apply", index: message.resultsIn, tasks: message.tasks, withdrawnIds };
  }
  if (index === 0 || message.appliesTo !== index) return { kind: "gap" };
  return {
    kind: "apply",
    index: message.resultsIn,
    tasks: message.tasks,
    withdrawnIds: [...message.removedTaskIds].sort(),
  };
}
