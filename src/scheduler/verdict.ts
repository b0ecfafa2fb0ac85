/** What one node says to a task: every filter that refuses it, with the numbers, and what would change its mind. */
import { describeConstraint, matchesConstraints } from "./constraint.js";
import { type FilterName, matchesPlatforms, missingPlugins, withinMaxReplicas } from "./filters.js";
import type { NodeInfo } from "./node-info.js";
import { bytesFlag, bytesText, cpuText } from "./quantities.js";
import type { TaskNeeds } from "./task-needs.js";

export type Refusal = {
  readonly filter: FilterName;
  /** `memory: needs 2GiB, 1.2GiB free of 8GiB`. */
  readonly text: string;
  /** What an operator can do, as a command where there is one. */
  readonly fix: string;
  /** How far away the node is from taking the task, in parts of what the task asks for; 1 where there is no half way. */
  readonly distance: number;
};

export type NodeVerdict = {
  readonly nodeId: string;
  readonly hostname: string;
  /** Empty: the node can take the task. */
  readonly refusals: readonly Refusal[];
};

/** `service`: its name, for the commands of the fixes. */
export function verdictOf(needs: TaskNeeds, info: NodeInfo, service: string): NodeVerdict {
  const hostname = nameOf(info);
  return {
    nodeId: info.id,
    hostname,
    refusals: [
      ...readiness(info, hostname),
      ...resources(needs, info, hostname),
      ...plugins(needs, info, hostname),
      ...constraints(needs, info, hostname, service),
      ...platform(needs, info),
      ...hostPorts(needs, info, hostname),
      ...networks(needs, info, hostname),
      ...encryption(needs, info, hostname),
      ...maxReplicas(needs, info),
    ],
  };
}

/** The node that is nearest to taking the task: fewest refusals, then the smallest distance, then by name. */
export function nearest(verdicts: readonly NodeVerdict[]): NodeVerdict | undefined {
  const refusing = verdicts.filter(({ refusals }) => refusals.length > 0);
  return refusing.sort(
    (a, b) =>
      a.refusals.length - b.refusals.length ||
      distance(a) - distance(b) ||
      (a.hostname < b.hostname ? -1 : 1),
  )[0];
}

function distance({ refusals }: NodeVerdict): number {
  return refusals.reduce((sum, refusal) => sum + refusal.distance, 0);
}

export function nameOf(info: NodeInfo): string {
  return info.node?.spec.Name || info.node?.description?.Hostname || info.id;
}

function readiness({ node }: NodeInfo, hostname: string): Refusal[] {
  if (!node) return [];
  const refusals: Refusal[] = [];
  const refuse = (text: string, fix: string): void => {
    refusals.push({ filter: "ready", text, fix, distance: 1 });
  };
  if (node.state !== "ready")
    refuse(
      `node is ${node.state}${node.stateMessage === "" ? "" : ` (${node.stateMessage})`}`,
      `bring ${hostname} back: swarmd does not answer there`,
    );
  const { Availability } = node.spec;
  if (Availability !== "active")
    refuse(
      `availability is ${Availability}`,
      `swarm node update --availability active ${hostname}`,
    );
  return refusals;
}

function resources(needs: TaskNeeds, info: NodeInfo, hostname: string): Refusal[] {
  const refusals: Refusal[] = [];
  const compare = (
    name: string,
    [wanted, free, total]: readonly [number, number, number],
    show: (amount: number) => string,
    lower: (amount: number) => string,
    unit: string,
  ): void => {
    if (wanted === 0 || wanted <= free) return;
    const left = Math.max(0, free);
    // More than the whole node has cannot be freed there.
    const room =
      wanted <= total
        ? `free ${show(wanted - free)}${unit} on ${hostname}`
        : `add a node with ${show(wanted)}${unit || ` of ${name}`}`;
    refusals.push({
      filter: "resource",
      text: `${name}: needs ${show(wanted)}, ${show(left)} free of ${show(total)}`,
      fix: left > 0 ? `${lower(left)}, or ${room}` : room,
      distance: (wanted - free) / wanted,
    });
  };
  const { cpuTotalNano: cpu, memTotalBytes: mem, generic } = info;
  compare(
    "CPUs",
    [needs.cpuNano, cpu - info.cpuReservedNano, cpu],
    cpuText,
    (left) => `lower --reserve-cpu to ${cpuText(left)}`,
    " CPUs",
  );
  compare(
    "memory",
    [needs.memBytes, mem - info.memReservedBytes, mem],
    bytesText,
    (left) => `lower --reserve-memory to ${bytesFlag(left)}`,
    "",
  );
  for (const [kind, amount] of needs.generic)
    compare(
      kind,
      [amount, generic.free(kind), generic.total(kind)],
      String,
      (left) => `lower --generic-resource to ${kind}=${left}`,
      ` ${kind}`,
    );
  return refusals;
}

function plugins(needs: TaskNeeds, info: NodeInfo, hostname: string): Refusal[] {
  return missingPlugins(needs, info).map(({ type, name }) => ({
    filter: "plugin",
    text: `${type.toLowerCase()} plugin ${name} is missing`,
    fix: `install the ${type.toLowerCase()} plugin ${name} on ${hostname}`,
    distance: 1,
  }));
}

const LABEL = /^node\.labels\.(.+)$/i;

function constraints(
  needs: TaskNeeds,
  info: NodeInfo,
  hostname: string,
  service: string,
): Refusal[] {
  const { node } = info;
  if (needs.constraints === undefined || !node) {
    if (node === undefined) return [];
    const text = "a constraint cannot be read";
    return [{ filter: "constraint", text, fix: `correct it on ${service}`, distance: 1 }];
  }
  return needs.constraints
    .filter((constraint) => !matchesConstraints([constraint], node))
    .map((constraint) => {
      const { key, operator, value } = constraint;
      const label = operator === "==" ? LABEL.exec(key)?.[1] : undefined;
      const without = `swarm service update --constraint-rm '${key}${operator}${value}' ${service}`;
      return {
        filter: "constraint",
        text: describeConstraint(constraint, node),
        fix:
          label === undefined
            ? without
            : `swarm node update --label-add ${label}=${value} ${hostname}, or ${without}`,
        distance: 1,
      } as const;
    });
}

function platform(needs: TaskNeeds, info: NodeInfo): Refusal[] {
  if (matchesPlatforms(needs.platforms, info.node)) return [];
  const { OS = "", Architecture = "" } = info.node?.description?.Platform ?? {};
  const wanted = needs.platforms.map(({ os, arch }) => `${os || "any"}/${arch || "any"}`);
  return [
    {
      filter: "platform",
      text: `platform: needs ${wanted.join(" or ")}, is ${OS}/${Architecture}`,
      fix: `use an image for ${OS}/${Architecture}`,
      distance: 1,
    },
  ];
}

function hostPorts(needs: TaskNeeds, info: NodeInfo, hostname: string): Refusal[] {
  return needs.hostPorts
    .filter((key) => info.hostPorts.has(key))
    .map((key) => ({
      filter: "hostPort",
      text: `port ${key} is in use by another task`,
      fix: `publish another port than ${key}, or stop what uses it on ${hostname}`,
      distance: 1,
    }));
}

function networks(needs: TaskNeeds, info: NodeInfo, hostname: string): Refusal[] {
  return needs.networkIds.flatMap((id) => {
    const clash = info.clashes.get(id);
    if (clash === undefined) return [];
    const { name, subnet, bridge } = clash;
    return {
      filter: "network",
      text: `network ${name} (${subnet}) overlaps the node's bridge (${bridge})`,
      fix: `give ${name} another --subnet, or start swarmd on ${hostname} with another --gwbridge-pool`,
      distance: 1,
    } as const;
  });
}

function encryption(needs: TaskNeeds, info: NodeInfo, hostname: string): Refusal[] {
  const names = needs.networkIds.flatMap((id) => info.notEncrypting.get(id) ?? []);
  return names.map((name) => ({
    filter: "encryption",
    text: `network ${name} is encrypted, and the node has no WireGuard`,
    fix: `install wireguard-tools on ${hostname}, and wireguard-go where the kernel has no WireGuard`,
    distance: 1,
  }));
}

function maxReplicas(needs: TaskNeeds, info: NodeInfo): Refusal[] {
  if (withinMaxReplicas(needs, info)) return [];
  const count = info.serviceCount(needs.serviceId);
  return [
    {
      filter: "maxReplicas",
      text: `runs ${count} tasks of the service, at most ${needs.maxReplicas} per node`,
      fix: `raise --replicas-max-per-node to ${count + 1}, or add a node`,
      distance: 1,
    },
  ];
}
