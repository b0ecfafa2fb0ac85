export {
  type ConstrainedNode,
  type Constraint,
  ConstraintError,
  matchesConstraints,
  meetsConstraints,
  parseConstraint,
} from "./constraint.js";
export { meetsPlacement } from "./placement-fit.js";
export {
  type Decision,
  type Schedule,
  Scheduler,
  type SchedulerOptions,
  type SchedulerView,
} from "./scheduler.js";
export { Resources, reservationsOf } from "./task-needs.js";
