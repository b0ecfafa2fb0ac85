/** Turns a task into the engine's request: templates, labels, network mode, and the checks that only this node can make. */
import type {
  GenericResource,
  Labels,
  NetworkTarget,
  TaskNetwork,
  TaskSpec,
} from "../../api/index.js";
import { type Assignment, taskName } from "../core/task/types.js";
import { expandContainerSpec, type TemplateContext } from "../core/template/template.js";
import type { NetworkMode } from "../net/index.js";
import { containerIdOf } from "./container-id.js";

/** The node, as templates and labels name it. */
export type NodeFacts = {
  readonly nodeId: string;
  readonly hostname: string;
  readonly os: string;
  readonly architecture: string;
};

/** Something in the spec that this node cannot do; the message names the field. No retry helps. */
export class UnsupportedSpecError extends Error {
  override readonly name = "UnsupportedSpecError";
}

export const TASK_ID_LABEL = "com.docker.swarm.task.id";
export const SERVICE_ID_LABEL = "com.docker.swarm.service.id";

const LOG_DRIVERS: ReadonlySet<string> = new Set(["json-file", "local", "none"]);
const LOG_OPTIONS: ReadonlySet<string> = new Set(["max-size", "max-file"]);
/** Networks that every node has by itself. */
const NODE_MODES: ReadonlySet<string> = new Set(["host", "bridge", "none"]);
/** Docker: a container without a host name gets the beginning of its id. */
const HOSTNAME_ID_LENGTH = 12;

export function templateContext(assignment: Assignment, node: NodeFacts): TemplateContext {
  return {
    Service: {
      ID: assignment.serviceId,
      Name: assignment.serviceName,
      Labels: assignment.serviceLabels,
    },
    Node: {
      ID: node.nodeId,
      Hostname: node.hostname,
      Platform: { OS: node.os, Architecture: node.architecture },
    },
    Task: {
      ID: assignment.taskId,
      Name: taskName(assignment, node.nodeId),
      Slot: assignment.slot === 0 ? node.nodeId : String(assignment.slot),
    },
  };
}

/** The container spec with templates expanded, and what the task got of generic resources in its environment; throws TemplateError. */
export function expandedSpec(assignment: Assignment, node: NodeFacts): TaskSpec["ContainerSpec"] {
  const context = templateContext(assignment, node);
  const spec = expandContainerSpec(assignment.spec.ContainerSpec, context);
  const granted = resourceEnv(assignment.genericResources);
  return granted.length === 0 ? spec : { ...spec, Env: [...(spec.Env ?? []), ...granted] };
}

/** `DOCKER_RESOURCE_GPU=UUID1,UUID2` or `DOCKER_RESOURCE_GPU=2`, as the Engine names them. */
export function resourceEnv(resources: readonly GenericResource[]): readonly string[] {
  const values = new Map<string, string[]>();
  for (const resource of resources) {
    const { Kind, Value } =
      "NamedResourceSpec" in resource ? resource.NamedResourceSpec : resource.DiscreteResourceSpec;
    const name = `DOCKER_RESOURCE_${Kind.toUpperCase()}`;
    values.set(name, [...(values.get(name) ?? []), String(Value)]);
  }
  return [...values].map(([name, texts]) => `${name}=${texts.join(",")}`);
}

/** User labels, overridden by the task's own. */
export function containerLabels(assignment: Assignment, node: NodeFacts): Labels {
  return {
    ...assignment.spec.ContainerSpec.Labels,
    "com.docker.swarm.node.id": node.nodeId,
    [SERVICE_ID_LABEL]: assignment.serviceId,
    "com.docker.swarm.service.name": assignment.serviceName,
    "com.docker.swarm.task": "",
    [TASK_ID_LABEL]: assignment.taskId,
    "com.docker.swarm.task.name": taskName(assignment, node.nodeId),
  };
}

export function hostnameOf(
  taskId: string,
  wanted: string | undefined,
  mode: NetworkMode,
  node: NodeFacts,
): string {
  if (wanted !== undefined && wanted !== "") return wanted;
  return mode === "host" ? node.hostname : containerIdOf(taskId).slice(0, HOSTNAME_ID_LENGTH);
}

/**
 * Network of the task on this node, by the targets of its spec. On overlay networks it is "default": a namespace of its own, with the
 * node's bridge as its way out. Throws UnsupportedSpecError for a target the managers gave no address on, and for mixtures.
 */
export function networkModeOf(
  targets: readonly NetworkTarget[] | undefined,
  networks: readonly TaskNetwork[],
): NetworkMode {
  const names = new Set((targets ?? []).map(({ Target }) => Target ?? ""));
  const own = [...names].filter((name) => NODE_MODES.has(name));
  const overlay = [...names].filter((name) => !NODE_MODES.has(name));
  const unknown = overlay.find((id) => !networks.some(({ networkId }) => networkId === id));
  if (unknown !== undefined) {
    throw new UnsupportedSpecError(`network ${unknown}: the task has no address there`);
  }
  if (own.length + Math.min(1, overlay.length) > 1) {
    throw new UnsupportedSpecError(
      `networks ${[...names].join(", ")} cannot be combined in one task`,
    );
  }
  const [name] = own;
  if (name !== "host" && name !== "none") return "default";
  if (networks.length > 0) {
    throw new UnsupportedSpecError(`network ${name}: ports cannot be published through ingress`);
  }
  return name;
}

/** Refuses what would otherwise be accepted and ignored. */
export function checkSupported(spec: TaskSpec): void {
  const container = spec.ContainerSpec;
  const refuse = (field: string, why: string): never => {
    throw new UnsupportedSpecError(`${field} ${why}`);
  };
  // An attachment is a container outside services: the same to this node.
  if (spec.Runtime === "plugin") refuse("Runtime", `"${spec.Runtime}" is not supported`);
  if ((container.Secrets?.length ?? 0) > 0) refuse("ContainerSpec.Secrets", "is not supported");
  if ((container.Configs?.length ?? 0) > 0) refuse("ContainerSpec.Configs", "is not supported");
  const driver = spec.LogDriver?.Name ?? "";
  if (driver !== "" && !LOG_DRIVERS.has(driver)) {
    refuse("LogDriver.Name", `"${driver}" is not supported; use json-file, local or none`);
  }
  for (const option of Object.keys(spec.LogDriver?.Options ?? {})) {
    if (!LOG_OPTIONS.has(option)) {
      refuse("LogDriver.Options", `"${option}" is not supported; use max-size and max-file`);
    }
  }
}
