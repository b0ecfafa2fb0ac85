/** From stored objects to what the managers tell one node about its networks. Each entry is a function of one object. */
import {
  isEncrypted,
  NETWORK_PHASE,
  type Network,
  type Node,
  prefersLocal,
  type Service,
  type Subnet,
  TASK_STATE,
  type Task,
} from "../../api/index.js";
import type { StoreView } from "../../store/index.js";
import { isIpv6 } from "./address-text.js";
import type {
  EndpointEntry,
  NetworkEntry,
  NetworkState,
  NodeEntry,
  ServiceEntry,
} from "./network-state.js";

const NS_PER_MS = 1e6;
const NO_SUBNET: Subnet = { subnet: "", gateway: "", ipRange: "" };

/** What one node needs: the networks of its tasks and ingress, with all that is on them, and every member node. */
export function networkStateFor(view: StoreView, nodeId: string): NetworkState {
  const wanted = networksOf(view, nodeId);
  const isWanted = ({ networkId }: { readonly networkId: string }) => wanted.has(networkId);
  return {
    index: view.index,
    nodeId,
    dataPathPort: view.cluster()?.dataPathPort ?? 0,
    networks: view.networks().flatMap((network) => {
      const entry = wanted.has(network.id) ? networkEntry(network) : undefined;
      return entry === undefined ? [] : [entry];
    }),
    endpoints: view.tasks().flatMap((task) => endpointEntries(task).filter(isWanted)),
    services: view
      .services()
      .flatMap((service) => serviceEntries(service, ingressOf(view)?.id).filter(isWanted)),
    nodes: view.nodes().flatMap((node) => nodeEntry(node) ?? []),
  };
}

/** Allocated networks alone: one that was deleted under its last, stopping tasks is nobody's any more. */
export function networksOf(view: StoreView, nodeId: string): ReadonlySet<string> {
  const entries = view.tasksByNode(nodeId).flatMap(endpointEntries);
  const ids = new Set(entries.map(({ networkId }) => networkId));
  const ingress = ingressOf(view);
  const own = [...ids].filter((id) => (view.network(id)?.vni ?? 0) > 0);
  return new Set([...own, ...(ingress === undefined ? [] : [ingress.id])]);
}

export function ingressOf(view: StoreView): Network | undefined {
  return view.networks().find((network) => network.spec.Ingress === true && network.vni > 0);
}

/** undefined while nothing is allocated. */
export function networkEntry({ id, spec, vni, subnets, mtu }: Network): NetworkEntry | undefined {
  if (vni === 0) return undefined;
  const v4 = subnets.find(({ subnet }) => !isIpv6(subnet)) ?? NO_SUBNET;
  const v6 = subnets.find(({ subnet }) => isIpv6(subnet)) ?? NO_SUBNET;
  return {
    id,
    name: spec.Name,
    vni,
    subnet: v4.subnet,
    subnet6: v6.subnet,
    gateway: v4.gateway,
    gateway6: v6.gateway,
    mtu,
    isInternal: spec.Internal === true,
    isIngress: spec.Ingress === true,
    isEncrypted: isEncrypted(spec),
  };
}

/** A task has endpoints from its assignment on, while its image is still pulled, until it has ended (contracts §7). */
export function endpointEntries(task: Task): readonly EndpointEntry[] {
  // Of a global service it has its node before that.
  if (task.nodeId === "" || task.state < TASK_STATE.assigned) return [];
  if (task.state >= TASK_STATE.complete) return [];
  const { id: taskId, nodeId, serviceId, serviceName, slot, containerId } = task;
  const isBackend =
    task.state === TASK_STATE.running &&
    task.desiredState === TASK_STATE.running &&
    task.networkPhase === NETWORK_PHASE.announced;
  const taskName =
    serviceId === "" ? serviceName : `${serviceName}.${slot === 0 ? nodeId : slot}.${taskId}`;
  const common = { taskId, nodeId, serviceId, taskName, containerId, isBackend };
  return task.networks.map((network) => ({ ...common, ...network }));
}

/** One per network of the service's template, and ingress when it publishes there. */
export function serviceEntries(
  service: Service,
  ingressId: string | undefined,
): readonly ServiceEntry[] {
  const { id: serviceId, spec } = service;
  const mode = spec.EndpointSpec?.Mode ?? "vip";
  const drainTime = spec.EndpointSpec?.DrainTime;
  const published = service.ports.flatMap((port) =>
    port.PublishMode !== "ingress" || port.PublishedPort === undefined
      ? []
      : [
          {
            protocol: port.Protocol,
            publishedPort: port.PublishedPort,
            targetPort: port.TargetPort,
            name: port.Name ?? "",
          },
        ],
  );
  const entry = (networkId: string, aliases: readonly string[]): ServiceEntry => {
    const vip = service.vips.find((one) => one.networkId === networkId);
    return {
      serviceId,
      name: spec.Name,
      networkId,
      mode,
      vip: vip?.address ?? "",
      vip6: vip?.address6 ?? "",
      aliases,
      ports: published,
      prefersLocal: prefersLocal(spec.EndpointSpec),
      ...(drainTime !== undefined && { drainMs: drainTime / NS_PER_MS }),
    };
  };
  const targets = spec.TaskTemplate.Networks ?? [];
  const isOnIngress = ingressId !== undefined && published.length > 0;
  return [
    ...targets.map(({ Target, Aliases }) => entry(Target, Aliases ?? [])),
    ...(isOnIngress ? [entry(ingressId, [])] : []),
  ];
}

/** Where a node's VXLAN packets go to and come from; "" while that is not known. */
export function dataPathAddrOf({ addr, description }: Pick<Node, "addr" | "description">): string {
  return description?.DataPathAddr ?? addr;
}

/** undefined until the node has an index and an address. */
export function nodeEntry({
  id,
  nodeIndex,
  addr,
  description,
  state,
}: Node): NodeEntry | undefined {
  if (nodeIndex === 0 || addr === "") return undefined;
  const dataPathAddr = dataPathAddrOf({ addr, description });
  const entry = { nodeId: id, index: nodeIndex, dataPathAddr, isDown: state === "down" };
  const tunnel = description?.Tunnel;
  if (tunnel === undefined) return entry;
  return { ...entry, tunnel: { publicKey: tunnel.PublicKey, pairKeys: tunnel.PairKeys } };
}
