/**
 * network.connect and network.disconnect: a container that runs gets one more network, and leaves it again (docs/adr/0018). The connection
 * is a task of no service, an attachment, that lives and ends on the container's node.
 */
import {
  containerTaskOf,
  internSpec,
  isEncrypted,
  type Network,
  type Operation,
  type Precondition,
  TASK_STATE,
  type Task,
  type TaskSpec,
} from "../../api/index.js";
import {
  ApiError,
  cidrsOverlap,
  doorError,
  formatIp,
  parseCidr,
  parseIp,
} from "../../base/index.js";
import { isHostAddress } from "../../overlay-net/core/index.js";
import type { StoreView } from "../../store/index.js";
import { bridgeInTheWay } from "../core/index.js";
import { taskOfNoService } from "./container-operations.js";
import { notSupported } from "./field-types.js";
import { invalid } from "./invalid.js";
import { checkAliases, NETWORKS_MAX } from "./network-targets.js";
import { type Call, type Outcome, runOperation } from "./run-operation.js";
import type { ServiceDeps } from "./service-operations.js";

type OperationOf<K extends Operation["kind"]> = Extract<Operation, { kind: K }>;

/** Rejects with ApiError in the Engine's words: NotFound, PermissionDenied, AlreadyExists, InvalidArgument, FailedPrecondition. */
export async function connectContainer(
  deps: ServiceDeps,
  operation: OperationOf<"network.connect">,
  call: Call,
): Promise<Outcome<"network.connect">> {
  const { store, capabilities } = deps;
  const { taskId, nodeId, containerName: name } = operation;
  // The node asked before, and did not hear the answer.
  const made = store.task(taskId);
  if (made && containerTaskOf(made) === operation.containerTaskId)
    return {
      index: made.versionIndex,
      result: { networkId: made.spec.Networks?.[0]?.Target ?? "" },
    };
  return runOperation<"network.connect">(deps, call, () => {
    if (!capabilities.has("overlay"))
      throw notSupported("Networks", { operation: "network connect", capabilities });
    const network = findNetwork(store, operation.network);
    if (network.spec.Attachable !== true)
      throw new ApiError(
        "PermissionDenied",
        `network ${network.spec.Name} not manually attachable`,
      );
    const container = runningContainer(store, operation);
    const attachments = attachmentsOf(store, container);
    checkNotConnected(container, attachments, network, name);
    checkRoom(container, attachments, network, store);
    checkAliases({ Target: network.id, Aliases: operation.aliases }, network.spec.Name);
    const addresses = checkedAddresses(operation.addresses, network);
    const spec = internSpec<TaskSpec>({
      ContainerSpec: { Image: container.spec.ContainerSpec.Image },
      NetworkAttachmentSpec: { ContainerID: operation.containerId, TaskID: container.id },
      Networks: [
        {
          Target: network.id,
          ...(operation.aliases.length > 0 && { Aliases: operation.aliases }),
          ...(addresses.length > 0 && { Addresses: addresses }),
        },
      ],
      ForceUpdate: 0,
      Runtime: "attachment",
    });
    const task = taskOfNoService({ taskId, nodeId, name }, spec, deps.clock.wallMs());
    return {
      preconditions: [
        { kind: "absent", table: "task", id: taskId },
        { kind: "exists", table: "task", id: container.id },
        { kind: "exists", table: "node", id: nodeId },
        { kind: "exists", table: "network", id: network.id },
        ...addresses.map(
          (address): Precondition => ({
            kind: "addressFree",
            networkId: network.id,
            address,
            exceptId: taskId,
          }),
        ),
      ],
      changes: [{ kind: "putTask", task }],
      result: { networkId: network.id },
    };
  });
}

export function disconnectContainer(
  deps: ServiceDeps,
  { nodeId, container: reference, network: wanted }: OperationOf<"network.disconnect">,
  call: Call,
): Promise<Outcome<"network.disconnect">> {
  const { store } = deps;
  return runOperation<"network.disconnect">(deps, call, () => {
    const network = findNetwork(store, wanted);
    const here = store.tasksByNode(nodeId);
    const found = here.filter(
      (task) => isConnection(task) && isOn(task, network) && isOfContainer(task, reference),
    );
    const [first] = found;
    if (first === undefined) throw notConnected(here, reference, network);
    return {
      preconditions: [{ kind: "exists", table: "task", id: first.id }],
      changes: found.map(({ id: taskId }) => ({
        kind: "taskDesired",
        taskId,
        desiredState: TASK_STATE.remove,
      })),
      result: { taskIds: found.map(({ id }) => id) },
    };
  });
}

/** By id, name or unique beginning of an id. */
function findNetwork(store: StoreView, reference: string): Network {
  const exact = store.network(reference) ?? store.networkByName(reference);
  if (exact) return exact;
  const found = store.networks().filter(({ id }) => reference !== "" && id.startsWith(reference));
  const [first] = found;
  if (first === undefined) throw doorError("NotFound", `network ${reference} not found`);
  if (found.length > 1)
    throw doorError(
      "InvalidArgument",
      `network ${reference} is ambiguous (${found.length} matches found)`,
    );
  return first;
}

/** Only the container's own node may ask. */
function runningContainer(
  store: StoreView,
  { containerTaskId, containerName, nodeId }: OperationOf<"network.connect">,
): Task {
  const task = store.task(containerTaskId);
  if (!task || task.nodeId !== nodeId || containerTaskOf(task) !== undefined)
    throw doorError("NotFound", `No such container: ${containerName}`);
  if (task.state >= TASK_STATE.complete || task.desiredState >= TASK_STATE.shutdown)
    throw doorError("FailedPrecondition", `container ${containerName} is not running`, {
      http: 409,
    });
  return task;
}

/** Those that are not told to end. */
function attachmentsOf(store: StoreView, container: Task): readonly Task[] {
  return store
    .tasksByNode(container.nodeId)
    .filter((task) => containerTaskOf(task) === container.id && isConnection(task));
}

function isConnection(task: Task): boolean {
  return (
    containerTaskOf(task) !== undefined &&
    task.desiredState < TASK_STATE.shutdown &&
    task.state < TASK_STATE.complete
  );
}

function isOn({ spec, networks }: Task, { id }: Network): boolean {
  return (
    networks.some(({ networkId }) => networkId === id) ||
    spec.Networks?.some(({ Target }) => Target === id) === true
  );
}

function isOfContainer({ id, serviceName, spec }: Task, reference: string): boolean {
  const { TaskID, ContainerID } = spec.NetworkAttachmentSpec ?? { TaskID: "", ContainerID: "" };
  return (
    id === reference ||
    TaskID === reference ||
    serviceName === reference ||
    (reference !== "" && ContainerID.startsWith(reference))
  );
}

function checkNotConnected(
  container: Task,
  attachments: readonly Task[],
  network: Network,
  name: string,
): void {
  if ([container, ...attachments].some((task) => isOn(task, network)))
    throw doorError("AlreadyExists", `${name} is already attached to network ${network.spec.Name}`);
}

/** What a scheduler would look for, and what the container's own networks leave free. */
function checkRoom(
  container: Task,
  attachments: readonly Task[],
  { spec, subnets }: Network,
  store: StoreView,
): void {
  const { Name } = spec;
  const node = store.node(container.nodeId);
  const others = [container, ...attachments].flatMap(({ networks }) => networks);
  if (others.length >= NETWORKS_MAX)
    throw invalid(
      `a container can be on ${NETWORKS_MAX} networks, and this one is; disconnect one`,
    );
  if (isEncrypted(spec) && node?.description?.WireGuard === "none")
    throw new ApiError(
      "FailedPrecondition",
      `network ${Name} is encrypted, and node ${node.description.Hostname} has no WireGuard; install wireguard-tools there, and wireguard-go where the kernel has none`,
    );
  for (const { subnet } of subnets) {
    const found = node && bridgeInTheWay(subnet, [node]);
    if (found)
      throw new ApiError(
        "FailedPrecondition",
        `network ${Name} (${subnet}) overlaps ${found.bridge}, the bridge of node ${found.hostname}; start swarmd there with another --gwbridge-pool`,
      );
    for (const { networkId } of others) {
      const other = store.network(networkId);
      const clash = other?.subnets.find((one) => overlap(one.subnet, subnet));
      if (clash)
        throw new ApiError(
          "FailedPrecondition",
          `network ${Name} (${subnet}) overlaps network ${other?.spec.Name ?? networkId} (${clash.subnet}), which the container is on`,
        );
    }
  }
}

function overlap(a: string, b: string): boolean {
  const [one, other] = [parseCidr(a), parseCidr(b)];
  return one !== undefined && other !== undefined && cidrsOverlap(one, other);
}

/** In canonical form. */
function checkedAddresses(texts: readonly string[], network: Network): readonly string[] {
  const { Name } = network.spec;
  const found = texts.map((text) => {
    const parsed = parseIp(text);
    if (parsed === undefined) throw invalidAtDoor(`invalid IP address: ${text}`);
    const address = formatIp(parsed);
    const subnets = network.subnets.map(({ subnet }) => subnet);
    if (subnets.length === 0)
      throw new ApiError(
        "FailedPrecondition",
        `network ${Name} has no subnet yet: address ${address} cannot be checked; try again in a moment`,
      );
    if (!subnets.some((one) => isHostOf(one, address)))
      throw invalidAtDoor(
        `no configured subnet contains IP address ${address}: network ${Name} has ${subnets.join(", ")}`,
      );
    return { family: parsed.family, address };
  });
  if (new Set(found.map(({ family }) => family)).size < found.length)
    throw invalidAtDoor("one address of each family can be chosen");
  return found.map(({ address }) => address);
}

function isHostOf(subnet: string, address: string): boolean {
  const cidr = parseCidr(subnet);
  return cidr !== undefined && isHostAddress(cidr, address);
}

function invalidAtDoor(message: string): ApiError {
  return doorError("InvalidArgument", message);
}

function leaving({ spec: { Name, Ingress } }: Network, { serviceName }: Task): string {
  return Ingress === true
    ? `swarm service update --publish-rm PORT ${serviceName} takes its ports off`
    : `swarm service update --network-rm ${Name} ${serviceName} takes it off`;
}

/** The Engine answers 500 for it, and documents 403 for networks of a cluster. What a container has had from its start stays with it. */
function notConnected(here: readonly Task[], reference: string, network: Network): ApiError {
  const { Name } = network.spec;
  const container = here.find(
    (task) =>
      // What it was connected to has its container's id.
      containerTaskOf(task) === undefined && [task.id, task.containerId].includes(reference),
  );
  if (container && isOn(container, network))
    return doorError(
      "PermissionDenied",
      container.serviceId === ""
        ? `container ${container.serviceName} was started on network ${Name}, and leaves it with its end: swarm task rm ${container.serviceName}`
        : `service ${container.serviceName} is on network ${Name}, and its containers with it: ${leaving(network, container)}`,
    );
  const text = `container ${reference} is not connected to network ${Name}`;
  return doorError("NotFound", text, { http: 500 });
}
