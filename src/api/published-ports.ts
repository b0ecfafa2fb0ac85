/** Published ports over the life of a service. Apply and the allocator must agree on them, so they stand below both. */
import type { PortConfig } from "./spec.js";

/**
 * The ports of a spec with what their predecessors were given: an ingress port left open keeps its number while name, protocol and
 * target stay the same. No port of `previous` is used twice. Host-mode ports left open are the nodes' choice and stay open.
 */
export function keptPorts(
  wanted: readonly PortConfig[],
  previous: readonly PortConfig[],
): readonly PortConfig[] {
  const explicit = new Set(wanted.filter((port) => port.PublishedPort).map(portKey));
  const left = previous.filter(
    (port) => port.PublishMode === "ingress" && port.PublishedPort && !explicit.has(portKey(port)),
  );
  return wanted.map((port) => {
    if (!isOpenPort(port)) return port;
    const at = left.findIndex(
      (old) =>
        old.Name === port.Name &&
        old.Protocol === port.Protocol &&
        old.TargetPort === port.TargetPort,
    );
    const [old] = at < 0 ? [] : left.splice(at, 1);
    return old?.PublishedPort === undefined ? port : { ...port, PublishedPort: old.PublishedPort };
  });
}

/** An ingress port whose number the cluster chooses. */
export function isOpenPort(port: PortConfig): boolean {
  return port.PublishMode === "ingress" && !port.PublishedPort;
}

/** "tcp/8080": what two services cannot both have on every node. */
export function portKey(port: PortConfig): string {
  return `${port.Protocol}/${port.PublishedPort ?? 0}`;
}
