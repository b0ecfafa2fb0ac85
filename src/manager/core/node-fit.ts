import type { Node, Service } from "../../api/index.js";
import { meetsPlacement } from "../../scheduler/index.js";

/** What a service with one task per node does on a node: has one there, leaves what is there alone, or ends it. */
export type NodeFit = "takes" | "keeps" | "ends";

/**
 * Spec §4.2, §4.4. A node that is cut off for a moment (unknown, disconnected) keeps what it has; a service makes a task for it all the
 * same, a job waits until it is ready.
 */
export function nodeFit(service: Service, node: Node | undefined): NodeFit {
  if (!node || node.state === "down" || node.spec.Availability === "drain") return "ends";
  if (!meetsPlacement(service.spec.TaskTemplate.Placement, node)) return "ends";
  if (node.spec.Availability === "pause") return "keeps";
  return "GlobalJob" in service.spec.Mode && node.state !== "ready" ? "keeps" : "takes";
}
