/**
 * This node's membership as it is kept on disk, and every way it can change. One step = one event = one write of node.json,
 * so that after a crash at any line the next start knows what to go on with (contracts §3).
 */
import type { Availability, ManagerAddr, NodeRole } from "../../api/index.js";
import { unreachable } from "../../base/index.js";

export type JoinAttempt = {
  readonly remoteAddrs: readonly string[];
  readonly joinToken: string;
  readonly availability: Availability;
  /** "" until the connection to a manager shows it. */
  readonly advertiseAddr: string;
  readonly listenAddr: string;
  /** As for Member. */
  readonly dataPathAddr?: string;
};

export type Member = {
  readonly kind: "member";
  readonly nodeId: string;
  readonly clusterId: string;
  /** What this node's certificate says. */
  readonly role: NodeRole;
  readonly managers: readonly ManagerAddr[];
  /** `ip:port`. */
  readonly advertiseAddr: string;
  readonly listenAddr: string;
  /** IP that VXLAN packets come from and go to, when it is not that of `advertiseAddr`. */
  readonly dataPathAddr?: string;
  /** This node's manager was a member of the Raft group once: it continues from its own log. */
  readonly hasRaftLog: boolean;
  /** The log of a member that was removed still lies in raft/: it is set aside before any manager starts again. */
  readonly hasStaleLog: boolean;
  /** The worker's session was up once: joining is over. */
  readonly isSettled: boolean;
  /** The cluster removed this node. Its identity stays until the operator makes it leave. */
  readonly isRemoved: boolean;
  /** Its manager is to go on as the only one (`--force-new-cluster`), and has not been ready since. Absent: no. */
  readonly isForcingNewCluster?: boolean;
};

/** Where this node's manager is reached. */
export type Addresses = Pick<Member, "advertiseAddr" | "listenAddr" | "dataPathAddr">;

export type NodeRecord =
  | { readonly kind: "inactive" /** Why the last attempt failed. */; readonly lastError: string }
  | { readonly kind: "initializing" }
  | { readonly kind: "joining"; readonly attempt: JoinAttempt }
  | Member
  /** What is left of the membership is being wiped. */
  | { readonly kind: "leaving"; readonly lastError: string };

export type Admission = Omit<
  Member,
  "kind" | "hasRaftLog" | "hasStaleLog" | "isSettled" | "isRemoved" | "isForcingNewCluster"
>;

export type MembershipEvent =
  | { readonly kind: "initStarted" }
  /** The first manager leads and the worker's session is up. */
  | { readonly kind: "initDone"; readonly admission: Admission }
  | { readonly kind: "joinStarted"; readonly attempt: JoinAttempt }
  | { readonly kind: "admitted"; readonly admission: Admission }
  | { readonly kind: "settled" }
  /** `isSole`: it was started to go on as the only one. */
  | { readonly kind: "managerReady"; readonly isSole?: boolean }
  | { readonly kind: "forceStarted"; readonly addresses: Addresses }
  /** It did not get as far as being ready: the node goes on as it was, at the addresses it had. */
  | { readonly kind: "forceFailed"; readonly addresses: Addresses }
  | { readonly kind: "roleIssued"; readonly role: NodeRole }
  | { readonly kind: "logSetAside" }
  | { readonly kind: "managersSeen"; readonly managers: readonly ManagerAddr[] }
  | { readonly kind: "removedByCluster" }
  /** The operator leaves, or an attempt failed for good: `reason` is "" or why. */
  | { readonly kind: "wipeStarted"; readonly reason: string }
  | { readonly kind: "wiped" }
  /** The operator acknowledged the failure of the last attempt. */
  | { readonly kind: "errorSeen" };

export const INACTIVE: NodeRecord = { kind: "inactive", lastError: "" };

/** The record after the event; the same object when the event changes nothing. */
export function stepMembership(record: NodeRecord, event: MembershipEvent): NodeRecord {
  switch (event.kind) {
    case "initStarted":
      return record.kind === "inactive" ? { kind: "initializing" } : record;
    case "initDone":
      return record.kind === "initializing"
        ? member(event.admission, { hasRaftLog: true, isSettled: true })
        : record;
    case "joinStarted":
      return record.kind === "inactive" ? { kind: "joining", attempt: event.attempt } : record;
    case "admitted":
      return record.kind === "joining"
        ? member(event.admission, { hasRaftLog: false, isSettled: false })
        : record;
    case "settled":
      return record.kind !== "member" || record.isSettled ? record : { ...record, isSettled: true };
    case "managerReady":
      if (record.kind !== "member" || record.role !== "manager") return record;
      if (record.isForcingNewCluster === true && event.isSole === true) return soleManager(record);
      return record.hasRaftLog ? record : { ...record, hasRaftLog: true };
    case "forceStarted":
      return soleManagerObjection(record) !== undefined || record.kind !== "member"
        ? record
        : { ...record, ...event.addresses, isForcingNewCluster: true };
    case "forceFailed":
      return record.kind !== "member" || record.isForcingNewCluster !== true
        ? record
        : { ...withoutForce(record), ...event.addresses };
    case "roleIssued":
      if (record.kind !== "member" || record.role === event.role) return record;
      // A demoted manager was removed from the Raft group: promoted again, it joins as a new member with an empty log.
      return event.role === "worker"
        ? { ...withoutForce(record), role: "worker", hasRaftLog: false, hasStaleLog: true }
        : { ...record, role: "manager" };
    case "logSetAside":
      return record.kind !== "member" || !record.hasStaleLog
        ? record
        : { ...record, hasStaleLog: false };
    case "managersSeen":
      return record.kind !== "member" || isSameList(record.managers, event.managers)
        ? record
        : { ...record, managers: event.managers };
    case "removedByCluster":
      return record.kind !== "member" || record.isRemoved ? record : { ...record, isRemoved: true };
    case "wipeStarted":
      return record.kind === "inactive" ? record : { kind: "leaving", lastError: event.reason };
    case "wiped":
      return record.kind === "leaving" ? { kind: "inactive", lastError: record.lastError } : record;
    case "errorSeen":
      return record.kind === "inactive" && record.lastError !== "" ? INACTIVE : record;
    default:
      return unreachable(event, "stepMembership");
  }
}

/** What a start does first with the record it finds. */
export type Recovery =
  | { readonly kind: "none" }
  | { readonly kind: "resumeJoin"; readonly attempt: JoinAttempt }
  /** Nobody was told that it succeeded: what was made is wiped, and the operator runs the command again. */
  | { readonly kind: "wipe"; readonly reason: string };

export function recoveryOf(record: NodeRecord): Recovery {
  switch (record.kind) {
    case "inactive":
    case "member":
      return { kind: "none" };
    case "initializing":
      return {
        kind: "wipe",
        reason: "creating the swarm was interrupted before it was finished; run `swarm init` again",
      };
    case "joining":
      return { kind: "resumeJoin", attempt: record.attempt };
    case "leaving":
      return { kind: "wipe", reason: record.lastError };
    default:
      return unreachable(record, "recoveryOf");
  }
}

/** The front program this node should run, and how its manager starts. */
export type FrontPlan =
  | { readonly program: "rest" }
  | { readonly program: "manager"; readonly start: "join" | "resume" | "forceNewCluster" };

export function frontPlan(record: NodeRecord): FrontPlan {
  if (record.kind !== "member" || record.role !== "manager") return { program: "rest" };
  if (record.isRemoved || record.hasStaleLog) return { program: "rest" };
  if (record.isForcingNewCluster === true) return { program: "manager", start: "forceNewCluster" };
  return { program: "manager", start: record.hasRaftLog ? "resume" : "join" };
}

/** Why this node's manager cannot go on as the only one of its cluster; undefined when it can. */
export function soleManagerObjection(record: NodeRecord): string | undefined {
  if (record.kind !== "member") return "it is not part of a swarm";
  if (record.role !== "manager") return "it is a worker: it has no copy of the cluster's state";
  if (record.isRemoved) return "it was removed from the swarm";
  return record.hasRaftLog && !record.hasStaleLog
    ? undefined
    : "its manager has not received the cluster's state yet";
}

/** The others are gone: whoever this node asks from now on must not be one of them. */
function soleManager(record: Member): Member {
  const { nodeId, advertiseAddr: addr } = record;
  return { ...withoutForce(record), hasRaftLog: true, managers: [{ nodeId, addr }] };
}

function withoutForce({ isForcingNewCluster: _, ...record }: Member): Member {
  return record;
}

function member(admission: Admission, progress: Pick<Member, "hasRaftLog" | "isSettled">): Member {
  return { kind: "member", ...admission, ...progress, hasStaleLog: false, isRemoved: false };
}

function isSameList(a: readonly ManagerAddr[], b: readonly ManagerAddr[]): boolean {
  const text = (list: readonly ManagerAddr[]): string =>
    list
      .map((each) => `${each.nodeId}@${each.addr}`)
      .sort()
      .join(",");
  return text(a) === text(b);
}
