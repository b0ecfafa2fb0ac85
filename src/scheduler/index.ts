export {
  type ConstrainedNode,
  type Constraint,
  ConstraintError,
  matchesConstraints,
  meetsConstraints,
  parseConstraint,
} from "./constraint.js";
export { NodeCapacity } from "./node-capacity.js";
export {
  type Decision,
  type Schedule,
  Scheduler,
  type SchedulerOptions,
  type SchedulerView,
} from "./scheduler.js";
