/** `Networks[]` of a task template: looked up, put into the form in which it is stored, and checked. */
import type { Network, NetworkTarget, TaskSpec } from "../../api/index.js";
import { doorError } from "../../base/index.js";
import type { StoreView } from "../../store/index.js";
import { NODE_NETWORKS } from "../core/index.js";
import { invalid } from "./invalid.js";

/** What the validation of a service looks up. */
export type NetworkLookup = Pick<
  StoreView,
  "network" | "networkByName" | "networks" | "cluster" | "nodes"
>;

const ALIAS = /^[A-Za-z0-9](?:[A-Za-z0-9_.-]*[A-Za-z0-9])?$/;
const ALIAS_LENGTH_MAX = 63;
/** A task has a link and an address on each. */
export const NETWORKS_MAX = 32;

/**
 * Clients send ids or names. A network of the cluster is stored by id. What every node has by itself is stored by name, because it is
 * another network on each of them. What is not found stays as it is: `checkNetworks` names it. Throws InvalidArgument for the
 * ingress network, which tasks get by publishing ports.
 */
export function storedTargets(task: TaskSpec, networks: NetworkLookup | undefined): TaskSpec {
  if (task.Networks === undefined || networks === undefined) return task;
  return {
    ...task,
    Networks: task.Networks.map((given) => {
      const target = given.Target ?? "";
      const found = networks.network(target) ?? networks.networkByName(target);
      if (found === undefined) return given;
      if (found.spec.Ingress === true)
        throw invalid(
          `Networks: a service cannot be attached to the ingress network "${found.spec.Name}"; publish a port instead`,
        );
      return { ...given, Target: found.predefined ? found.spec.Name : found.id };
    }),
  };
}

/** Throws ApiError: NotFound (500, as the Engine does), InvalidArgument. */
export function checkNetworks(task: TaskSpec, networks: NetworkLookup | undefined): void {
  const targets = task.Networks ?? [];
  const nameOf = ({ Target }: NetworkTarget): string =>
    networks?.network(Target ?? "")?.spec.Name ?? Target ?? "";
  for (const { Target } of targets)
    if (!NODE_NETWORKS.has(Target ?? "") && !networks?.network(Target ?? ""))
      // The Engine looks networks up at its door and answers 500 (recording "service unknown network").
      throw doorError("NotFound", `network ${Target ?? ""} not found`, { http: 500 });
  if (targets.length > NETWORKS_MAX)
    throw invalid(`Networks: a service can be on ${NETWORKS_MAX} networks, not ${targets.length}`);
  const distinct = new Set(targets.map(({ Target }) => Target));
  const ofNode = targets.find(({ Target }) => NODE_NETWORKS.has(Target ?? ""));
  if (ofNode && distinct.size > 1) {
    const names = [...new Set(targets.map(nameOf))];
    throw invalid(
      `Networks: ${names.join(", ")} cannot be combined in one task; name one of them, or only networks of the cluster`,
    );
  }
  for (const target of targets) checkAliases(target, nameOf(target));
  const overlays = targets.filter(({ Target }) => !NODE_NETWORKS.has(Target ?? ""));
  const twice = overlays.find(
    ({ Target }, at) => overlays.findIndex((other) => other.Target === Target) !== at,
  );
  if (twice) throw invalid(`Networks: network ${nameOf(twice)} is named twice`);
}

/** The stored networks of the cluster that a template names. */
export function overlayNetworks(task: TaskSpec, networks: NetworkLookup): readonly Network[] {
  return (task.Networks ?? []).flatMap(({ Target }) => networks.network(Target ?? "") ?? []);
}

/** Throws ApiError InvalidArgument. */
export function checkAliases({ Target, Aliases }: NetworkTarget, name: string): void {
  if (!Aliases) return;
  if (NODE_NETWORKS.has(Target ?? ""))
    throw invalid(
      `Networks: network ${name} knows no names; aliases need a network of the cluster`,
    );
  const bad = Aliases.find((alias) => !ALIAS.test(alias) || alias.length > ALIAS_LENGTH_MAX);
  if (bad !== undefined)
    throw invalid(
      `Networks: alias "${bad}" on network ${name} is no DNS name of at most ${ALIAS_LENGTH_MAX} characters`,
    );
}
