import type { PortConfig, PortProtocol, Service } from "../api/index.js";

type PublishMode = PortConfig["PublishMode"];

/** Which services publish which port, so that a claim costs no walk over all services. */
export class PortIndex {
  /** "tcp/8080" → service id → modes. */
  readonly #owners = new Map<string, Map<string, Set<PublishMode>>>();

  /** Ids, in order, of the services whose use of the port excludes this one. Host beside host is fine: nodes differ. */
  conflicts(
    protocol: PortProtocol,
    publishedPort: number,
    mode: PublishMode,
    exceptServiceId: string,
  ): readonly string[] {
    const found: string[] = [];
    for (const [serviceId, modes] of this.#owners.get(`${protocol}/${publishedPort}`) ?? [])
      if (serviceId !== exceptServiceId && (mode === "ingress" || modes.has("ingress")))
        found.push(serviceId);
    return found.sort();
  }

  add(service: Service): void {
    for (const [key, mode] of claims(service)) {
      let owners = this.#owners.get(key);
      if (!owners) {
        owners = new Map();
        this.#owners.set(key, owners);
      }
      owners.set(service.id, (owners.get(service.id) ?? new Set()).add(mode));
    }
  }

  /** `service` as it was added. */
  remove(service: Service): void {
    for (const [key] of claims(service)) {
      const owners = this.#owners.get(key);
      owners?.delete(service.id);
      if (owners?.size === 0) this.#owners.delete(key);
    }
  }
}

/** What is asked for and what was allocated; a published port of 0 is left to the system and claims nothing yet. */
function claims(service: Service): [key: string, mode: PublishMode][] {
  const ports = [...(service.spec.EndpointSpec?.Ports ?? []), ...service.ports];
  return ports
    .filter((port) => port.PublishedPort)
    .map((port) => [`${port.Protocol}/${port.PublishedPort}`, port.PublishMode]);
}
