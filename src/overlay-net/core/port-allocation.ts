/** Published ports of services (spec §6.1). Which of them stay over an update: `keptPorts` of src/api. */
import { isOpenPort, type PortConfig, type PortProtocol, portKey } from "../../api/index.js";
import { tunnelPort } from "./wireguard/tunnel-address.js";

/** Ingress ports that the user left open come from here. */
export const PUBLISHED_PORT_MIN = 30_000;
export const PUBLISHED_PORT_MAX = 32_767;
/** All gRPC between nodes. */
export const CLUSTER_PORT = 2377;

export type AllocatedPorts =
  | { readonly kind: "allocated"; readonly ports: readonly PortConfig[] }
  | { readonly kind: "exhausted"; readonly reason: string };

/** Fills in the ingress ports left open, lowest free number first. `isFree` knows of all services and modes. */
export function allocatePorts(
  ports: readonly PortConfig[],
  isFree: (protocol: PortProtocol, port: number) => boolean,
): AllocatedPorts {
  const own = new Set(ports.filter((port) => port.PublishedPort).map(portKey));
  const filled: PortConfig[] = [];
  for (const port of ports) {
    if (!isOpenPort(port)) {
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

/** Why no service may publish this port on every node, or undefined. */
export function reservedPort(
  protocol: PortProtocol,
  port: number,
  dataPathPort: number,
): string | undefined {
  if (protocol === "tcp" && port === CLUSTER_PORT)
    return `port ${port}/tcp is where the cluster's nodes talk to each other`;
  if (protocol === "udp" && port !== 0 && port === dataPathPort)
    return `port ${port}/udp is the cluster's data path port (VXLAN)`;
  if (protocol === "udp" && port !== 0 && port === tunnelPort(dataPathPort))
    return `port ${port}/udp is where encrypted networks go (WireGuard)`;
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
