/** Names of each network as its containers see them: a function of what the managers told this node (spec §6.3). */
import {
  type AddressBytes,
  addressBytes,
  type PrefixBytes,
  prefixBytes,
  reverseName,
} from "./dns-address.js";
import type {
  EndpointEntry,
  NetworkEntry,
  NetworkState,
  PublishedPort,
  ServiceEntry,
} from "./network-state.js";

/** A VIP outlives the tasks behind it. */
export const VIP_TTL_SEC = 5;
/** A planned stop drains for at most 2 s after the endpoint left the answers: nobody may remember it for longer. */
export const TASK_TTL_SEC = 2;
/** Characters of a container's id that serve as its name. */
const SHORT_ID_LENGTH = 12;
/** RFC 1035 §2.3.4. */
const NAME_MAX_BYTES = 253;
const LABEL = String.raw`[!-\-/-~]{1,63}`;
const DNS_NAME = new RegExp(`^${LABEL}(\\.${LABEL})*$`);

export type NameRecord = {
  /** In wire form, each once. Both empty: the name exists and nothing answers there now. */
  readonly v4: readonly AddressBytes[];
  readonly v6: readonly AddressBytes[];
  readonly ttlSec: number;
};

/** One backend behind a named port. */
export type SrvTarget = {
  readonly port: number;
  /** Task name with its network: resolvable from any network of the asker. */
  readonly name: string;
  readonly v4: AddressBytes | undefined;
  readonly v6: AddressBytes | undefined;
};

/** Keys are lower case, without trailing dot and without the network's name. */
export type NetworkNames = {
  readonly id: string;
  /** Lower case. */
  readonly name: string;
  readonly isIngress: boolean;
  readonly prefixes: readonly PrefixBytes[];
  readonly names: ReadonlyMap<string, NameRecord>;
  /** `_port._proto.service` */
  readonly srv: ReadonlyMap<string, readonly SrvTarget[]>;
  /** Name under in-addr.arpa or ip6.arpa → name. */
  readonly reverse: ReadonlyMap<string, string>;
};

/** Facts that the names of one network follow from. */
export type NamesInput = {
  readonly network: NetworkEntry;
  readonly endpoints: readonly EndpointEntry[];
  readonly services: readonly ServiceEntry[];
  /** By service id. Only the ingress entry of a service carries its ports; their names hold on all its networks. */
  readonly namedPorts: ReadonlyMap<string, readonly PublishedPort[]>;
  readonly downNodes: ReadonlySet<string>;
};

/** Names of every network, each derived when it is first asked for and kept while nothing it follows from has changed. */
export class DnsTables {
  #inputs = new Map<string, NamesInput>();
  #names = new Map<string, NetworkNames>();
  #version = 0;

  /** Grows with every update: what was derived from an older version may be stale. */
  get version(): number {
    return this.#version;
  }

  update(state: NetworkState): void {
    const inputs = inputsOf(state);
    for (const [id, input] of inputs) {
      const before = this.#inputs.get(id);
      if (before === undefined || !isSameInput(before, input)) this.#names.delete(id);
    }
    for (const id of this.#inputs.keys()) if (!inputs.has(id)) this.#names.delete(id);
    this.#inputs = inputs;
    this.#version += 1;
  }

  namesOf(networkId: string): NetworkNames | undefined {
    const known = this.#names.get(networkId);
    if (known !== undefined) return known;
    const input = this.#inputs.get(networkId);
    if (input === undefined) return undefined;
    const names = deriveNames(input);
    this.#names.set(networkId, names);
    return names;
  }
}

function inputsOf(state: NetworkState): Map<string, NamesInput> {
  const downNodes = new Set(state.nodes.filter((node) => node.isDown).map((node) => node.nodeId));
  const namedPorts = namedPortsOf(state.services);
  const endpoints = groupBy(state.endpoints, (endpoint) => endpoint.networkId);
  const services = groupBy(state.services, (service) => service.networkId);
  return new Map(
    state.networks.map((network) => [
      network.id,
      {
        network,
        endpoints: endpoints.get(network.id) ?? [],
        services: services.get(network.id) ?? [],
        namedPorts,
        downNodes,
      },
    ]),
  );
}

function groupBy<Item>(items: readonly Item[], keyOf: (item: Item) => string): Map<string, Item[]> {
  const groups = new Map<string, Item[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}

function namedPortsOf(services: readonly ServiceEntry[]): Map<string, PublishedPort[]> {
  const named = new Map<string, PublishedPort[]>();
  for (const service of services) {
    const ports = service.ports.filter((port) => port.name !== "");
    if (ports.length === 0) continue;
    named.set(service.serviceId, [...(named.get(service.serviceId) ?? []), ...ports]);
  }
  return named;
}

/** Entries that did not change are the same objects. */
function isSameInput(a: NamesInput, b: NamesInput): boolean {
  const portsOf = (input: NamesInput): PublishedPort[] =>
    input.services.flatMap((service) => input.namedPorts.get(service.serviceId) ?? []);
  return (
    a.network === b.network &&
    isSameList(a.endpoints, b.endpoints) &&
    isSameList(a.services, b.services) &&
    isSameList(portsOf(a), portsOf(b)) &&
    isSameList([...a.downNodes].sort(), [...b.downNodes].sort())
  );
}

function isSameList<Item>(a: readonly Item[], b: readonly Item[]): boolean {
  return a.length === b.length && a.every((item, i) => item === b[i]);
}

/** What follows from an entry alone. */
type ParsedEndpoint = {
  readonly v4: AddressBytes | undefined;
  readonly v6: AddressBytes | undefined;
  readonly names: readonly string[];
  readonly reverse: readonly string[];
};

type Endpoint = ParsedEndpoint & {
  readonly entry: EndpointEntry;
  /** New connections may go there. */
  readonly isUsable: boolean;
};

/** The names of one network. Pure; the same input gives the same names in the same order. */
export function deriveNames(input: NamesInput): NetworkNames {
  const { network } = input;
  const endpoints = input.endpoints.map((entry) => toEndpoint(entry, input.downNodes));
  const byService = groupBy(
    endpoints.filter((endpoint) => endpoint.entry.serviceId !== ""),
    (endpoint) => endpoint.entry.serviceId,
  );
  const builder = new NamesBuilder(network.name);
  for (const service of input.services) {
    const tasks = (byService.get(service.serviceId) ?? []).filter((task) => task.isUsable);
    builder.addService(service, tasks, input.namedPorts.get(service.serviceId) ?? []);
  }
  for (const endpoint of endpoints) builder.addEndpoint(endpoint);
  return {
    id: network.id,
    name: normalName(network.name),
    isIngress: network.isIngress,
    prefixes: [network.subnet, network.subnet6].flatMap((cidr) => prefixBytes(cidr) ?? []),
    names: builder.names,
    srv: builder.srv,
    reverse: builder.reverse,
  };
}

function toEndpoint(entry: EndpointEntry, downNodes: ReadonlySet<string>): Endpoint {
  const { v4, v6, names, reverse } = parsedOf(entry);
  return {
    entry,
    v4,
    v6,
    names,
    reverse,
    isUsable: entry.isBackend && !downNodes.has(entry.nodeId),
  };
}

/** One task that comes or goes derives its network anew; the other thousands are the same objects and are read once. */
const parsedEntries = new WeakMap<EndpointEntry, ParsedEndpoint>();

function parsedOf(entry: EndpointEntry): ParsedEndpoint {
  const known = parsedEntries.get(entry);
  if (known !== undefined) return known;
  const v4 = addressBytes(entry.address);
  const v6 = addressBytes(entry.address6);
  const shortId = entry.containerId.slice(0, SHORT_ID_LENGTH);
  const names = new Set([entry.taskName, shortId, ...entry.aliases].map(normalName));
  const parsed = { v4, v6, names: [...names], reverse: reverseNames(v4, v6) };
  parsedEntries.set(entry, parsed);
  return parsed;
}

function reverseNames(...addresses: (AddressBytes | undefined)[]): string[] {
  return addresses.flatMap((address) => (address === undefined ? [] : [reverseName(address)]));
}

type Draft = { v4: AddressBytes[]; v6: AddressBytes[]; ttlSec: number };
type Addresses = Pick<Endpoint, "v4" | "v6">;

class NamesBuilder {
  readonly names = new Map<string, Draft>();
  readonly srv = new Map<string, SrvTarget[]>();
  readonly reverse = new Map<string, string>();
  readonly #networkName: string;

  constructor(networkName: string) {
    this.#networkName = networkName;
  }

  /** Its names exist as long as it does, whether or not a task answers: a miss here would ask the world for them. */
  addService(
    service: ServiceEntry,
    tasks: readonly Endpoint[],
    ports: readonly PublishedPort[],
  ): void {
    const vip = { v4: addressBytes(service.vip), v6: addressBytes(service.vip6) };
    const isVip = service.mode === "vip";
    const targets = ports.length === 0 ? [] : tasks.map((task) => this.#target(task));
    for (const name of new Set([service.name, ...service.aliases].map(normalName))) {
      this.#add(name, isVip ? [vip] : tasks, isVip ? VIP_TTL_SEC : TASK_TTL_SEC);
      this.#add(`tasks.${name}`, tasks, TASK_TTL_SEC);
      for (const port of ports) {
        const key = normalName(`_${port.name}._${port.protocol}.${name}`);
        const list = this.srv.get(key) ?? [];
        for (const target of targets) {
          if (isDnsName(target.name)) list.push({ ...target, port: port.targetPort });
        }
        this.srv.set(key, list);
      }
    }
    if (isVip) this.#point(reverseNames(vip.v4, vip.v6), service.name, true);
  }

  addEndpoint(endpoint: Endpoint): void {
    const owners = endpoint.isUsable ? [endpoint] : [];
    for (const name of endpoint.names) this.#add(name, owners, TASK_TTL_SEC);
    // A task that drains still has connections, and logs ask for its name.
    this.#point(endpoint.reverse, endpoint.entry.taskName, endpoint.isUsable);
  }

  /** Several owners of one name share it: all their addresses are answered. */
  #add(name: string, owners: readonly Addresses[], ttlSec: number): void {
    if (name === "") return;
    const draft = this.names.get(name) ?? { v4: [], v6: [], ttlSec };
    draft.ttlSec = Math.min(draft.ttlSec, ttlSec);
    const isShared = draft.v4.length + draft.v6.length > 0;
    for (const { v4, v6 } of owners) {
      if (v4 !== undefined && !(isShared && hasAddress(draft.v4, v4))) draft.v4.push(v4);
      if (v6 !== undefined && !(isShared && hasAddress(draft.v6, v6))) draft.v6.push(v6);
    }
    this.names.set(name, draft);
  }

  /** An address that was given to somebody new belongs to whom one can connect to. */
  #point(reverse: readonly string[], name: string, isUsable: boolean): void {
    const target = this.#inNetwork(name);
    if (!isDnsName(target)) return;
    for (const key of reverse) {
      if (isUsable || !this.reverse.has(key)) this.reverse.set(key, target);
    }
  }

  #target({ entry, v4, v6 }: Endpoint): Omit<SrvTarget, "port"> {
    return { name: this.#inNetwork(entry.taskName), v4, v6 };
  }

  #inNetwork(name: string): string {
    return `${name}.${this.#networkName}`;
  }
}

function hasAddress(list: readonly AddressBytes[], address: AddressBytes): boolean {
  return list.some((other) => other.every((byte, i) => byte === address[i]));
}

/** Lower case, no trailing dot. */
export function normalName(name: string): string {
  return (name.endsWith(".") ? name.slice(0, -1) : name).toLowerCase();
}

/** Whether a message can carry the name: labels of 1–63 printable ASCII characters. */
function isDnsName(name: string): boolean {
  return name.length <= NAME_MAX_BYTES && DNS_NAME.test(name);
}
