// For the door, which shows what follows from an address.
export { endpointMac } from "../../overlay-net/core/index.js";
export { Allocator } from "./allocator.js";
export { Attachments } from "./attachments.js";
export { ConstraintEnforcer } from "./constraint-enforcer.js";
export { expressionError, isTimeZone } from "./job-schedule.js";
export { JobSchedules } from "./job-schedules.js";
export { startSchedule } from "./job-ticks.js";
export { LostTasks } from "./lost-tasks.js";
export { managersPort } from "./managers-port.js";
export { NODE_NETWORKS } from "./node-networks.js";
export { CHANGES_MAX, Plan } from "./plan.js";
export { type PlannedTask, planPlacement } from "./plan-placement.js";
export {
  type PlannedMove,
  planRebalancing,
  type RebalancePlan,
} from "./plan-rebalance.js";
export { Reaper } from "./reaper.js";
export { newRebalance } from "./rebalance.js";
export type { Reconciler } from "./reconciler.js";
export { bridgeInTheWay, networkProblems, routeWarning } from "./route-overlaps.js";
export { Scheduling } from "./scheduling.js";
export { ServiceReconciler } from "./service-reconciler.js";
export { diffFields, type FieldChange } from "./spec-diff.js";
export { isDirty, makeTask } from "./task-template.js";
