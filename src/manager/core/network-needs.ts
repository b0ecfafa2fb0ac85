/** Which networks of the cluster a service and its tasks are on. */
import type { Service, TaskSpec } from "../../api/index.js";
import { NODE_NETWORKS } from "./node-networks.js";

/** Ids of the overlay networks a template names, in its order. What every node has by itself is none. */
export function overlayTargets(spec: TaskSpec): readonly string[] {
  return (spec.Networks ?? [])
    .map(({ Target }) => Target ?? "")
    .filter((target) => !NODE_NETWORKS.has(target));
}

/** Ports published on every node: the service and each of its tasks have an address on the ingress network. */
export function wantsIngress(service: Service): boolean {
  return (service.spec.EndpointSpec?.Ports ?? []).some((port) => port.PublishMode === "ingress");
}

/** Whether its tasks need addresses before they can be placed. */
export function needsAllocation(service: Service): boolean {
  return wantsIngress(service) || overlayTargets(service.spec.TaskTemplate).length > 0;
}
