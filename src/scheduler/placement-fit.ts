import type { Node, Placement } from "../api/index.js";
import { meetsConstraints } from "./constraint.js";
import { matchesPlatforms } from "./filters.js";
import { platformNeeds } from "./task-needs.js";

/** Whether the placement allows tasks on the node at all, whatever else runs there. For modes that make one task per node. */
export function meetsPlacement(placement: Placement | undefined, node: Node): boolean {
  return (
    meetsConstraints(placement?.Constraints ?? [], node) &&
    matchesPlatforms(platformNeeds(placement), node)
  );
}
