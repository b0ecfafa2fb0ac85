export {
  type ConstrainedNode,
  type Constraint,
  ConstraintError,
  matchesConstraints,
  parseConstraint,
} from "./constraint.js";
export {
  type Decision,
  type Schedule,
  Scheduler,
  type SchedulerOptions,
  type SchedulerView,
} from "./scheduler.js";
export { hostPortKeys, reservationsOf } from "./task-needs.js";
