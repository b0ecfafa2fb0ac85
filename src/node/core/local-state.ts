/** What `/info` says of this node when it cannot come from the store. */
import type { ExitReason, LocalState, NodeRole } from "../../api/index.js";
import { DISK_FREE_MIN_BYTES } from "./child-policy.js";
import type { NodeRecord } from "./membership.js";

/** Why the manager program is not running although the node is a manager. */
export type ManagerProblem = { readonly reason: ExitReason; readonly message: string };

export type NodeFacts = {
  readonly managerProblem: ManagerProblem | undefined;
  /** The node certificate's end is past. */
  readonly isCertificateExpired: boolean;
  /** A manager whose key nobody has unlocked since the start. */
  readonly isLocked?: boolean;
};

export function localStateOf(record: NodeRecord, facts: NodeFacts): LocalState {
  if (record.kind !== "member") {
    const isPending = record.kind === "initializing" || record.kind === "joining";
    return {
      ...NOBODY,
      state: isPending ? "pending" : "inactive",
      error: record.kind === "inactive" ? record.lastError : "",
    };
  }
  const isManager = record.role === "manager";
  const base = {
    nodeId: record.nodeId,
    nodeAddr: ipOf(record.advertiseAddr),
    isManager,
    managers: record.managers,
  };
  if (record.isRemoved) return { ...base, isManager: false, state: "error", error: REMOVED_TEXT };
  if (facts.isLocked === true) return { ...base, state: "locked", error: "" };
  const problem = isManager ? facts.managerProblem : undefined;
  // A manager that runs renews its certificate: what keeps it from running comes first.
  if (problem !== undefined) {
    const state = problem.reason === "locked" ? "locked" : "error";
    return { ...base, state, error: `${problem.message}${remedyFor(problem.reason)}` };
  }
  if (facts.isCertificateExpired)
    return { ...base, state: "error", error: expiredText(record.role) };
  return { ...base, state: record.isSettled ? "active" : "pending", error: "" };
}

/** What happens next, where the child's own words cannot know it. */
function remedyFor(reason: ExitReason): string {
  switch (reason) {
    case "diskFull":
      return `; free at least ${DISK_FREE_MIN_BYTES / 1024 / 1024} MiB where the state directory is, the manager starts again by itself then`;
    case "crash":
    case "ok":
    case "addressInUse":
      return "; it is started again, at most 30 s apart";
    default:
      return "";
  }
}

export const REMOVED_TEXT =
  "this node was removed from the swarm; run `docker swarm leave --force` here, then join again with a current token";
export const EXPIRED_TEXT =
  "swarm certificates have expired: the node was not able to renew them in time. " +
  "Check its clock; else run `docker swarm leave --force` here and join again with a current token";
/** Never the advice to leave: it may be the only one that has the cluster's state. */
export const EXPIRED_MANAGER_TEXT =
  "swarm certificates have expired: the node was off when they were due. Its manager renews its own as soon as it has started; " +
  "if this stays, look at the clock of this host and at swarmd's log";

export function expiredText(role: NodeRole): string {
  return role === "manager" ? EXPIRED_MANAGER_TEXT : EXPIRED_TEXT;
}

const NOBODY = { nodeId: "", nodeAddr: "", error: "", isManager: false, managers: [] } as const;

function ipOf(addr: string): string {
  const end = addr.lastIndexOf(":");
  return end < 0 ? addr : addr.slice(0, end).replace(/^\[|\]$/g, "");
}
