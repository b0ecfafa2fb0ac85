import type { LocalFacts } from "./local-facts.js";
import type { NodeNames } from "./names.js";
import type {
  EndpointEntry,
  NetworkEntry,
  NetworkState,
  NodeEntry,
  ServiceEntry,
} from "./network-state.js";

/** All that the desired state of a node is made of. */
export type DesiredInput = {
  readonly state: NetworkState;
  readonly names: NodeNames;
  readonly local: LocalFacts;
};

/** A state does not change: its lookup is made once, however often containers come and go meanwhile. */
const lookups = new WeakMap<NetworkState, ClusterLookup>();

/** A NetworkState by its keys: one pass over each list, so that a node's desired state costs no more than its size. */
export class ClusterLookup {
  readonly state: NetworkState;
  readonly ingress: NetworkEntry | undefined;
  readonly #networks: ReadonlyMap<string, NetworkEntry>;
  readonly #nodes: ReadonlyMap<string, NodeEntry>;
  readonly #endpoints = new Map<string, EndpointEntry[]>();
  readonly #byTask = new Map<string, EndpointEntry>();
  readonly #backends = new Map<string, EndpointEntry[]>();
  readonly #services = new Map<string, ServiceEntry[]>();

  static of(state: NetworkState): ClusterLookup {
    const known = lookups.get(state);
    if (known !== undefined) return known;
    const made = new ClusterLookup(state);
    lookups.set(state, made);
    return made;
  }

  private constructor(state: NetworkState) {
    this.state = state;
    this.ingress = state.networks.find(({ isIngress }) => isIngress);
    this.#networks = new Map(state.networks.map((network) => [network.id, network]));
    this.#nodes = new Map(state.nodes.map((node) => [node.nodeId, node]));
    for (const endpoint of state.endpoints) {
      push(this.#endpoints, endpoint.networkId, endpoint);
      this.#byTask.set(`${endpoint.networkId} ${endpoint.taskId}`, endpoint);
      if (this.#takesConnections(endpoint)) {
        push(this.#backends, `${endpoint.networkId} ${endpoint.serviceId}`, endpoint);
      }
    }
    for (const service of state.services) push(this.#services, service.networkId, service);
  }

  /** This node's own entry, if the managers know it already. */
  get self(): NodeEntry | undefined {
    return this.#nodes.get(this.state.nodeId);
  }

  network(id: string): NetworkEntry | undefined {
    return this.#networks.get(id);
  }

  node(id: string): NodeEntry | undefined {
    return this.#nodes.get(id);
  }

  endpoint(networkId: string, taskId: string): EndpointEntry | undefined {
    return taskId === "" ? undefined : this.#byTask.get(`${networkId} ${taskId}`);
  }

  endpointsOn(networkId: string): readonly EndpointEntry[] {
    return this.#endpoints.get(networkId) ?? [];
  }

  servicesOn(networkId: string): readonly ServiceEntry[] {
    return this.#services.get(networkId) ?? [];
  }

  service(networkId: string, serviceId: string): ServiceEntry | undefined {
    return this.servicesOn(networkId).find((service) => service.serviceId === serviceId);
  }

  /** Where new connections to a service may go on one network. */
  backends(networkId: string, serviceId: string): readonly EndpointEntry[] {
    return this.#backends.get(`${networkId} ${serviceId}`) ?? [];
  }

  /** A down node's endpoints take none, though it may come back and its addresses stay known. */
  #takesConnections(endpoint: EndpointEntry): boolean {
    const isDown = this.#nodes.get(endpoint.nodeId)?.isDown ?? true;
    const isNamed = endpoint.serviceId !== "";
    return isNamed && endpoint.isBackend && !isDown;
  }
}

/** The addresses of one family, those that have none left out. */
export function addressesOf(
  endpoints: readonly EndpointEntry[],
  family: "address" | "address6",
): readonly string[] {
  return endpoints.map((endpoint) => endpoint[family]).filter((address) => address !== "");
}

function push<T>(map: Map<string, T[]>, key: string, value: T): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}
