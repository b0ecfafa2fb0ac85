/** What a task asks of its node, read once per spec. Tasks of one service and spec version have the same needs. */
import type { Placement, PortConfig, Task, TaskSpec } from "../api/index.js";
import { type Constraint, ConstraintError, parseConstraint } from "./constraint.js";
import { countGeneric, type GenericAmounts } from "./generic-resources.js";

export type PluginNeed = { readonly type: "Volume" | "Log"; readonly name: string };
export type PlatformNeed = { readonly os: string; readonly arch: string };

export type TaskNeeds = {
  readonly serviceId: string;
  readonly specVersion: number;
  readonly cpuNano: number;
  readonly memBytes: number;
  readonly generic: GenericAmounts;
  readonly plugins: readonly PluginNeed[];
  /** undefined: at least one cannot be read, so no node satisfies them. */
  readonly constraints: readonly Constraint[] | undefined;
  readonly platforms: readonly PlatformNeed[];
  /** `tcp/8080`, host mode with a fixed published port. */
  readonly hostPorts: readonly string[];
  /** Ids of the networks of the cluster that it is on. */
  readonly networkIds: readonly string[];
  /** 0 = unlimited. */
  readonly maxReplicas: number;
  /** Label keys (`node.labels.K`, `engine.labels.K`) to spread over, outermost first. */
  readonly spread: readonly string[];
  /** Equal for all needs that the same nodes satisfy, looking at the node and its bookings alone. */
  readonly classKey: string;
};

/** The part that depends on the spec alone. */
type SpecNeeds = Omit<TaskNeeds, "serviceId" | "specVersion" | "hostPorts">;

const NO_TEXTS: readonly string[] = Object.freeze([]);

const bySpec = new WeakMap<TaskSpec, SpecNeeds>();

/** What of a task its needs are read from. */
export type Needy = Pick<Task, "serviceId" | "specVersion" | "spec" | "hostPorts"> &
  Partial<Pick<Task, "networks">>;

export function needsOf(task: Needy): TaskNeeds {
  let fromSpec = bySpec.get(task.spec);
  if (!fromSpec) {
    fromSpec = readSpec(task.spec);
    bySpec.set(task.spec, fromSpec);
  }
  const hostPorts = hostPortKeys(task.hostPorts);
  // One literal, as this is made for every group: a spread costs several times as much.
  return {
    serviceId: task.serviceId,
    specVersion: task.specVersion,
    cpuNano: fromSpec.cpuNano,
    memBytes: fromSpec.memBytes,
    generic: fromSpec.generic,
    plugins: fromSpec.plugins,
    constraints: fromSpec.constraints,
    platforms: fromSpec.platforms,
    hostPorts,
    // As allocated, ingress included; a task that is only planned has no more than its spec.
    networkIds: task.networks?.length ? task.networks.map(idOf) : fromSpec.networkIds,
    maxReplicas: fromSpec.maxReplicas,
    spread: fromSpec.spread,
    classKey:
      hostPorts.length > 0 ? `${fromSpec.classKey}\n${hostPorts.join(" ")}` : fromSpec.classKey,
  };
}

function idOf({ networkId }: Task["networks"][number]): string {
  return networkId;
}

/** Ports that only one task per node can have: host mode, published port chosen by the user. */
export function hostPortKeys(ports: readonly PortConfig[]): readonly string[] {
  if (ports.length === 0) return NO_TEXTS;
  const keys: string[] = [];
  for (const port of ports) {
    if (port.PublishMode === "host" && port.PublishedPort)
      keys.push(`${port.Protocol}/${port.PublishedPort}`);
  }
  return keys;
}

/** The booked amounts of a task, for the accounting of its node. */
export function reservationsOf(spec: TaskSpec): Pick<TaskNeeds, "cpuNano" | "memBytes"> {
  let needs = bySpec.get(spec);
  if (!needs) {
    needs = readSpec(spec);
    bySpec.set(spec, needs);
  }
  return needs;
}

function readSpec(spec: TaskSpec): SpecNeeds {
  const reservations = spec.Resources?.Reservations;
  const placement = spec.Placement;
  const needs = {
    cpuNano: reservations?.NanoCPUs ?? 0,
    memBytes: reservations?.MemoryBytes ?? 0,
    generic: countGeneric(reservations?.GenericResources ?? []),
    plugins: pluginNeeds(spec),
    constraints: readConstraints(placement?.Constraints ?? []),
    platforms: platformNeeds(placement),
    networkIds: spec.Networks?.map(({ Target }) => Target) ?? NO_TEXTS,
    maxReplicas: placement?.MaxReplicas ?? 0,
    spread: (placement?.Preferences ?? [])
      .map((preference) => preference.Spread.SpreadDescriptor)
      .filter((key) => /^(node|engine)\.labels\../i.test(key)),
  };
  // These two are asked of each node at the placement itself.
  const { maxReplicas: _replicas, networkIds: _networks, ...classNeeds } = needs;
  return { ...needs, classKey: JSON.stringify(classNeeds) };
}

export function platformNeeds(placement: Placement | undefined): readonly PlatformNeed[] {
  return (placement?.Platforms ?? []).map((platform) => ({
    os: (platform.OS ?? "").toLowerCase(),
    arch: normalArch(platform.Architecture ?? ""),
  }));
}

function readConstraints(texts: readonly string[]): readonly Constraint[] | undefined {
  try {
    return texts.map(parseConstraint);
  } catch (error) {
    if (error instanceof ConstraintError) return undefined;
    throw error;
  }
}

function pluginNeeds(spec: TaskSpec): PluginNeed[] {
  const needs: PluginNeed[] = [];
  for (const mount of spec.ContainerSpec.Mounts ?? []) {
    const driver = mount.Type === "volume" ? (mount.VolumeOptions?.DriverConfig?.Name ?? "") : "";
    if (driver !== "" && driver !== "local") needs.push({ type: "Volume", name: driver });
  }
  const log = spec.LogDriver?.Name ?? "";
  if (log !== "" && log !== "none") needs.push({ type: "Log", name: log });
  return needs;
}

/** Kernels say x86_64 and aarch64, images amd64 and arm64; both mean the same machine. */
export function normalArch(arch: string): string {
  const lower = arch.toLowerCase();
  if (lower === "x86_64") return "amd64";
  if (lower === "aarch64") return "arm64";
  return lower;
}
