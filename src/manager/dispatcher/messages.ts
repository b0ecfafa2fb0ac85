/** Dispatcher messages from domain objects. */
import {
  canonicalJson,
  decodeSpec,
  encodeSpec,
  type ManagerAddr,
  type Node,
  type NodeDescription,
  type NodeTunnel,
  type ProxiedPort6,
  SpecTable,
  type swarm,
  type Task,
} from "../../api/index.js";
import { ApiError, parseCidr, parseIp } from "../../base/index.js";
import {
  type NetworkDelta,
  type NetworkState,
  PAIR_KEYS_MAX,
} from "../../overlay-net/core/index.js";
import type { StoreView } from "../../store/index.js";
import { type AssignmentDiff, toldState } from "./core/assignments.js";

/** Largest node description taken, in bytes. */
export const DESCRIPTION_BYTES_MAX = 64 * 1024;
/** Of what does not work on its networks. */
const PROBLEMS_MAX = 32;
const PROBLEM_CHARS_MAX = 1_000;
/** 32 bytes in base64. */
const WIREGUARD_KEY = /^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$/;
/** Ports of tasks that take IPv4 alone, and what an id has at most. */
const PROXIED_MAX = 64;
const ID_CHARS_MAX = 64;
/** Most routes that a node may list. */
const ROUTES_MAX = 1024;
/** Most generic resources that a node may list. */
const GENERIC_MAX = 1024;

type Out = swarm.dispatcher.IDispatcherMessage;

/** Specs are written once per message, whatever number of tasks share them. */
export function assignmentsMessage(diff: AssignmentDiff, view: StoreView): Out {
  const specs: Uint8Array[] = [];
  const table = new SpecTable((bytes) => specs.push(bytes));
  return {
    assignments: {
      complete: diff.isComplete,
      appliesTo: diff.appliesTo,
      resultsIn: diff.resultsIn,
      tasks: diff.tasks.map((task) => taskAssignment(task, view, table)),
      removedTaskIds: [...diff.removedTaskIds],
      specs,
    },
  };
}

function taskAssignment(
  task: Task,
  view: StoreView,
  table: SpecTable,
): swarm.dispatcher.ITaskAssignment {
  const service = view.service(task.serviceId);
  const isPrevious =
    service?.previousSpec !== undefined && task.specVersion === service.previousSpecVersion;
  return {
    taskId: task.id,
    serviceId: task.serviceId,
    serviceName: task.serviceName,
    slot: task.slot,
    specRef: table.refOf(task.spec),
    desiredState: toldState(task),
    notBeforeMs: task.notBeforeMs,
    hostPortsJson: Buffer.from(canonicalJson(task.hostPorts)),
    registryAuth: (isPrevious ? service.previousRegistryAuth : service?.registryAuth) ?? "",
    serviceLabelsJson: encodeSpec(service?.spec.Labels ?? {}),
    versionIndex: task.versionIndex,
    ...(task.genericResources.length > 0 && {
      genericResourcesJson: encodeSpec(task.genericResources),
    }),
    ...(task.networks.length > 0 && {
      networksJson: encodeSpec(task.networks),
      networkPhase: task.networkPhase,
    }),
  };
}

/** The whole state of a node's networks, or what leads there from the index `appliesTo`. */
export function networksMessage(
  told:
    | { readonly kind: "complete"; readonly state: NetworkState }
    | { readonly kind: "delta"; readonly appliesTo: number; readonly delta: NetworkDelta },
): Out {
  const isComplete = told.kind === "complete";
  const body = isComplete ? told.state : told.delta;
  return {
    networks: {
      complete: isComplete,
      appliesTo: isComplete ? 0 : told.appliesTo,
      resultsIn: body.index,
      bodyJson: Buffer.from(JSON.stringify(body)),
    },
  };
}

/** The cluster's view of the node: the only way a node learns of role, root and manager changes. */
export function nodeUpdateMessage(
  node: Node,
  view: StoreView,
  managers: readonly ManagerAddr[],
): Out {
  return {
    nodeUpdate: {
      role: node.role,
      availability: node.spec.Availability,
      rootBundlePem: view.cluster()?.rootCertPem ?? "",
      managers: managers.map(({ nodeId, addr }) => ({ nodeId, addr })),
      // The supervisor compares the role with its certificate; nothing else asks for an early renewal.
      forceRenew: false,
      hostname: node.description?.Hostname ?? "",
    },
  };
}

export function redirectMessage(
  leaderAddr: string | undefined,
  managers: readonly ManagerAddr[],
): Out {
  return {
    redirect: {
      leaderAddr: leaderAddr ?? "",
      managers: managers.map(({ nodeId, addr }) => ({ nodeId, addr })),
    },
  };
}

const WIREGUARD_TEXTS: ReadonlySet<unknown> = new Set<NodeDescription["WireGuard"]>([
  undefined,
  ...(["kernel", "wireguard-go", "none"] as const),
]);

/** Throws ApiError InvalidArgument: an agent that reports nonsense about itself must not get tasks. */
export function readDescription(bytes: Uint8Array): NodeDescription {
  if (bytes.byteLength > DESCRIPTION_BYTES_MAX)
    throw malformed(`is ${bytes.byteLength} bytes, at most ${DESCRIPTION_BYTES_MAX} are taken`);
  let value: Partial<NodeDescription>;
  try {
    value = decodeSpec<Partial<NodeDescription>>(bytes, "node description");
  } catch (error) {
    throw malformed("is no JSON object", error);
  }
  const { Hostname, Platform, Resources, Engine, EngineKind } = value;
  if (typeof Hostname !== "string" || Hostname === "") throw malformed("has no Hostname");
  if (typeof Platform?.OS !== "string" || typeof Platform.Architecture !== "string")
    throw malformed("has no Platform");
  if (!isCount(Resources?.NanoCPUs) || !isCount(Resources?.MemoryBytes))
    throw malformed("has no Resources");
  if (!isGenericList(Resources?.GenericResources))
    throw malformed("has Resources.GenericResources that are no list of numbers and names");
  if (typeof Engine?.EngineVersion !== "string" || !Array.isArray(Engine.Plugins))
    throw malformed("has no Engine");
  if (EngineKind !== "containerd" && EngineKind !== "simulated")
    throw malformed("has an unknown EngineKind");
  if (!isRouteList(value.Routes)) throw malformed("has Routes that are no list of CIDRs");
  if (value.Bridge !== undefined && !isCidr(value.Bridge))
    throw malformed("has a Bridge that is no CIDR");
  if (value.DataPathAddr !== undefined && !isIpText(value.DataPathAddr))
    throw malformed("has a DataPathAddr that is no IP address");
  if (!isProblemList(value.NetworkProblems))
    throw malformed("has NetworkProblems that are no list of sentences");
  if (value.UnderlayMtu !== undefined && !isCount(value.UnderlayMtu))
    throw malformed("has an UnderlayMtu that is no number of bytes");
  if (!isProxiedList(value.Proxied6))
    throw malformed("has Proxied6 that are no list of tasks' ports");
  if (!WIREGUARD_TEXTS.has(value.WireGuard))
    throw malformed("has a WireGuard that is neither kernel, wireguard-go nor none");
  if (!isTunnel(value.Tunnel)) throw malformed("has a Tunnel whose keys are none");
  // Its members were checked above.
  return value as NodeDescription;
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

function isCidr(value: unknown): boolean {
  return typeof value === "string" && parseCidr(value) !== undefined;
}

function isIpText(value: unknown): boolean {
  return typeof value === "string" && parseIp(value) !== undefined;
}

function isProblemList(value: unknown): boolean {
  if (value === undefined) return true;
  return (
    Array.isArray(value) &&
    value.length <= PROBLEMS_MAX &&
    value.every((text) => typeof text === "string" && text.length <= PROBLEM_CHARS_MAX)
  );
}

function isProxiedList(value: unknown): boolean {
  if (value === undefined) return true;
  return Array.isArray(value) && value.length <= PROXIED_MAX && value.every(isProxied);
}

function isProxied(value: Partial<ProxiedPort6> | null): boolean {
  const { ServiceID, TaskID, Protocol, TargetPort } = value ?? {};
  return (
    [ServiceID, TaskID].every((id) => typeof id === "string" && id.length <= ID_CHARS_MAX) &&
    (Protocol === "tcp" || Protocol === "udp") &&
    isCount(TargetPort)
  );
}

/** The allocator parses them. */
function isRouteList(value: unknown): boolean {
  if (value === undefined) return true;
  return Array.isArray(value) && value.length <= ROUTES_MAX && value.every(isCidr);
}

/** Other nodes hand the keys to WireGuard. */
function isTunnel(tunnel: Partial<NodeTunnel> | undefined): boolean {
  if (tunnel === undefined) return true;
  const { Implementation, PublicKey, PairKeys } = tunnel ?? {};
  if (Implementation !== "kernel" && Implementation !== "wireguard-go") return false;
  if (!Array.isArray(PairKeys) || PairKeys.length < 1 || PairKeys.length > PAIR_KEYS_MAX)
    return false;
  return [PublicKey, ...PairKeys].every(
    (key) => typeof key === "string" && WIREGUARD_KEY.test(key),
  );
}

/** The scheduler counts with them: what is malformed must not get that far. */
function isGenericList(value: unknown): boolean {
  if (value === undefined) return true;
  return Array.isArray(value) && value.length <= GENERIC_MAX && value.every(isGeneric);
}

function isGeneric(value: Partial<Record<string, { Kind?: unknown; Value?: unknown }>>): boolean {
  const { DiscreteResourceSpec: amount, NamedResourceSpec: named } = value ?? {};
  if (typeof (amount ?? named)?.Kind !== "string") return false;
  return amount === undefined ? typeof named?.Value === "string" : isCount(amount.Value);
}

/**
 * An agent that was restarted does not know of the node's tunnel yet; what others know of it stays, or they would break its sessions off.
 */
export function withKnownTunnel(
  description: NodeDescription,
  known: NodeDescription | undefined,
): NodeDescription {
  const tunnel = description.Tunnel ?? known?.Tunnel;
  return tunnel === undefined ? description : { ...description, Tunnel: tunnel };
}

function malformed(text: string, cause?: unknown): ApiError {
  return new ApiError("InvalidArgument", `node description ${text}`, { cause });
}
