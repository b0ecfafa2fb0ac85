/** Feasibility: the filters of a placement, in their order, and the sentence that says why no node passed. */
import type { Node } from "../api/index.js";
import { matchesConstraints } from "./constraint.js";
import type { NodeInfo } from "./node-info.js";
import { normalArch, type PlatformNeed, type PluginNeed, type TaskNeeds } from "./task-needs.js";

export type FilterName =
  | "ready"
  | "resource"
  | "plugin"
  | "constraint"
  | "platform"
  | "hostPort"
  | "network"
  | "encryption"
  | "maxReplicas";

type Filter = {
  readonly name: FilterName;
  readonly passes: (needs: TaskNeeds, info: NodeInfo) => boolean;
  readonly explain: (count: number) => string;
};

const nodes = (count: number): string => (count === 1 ? "1 node" : `${count} nodes`);

/** Clients match these texts, misspelling included. */
const FILTERS: readonly Filter[] = [
  {
    name: "ready",
    passes: (_needs, info) => info.isReady(),
    explain: (count) => `${nodes(count)} not available for new tasks`,
  },
  {
    name: "resource",
    passes: hasRoom,
    explain: (count) => `insufficient resources on ${nodes(count)}`,
  },
  {
    name: "plugin",
    passes: hasPlugins,
    explain: (count) => `missing plugin on ${nodes(count)}`,
  },
  {
    name: "constraint",
    passes: (needs, info) =>
      needs.constraints !== undefined &&
      info.node !== undefined &&
      matchesConstraints(needs.constraints, info.node),
    explain: (count) => `scheduling constraints not satisfied on ${nodes(count)}`,
  },
  {
    name: "platform",
    passes: (needs, info) => matchesPlatforms(needs.platforms, info.node),
    explain: (count) => `unsupported platform on ${nodes(count)}`,
  },
  {
    name: "hostPort",
    passes: (needs, info) => needs.hostPorts.every((key) => !info.hostPorts.has(key)),
    explain: (count) => `host-mode port already in use on ${nodes(count)}`,
  },
  {
    name: "network",
    passes: isClearOfBridge,
    explain: (count) => `network overlaps the bridge of ${nodes(count)}`,
  },
  {
    name: "encryption",
    passes: canEncrypt,
    explain: (count) => `no WireGuard on ${nodes(count)}`,
  },
  {
    name: "maxReplicas",
    passes: withinMaxReplicas,
    explain: () => "max replicas per node limit exceed",
  },
];

/** The first filter that the node fails, undefined when it can take the task. */
export function failingFilter(needs: TaskNeeds, info: NodeInfo): FilterName | undefined {
  return FILTERS.find((filter) => !filter.passes(needs, info))?.name;
}

/** Everything but what depends on the service and not only on the node's own bookings: `passesService`. */
export function passesClass(needs: TaskNeeds, info: NodeInfo): boolean {
  return (
    info.isReady() &&
    hasRoom(needs, info) &&
    needs.hostPorts.every((key) => !info.hostPorts.has(key))
  );
}

/** What only changes with the node object itself. */
export function passesStatic(needs: TaskNeeds, info: NodeInfo): boolean {
  return (
    info.node !== undefined &&
    hasPlugins(needs, info) &&
    needs.constraints !== undefined &&
    matchesConstraints(needs.constraints, info.node) &&
    matchesPlatforms(needs.platforms, info.node)
  );
}

/** What a class of services has not in common: networks and replicas per node. */
export function passesService(needs: TaskNeeds, info: NodeInfo): boolean {
  return isClearOfBridge(needs, info) && canEncrypt(needs, info) && withinMaxReplicas(needs, info);
}

function isClearOfBridge(needs: TaskNeeds, { clashes }: NodeInfo): boolean {
  return clashes.size === 0 || !needs.networkIds.some((id) => clashes.has(id));
}

function canEncrypt(needs: TaskNeeds, { notEncrypting }: NodeInfo): boolean {
  return notEncrypting.size === 0 || !needs.networkIds.some((id) => notEncrypting.has(id));
}

export function withinMaxReplicas(needs: TaskNeeds, info: NodeInfo): boolean {
  return needs.maxReplicas === 0 || info.serviceCount(needs.serviceId) < needs.maxReplicas;
}

/** Why none of the nodes can take the task: most frequent reason first. */
export function explainNoNode(needs: TaskNeeds, infos: Iterable<NodeInfo>): string {
  const fragments = explain(needs, infos);
  return fragments === "" ? "no suitable node" : `no suitable node (${fragments})`;
}

/** The same for a task that was made for one node: the bare explanation. "" when it can run there. */
export function explainNode(needs: TaskNeeds, info: NodeInfo): string {
  return explain(needs, [info]);
}

function explain(needs: TaskNeeds, infos: Iterable<NodeInfo>): string {
  const counts = new Map<FilterName, number>();
  for (const info of infos) {
    const failing = info.node && failingFilter(needs, info);
    if (failing) counts.set(failing, (counts.get(failing) ?? 0) + 1);
  }
  return FILTERS.filter((filter) => counts.has(filter.name))
    .map((filter) => ({ filter, count: counts.get(filter.name) ?? 0 }))
    .sort((a, b) => b.count - a.count)
    .map(({ filter, count }) => filter.explain(count))
    .join("; ");
}

function hasRoom(needs: TaskNeeds, info: NodeInfo): boolean {
  if (needs.cpuNano > 0 && needs.cpuNano > info.cpuTotalNano - info.cpuReservedNano) return false;
  if (needs.memBytes > 0 && needs.memBytes > info.memTotalBytes - info.memReservedBytes)
    return false;
  return needs.generic.every(([kind, amount]) => amount <= info.generic.free(kind));
}

function hasPlugins(needs: TaskNeeds, info: NodeInfo): boolean {
  return needs.plugins.length === 0 || missingPlugins(needs, info).length === 0;
}

export function missingPlugins(needs: TaskNeeds, info: NodeInfo): readonly PluginNeed[] {
  const listed = info.node?.description?.Engine.Plugins ?? [];
  return needs.plugins.filter(({ type, name }) => {
    const ofType = listed.filter((plugin) => plugin.Type === type);
    // Old engines list no log drivers at all; refusing those would lock every node out.
    if (type === "Log" && ofType.length === 0) return false;
    return !ofType.some((plugin) => plugin.Name === name || plugin.Name === `${name}:latest`);
  });
}

export function matchesPlatforms(
  needs: readonly PlatformNeed[],
  node: Pick<Node, "description"> | undefined,
): boolean {
  if (needs.length === 0) return true;
  const platform = node?.description?.Platform;
  const os = (platform?.OS ?? "").toLowerCase();
  const arch = normalArch(platform?.Architecture ?? "");
  return needs.some(
    (wanted) =>
      (wanted.os === "" || wanted.os === os) && (wanted.arch === "" || wanted.arch === arch),
  );
}
