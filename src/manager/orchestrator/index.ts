import {
  Allocator,
  Attachments,
  ConstraintEnforcer,
  JobSchedules,
  LostTasks,
  Reaper,
  Scheduling,
  ServiceReconciler,
} from "../core/index.js";
import type { LeaderLoop } from "../port.js";
import { runReconciler } from "./run-reconciler.js";

/** Assignments are small, and a burst of them is what users wait for. */
const ASSIGNMENT_CHANGES_MAX = 1000;

/** The orchestration that runs on the leader. Each loop stands alone: they meet in the store only. */
export const leaderLoops: readonly { readonly name: string; readonly run: LeaderLoop }[] = [
  { name: "allocator", run: (context) => runReconciler(context, new Allocator()) },
  {
    name: "services",
    run: (context) => runReconciler(context, new ServiceReconciler(context.random)),
  },
  { name: "job-schedules", run: (context) => runReconciler(context, new JobSchedules()) },
  {
    name: "scheduler",
    run: (context) => runReconciler(context, new Scheduling(), ASSIGNMENT_CHANGES_MAX),
  },
  { name: "reaper", run: (context) => runReconciler(context, new Reaper()) },
  {
    name: "constraint-enforcer",
    run: (context) => runReconciler(context, new ConstraintEnforcer()),
  },
  { name: "attachments", run: (context) => runReconciler(context, new Attachments()) },
  { name: "lost-tasks", run: (context) => runReconciler(context, new LostTasks()) },
];
