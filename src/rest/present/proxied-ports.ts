import type { Node, PortConfig, Service } from "../../api/index.js";

/** Tasks whose node passes on to IPv4 what comes over IPv6, by service, protocol and target port. */
export type ProxiedTasks = ReadonlyMap<string, readonly string[]>;

export function proxiedTasks(nodes: readonly Node[]): ProxiedTasks {
  const tasks = new Map<string, string[]>();
  for (const { description, state } of nodes) {
    if (state !== "ready") continue;
    for (const { ServiceID, TaskID, Protocol, TargetPort } of description?.Proxied6 ?? []) {
      const key = keyOf(ServiceID, Protocol, TargetPort);
      tasks.set(key, [...(tasks.get(key) ?? []), TaskID].sort());
    }
  }
  return tasks;
}

/**
 * Extension: `ProxiedIPv6Tasks` of a port published on every node names the tasks that take IPv4 alone, and so do not see the addresses
 * of clients on IPv6.
 */
export function presentPorts(
  { id, ports }: Service,
  proxied: ProxiedTasks = new Map(),
): readonly (PortConfig & { readonly ProxiedIPv6Tasks?: readonly string[] })[] {
  return ports.map((port) => {
    const tasks = proxied.get(keyOf(id, port.Protocol, port.TargetPort));
    return tasks === undefined || port.PublishMode !== "ingress"
      ? port
      : { ...port, ProxiedIPv6Tasks: tasks };
  });
}

function keyOf(serviceId: string, protocol: string, targetPort: number): string {
  return `${serviceId} ${protocol} ${targetPort}`;
}
