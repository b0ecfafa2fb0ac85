/**
 * Published ports of this node's own tasks, each of which gets a relay from IPv6 to IPv4. The relay takes a connection only where the task
 * itself has no socket for it: the packet decides (see the ruleset `task-ingress`), so that no moment is missed.
 */
import type { NetworkState } from "./network-state.js";

/** Of one task; more published ports than these are not relayed. */
export const TASK_PROXIES_MAX = 64;

export type ProxiedProtocol = "tcp" | "udp";

/** What a relay of one port is for. */
export type WantedProxy = {
  readonly containerId: string;
  /** Path of its namespace. */
  readonly netnsPath: string;
  readonly taskId: string;
  readonly serviceId: string;
  readonly protocol: ProxiedProtocol;
  readonly targetPort: number;
  /** On ingress. */
  readonly address: string;
  readonly address6: string;
};

/** A relay that listens in a container, at its IPv6 address on ingress. */
export type Proxy6 = {
  readonly protocol: ProxiedProtocol;
  readonly targetPort: number;
  /** Where it listens. */
  readonly port: number;
};

/** A container with a namespace, and whose it is. */
export type ProxiedContainer = Pick<WantedProxy, "containerId" | "netnsPath" | "taskId">;

/** SCTP has no relay: Node has no such sockets. */
export function wantedProxies(
  state: NetworkState,
  containers: readonly ProxiedContainer[],
): readonly WantedProxy[] {
  const ingress = state.networks.find(({ isIngress }) => isIngress)?.id;
  if (ingress === undefined || containers.length === 0) return [];
  const byTask = new Map(containers.map((container) => [container.taskId, container]));
  const services = new Map(
    state.services
      .filter(({ networkId }) => networkId === ingress)
      .map((service) => [service.serviceId, service]),
  );
  return state.endpoints.flatMap((endpoint) => {
    const container = byTask.get(endpoint.taskId);
    const isHere = endpoint.networkId === ingress && endpoint.nodeId === state.nodeId;
    if (!isHere || container === undefined) return [];
    const { taskId, serviceId, address, address6 } = endpoint;
    if (address === "" || address6 === "") return [];
    const targets = new Map<string, Pick<WantedProxy, "protocol" | "targetPort">>();
    for (const { protocol, targetPort } of services.get(serviceId)?.ports ?? []) {
      if (protocol !== "sctp") targets.set(`${protocol} ${targetPort}`, { protocol, targetPort });
    }
    return [...targets.values()]
      .slice(0, TASK_PROXIES_MAX)
      .map((target) => ({ ...container, ...target, taskId, serviceId, address, address6 }));
  });
}
