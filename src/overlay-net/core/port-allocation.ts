/** Published ports of services: which are given out, and which stay over an update (spec §6.1). */
import type { PortConfig, PortProtocol } from "../../api/index.js";

/** Ingress ports that the user left open come from here. */
export const PUBLISHED_PORT_MIN = 30_000;
export const PUBLISHED_PORT_MAX = 32_767;
/** All gRPC between nodes. */
export const CLUSTER_PORT = 2377;

export type AllocatedPorts =
  | { readonly kind: "allocated"; readonly ports: readonly PortConfig[] }
  | { readonly kind: "exhausted"; readonly reason: string };

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
    if (!isOpen(port)) return port;
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

/** Fills in the ingress ports left open, lowest free number first. `isFree` knows of all services and modes. */
export function allocatePorts(
  ports: readonly PortConfig[],
  isFree: (protocol: PortProtocol, port: number) => boolean,
): AllocatedPorts {
  const own = new Set(ports.filter((port) => port.PublishedPort).map(portKey));
  const filled: PortConfig[] = [];
  for (const port of ports) {
    if (!isOpen(port)) {
      filled.push(port);
      continue;
    }
    const number = lowestFree(port.Protocol, own, isFree);
    if (number === undefined) {
      const range = `${PUBLISHED_PORT_MIN}–${PUBLISHED_PORT_MAX}`;
      return {
        kind: "exhausted",
        reason: `no free published port for ${port.TargetPort}/${port.Protocol}: ${range} are all in use`,
      };
    }
    const given = { ...port, PublishedPort: number };
    own.add(portKey(given));
    filled.push(given);
  }
  return { kind: "allocated", ports: filled };
}

/** Whether some ingress port still has no number. */
export function hasOpenPorts(ports: readonly PortConfig[]): boolean {
  return ports.some(isOpen);
}

/** Why no service may publish this port on every node, or undefined. */
export function reservedPort(
  protocol: PortProtocol,
  port: number,
  dataPathPort: number,
): string | undefined {
  if (protocol === "tcp" && port === CLUSTER_PORT)
    return `port ${port}/tcp is where the cluster's nodes talk to each other`;
  if (protocol === "udp" && port === dataPathPort)
    return `port ${port}/udp is the cluster's data path port (VXLAN)`;
  return undefined;
}

function lowestFree(
  protocol: PortProtocol,
  own: ReadonlySet<string>,
  isFree: (protocol: PortProtocol, port: number) => boolean,
): number | undefined {
  for (let port = PUBLISHED_PORT_MIN; port <= PUBLISHED_PORT_MAX; port++)
    if (!own.has(`${protocol}/${port}`) && isFree(protocol, port)) return port;
  return undefined;
}

function isOpen(port: PortConfig): boolean {
  return port.PublishMode === "ingress" && !port.PublishedPort;
}

function portKey(port: PortConfig): string {
  return `${port.Protocol}/${port.PublishedPort ?? 0}`;
}
