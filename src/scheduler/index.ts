export {
  type ConstrainedNode,
  type Constraint,
  ConstraintError,
  matchesConstraints,
  parseConstraint,
} from "./constraint.js";
