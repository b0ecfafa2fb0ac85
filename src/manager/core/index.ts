export { ConstraintEnforcer } from "./constraint-enforcer.js";
export { LostTasks } from "./lost-tasks.js";
export { CHANGES_MAX, Plan } from "./plan.js";
export { Reaper } from "./reaper.js";
export type { Reconciler } from "./reconciler.js";
export { Scheduling } from "./scheduling.js";
export { ServiceReconciler } from "./service-reconciler.js";
export { TaskAllocator } from "./task-allocator.js";
export { isDirty } from "./task-template.js";
