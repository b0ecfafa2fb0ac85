export {
  type ConstrainedNode,
  type Constraint,
  ConstraintError,
  matchesConstraints,
  meetsConstraints,
  parseConstraint,
} from "./constraint.js";
export { type Gauges, nodeGauges } from "./gauges.js";
export { NodeCapacity } from "./node-capacity.js";
export { meetsPlacement } from "./placement-fit.js";
export { placesFor, RoomBeside, type RoomView } from "./room-beside.js";
export {
  type Decision,
  type Schedule,
  Scheduler,
  type SchedulerOptions,
  type SchedulerView,
} from "./scheduler.js";
export { type BalanceView, type Move, SpreadBalance } from "./spread-balance.js";
export type { NodeVerdict, Refusal } from "./verdict.js";
export { type Why, type WhyNode, type WhyView, whyNode, whyService, whyTask } from "./why.js";
