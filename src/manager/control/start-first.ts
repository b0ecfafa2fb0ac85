/** A start-first update needs room for two tasks of a slot. Where ports or limits leave none, the user is told at once. */
import type { Node, ServiceSpec } from "../../api/index.js";
import { placesFor } from "../../scheduler/index.js";

/** One sentence per config that asks for what the cluster has no room for now; the update then stops such slots first. */
export function startFirstWarnings(spec: ServiceSpec, nodes: readonly Node[]): readonly string[] {
  const { Mode, TaskTemplate, EndpointSpec } = spec;
  const asking = (["UpdateConfig", "RollbackConfig"] as const).filter(
    (name) => spec[name]?.Order === "start-first",
  );
  if (asking.length === 0) return [];
  const places = placesFor({ spec: TaskTemplate, hostPorts: EndpointSpec?.Ports ?? [] }, nodes);
  const replicas = "Replicated" in Mode ? Mode.Replicated.Replicas : places?.nodeCount;
  if (!places || replicas === undefined || places.nodeCount === 0 || replicas < places.count)
    return [];
  const room = `the ${places.nodeCount} eligible node(s) hold at most ${places.count} task(s) of this service at once (host-mode ports, max replicas per node)`;
  return asking.map(
    (name) =>
      `${name}.Order start-first cannot be kept for all slots: ${room} and ${replicas} are wanted; slots without room for two tasks are stopped first`,
  );
}
