/** `Networks[].Target` as it is stored: by name, because what every node has by itself is another network on each of them. */
import type { Network, TaskSpec } from "../../api/index.js";
import { invalid } from "./invalid.js";

/** The cluster's networks, as far as targets need them. */
export type NetworkLookup = {
  network(id: string): Network | undefined;
  networkByName(name: string): Network | undefined;
};

/**
 * Clients send the id that `GET /networks/host?scope=swarm` told them, or the name. What is not found stays as it is: the check of
 * the template names it. Throws InvalidArgument for the ingress network, which tasks get by publishing ports.
 */
export function namedTargets(task: TaskSpec, networks: NetworkLookup | undefined): TaskSpec {
  if (task.Networks === undefined || networks === undefined) return task;
  return {
    ...task,
    Networks: task.Networks.map((given) => {
      const target = given.Target ?? "";
      const found = networks.network(target) ?? networks.networkByName(target);
      if (found?.spec.Ingress === true)
        throw invalid(
          `Networks: a service cannot be attached to the ingress network "${found.spec.Name}"; publish a port instead`,
        );
      return found?.predefined === true ? { ...given, Target: found.spec.Name } : given;
    }),
  };
}
