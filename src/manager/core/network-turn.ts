/** What one turn of the allocator looks up and remembers: each thing once, and what it planned itself counts. */
import {
  type Change,
  isOpenPort,
  keptPorts,
  type Network,
  type Node,
  type PortConfig,
  type Precondition,
  portKey,
  type Service,
  sameSpec,
  TASK_STATE,
  type Task,
} from "../../api/index.js";
import { type Cidr, parseCidr } from "../../base/index.js";
import {
  dataPathAddrOf,
  nextMtu,
  type Others,
  planNetwork,
  reservedPort,
} from "../../overlay-net/core/index.js";
import { type AddressClaim, type StoreView } from "../../store/index.js";
import type { AddressBook, Addresses } from "./address-book.js";
import type { Lack } from "./allocator.js";
import { managersPort } from "./managers-port.js";
import { overlayTargets, wantsIngress } from "./network-needs.js";
import type { Plan } from "./plan.js";

/** Whether there was room for it; and what is lacking, when that is why nothing was planned. */
export type Planned = { readonly isPlanned: boolean; readonly lack?: Lack };

/** `couldRise`: the nodes carry more, but tasks are on the network. */
export type PlannedMtu = { readonly isPlanned: boolean; readonly couldRise: boolean };

const NO_NODE_YET: Lack = {
  reason: "the default address pools wait for the first node to tell its routes",
  retryAtMs: undefined,
};

export class NetworkTurn {
  readonly view: StoreView;
  readonly plan: Plan;
  readonly #book: AddressBook;
  /** Networks found full in this turn need not be asked again. */
  readonly #full = new Map<string, Addresses>();
  readonly #plannedSubnets: { readonly networkName: string; readonly cidr: Cidr }[] = [];
  readonly #plannedVnis = new Set<number>();
  #lastVni: number;
  #others: Omit<Others, "lastVni"> | undefined;
  #usedPorts: Set<string> | undefined;
  #managers: readonly Node[] | undefined;
  #ingress: Network | null | undefined;

  constructor(view: StoreView, plan: Plan, book: AddressBook, lastVni: number) {
    this.view = view;
    this.plan = plan;
    this.#book = book;
    this.#lastVni = lastVni;
  }

  get lastVni(): number {
    return this.#lastVni;
  }

  /** The network that published ports go through. */
  get ingress(): Network | undefined {
    this.#ingress ??= this.view.networks().find(({ spec }) => spec.Ingress === true) ?? null;
    return this.#ingress ?? undefined;
  }

  /** Ids of the networks that the service's tasks are on: as its template names them, ingress last. */
  networksOf(service: Service): readonly string[] {
    const targets = overlayTargets(service.spec.TaskTemplate);
    return wantsIngress(service) && this.ingress ? [...targets, this.ingress.id] : targets;
  }

  /** Whether the network has its subnets. */
  isReady(networkId: string): boolean {
    return this.#book.has(networkId);
  }

  /** `wanted`: addresses that somebody chose. */
  take(networkId: string, wanted: readonly string[] = []): Addresses {
    if (wanted.length > 0) return this.#book.take(networkId, this.plan.nowMs, wanted);
    const known = this.#full.get(networkId);
    if (known) return known;
    const addresses = this.#book.take(networkId, this.plan.nowMs);
    if (addresses.kind === "exhausted") this.#full.set(networkId, addresses);
    return addresses;
  }

  giveBack(addresses: Extract<Addresses, { kind: "taken" }>): void {
    this.#book.giveBack(addresses);
  }

  /** Plans a change together with the addresses it needs. */
  claim(
    claims: readonly (AddressClaim & { readonly exceptId: string })[],
    change: Change,
  ): boolean {
    const preconditions = claims.map((claim): Precondition => ({ kind: "addressFree", ...claim }));
    return this.plan.claim(preconditions, change);
  }

  /** Only overlay networks of the cluster: what a node has by itself has no VNI. */
  needsAllocation(network: Network): boolean {
    const { spec, predefined, vni } = network;
    return vni === 0 && spec.Driver === "overlay" && (!predefined || spec.Ingress === true);
  }

  planNetwork(network: Network): Planned {
    const { view, plan } = this;
    const cluster = view.cluster();
    if (!cluster) return { isPlanned: true };
    const { id, spec } = network;
    const isDescribed = view.nodes().some(({ description }) => description !== undefined);
    const hasOwn = (spec.IPAM?.Config ?? []).some(
      (one) => parseCidr(one.Subnet ?? "")?.family === 4,
    );
    if (!isDescribed && !hasOwn) return { isPlanned: true, lack: NO_NODE_YET };
    const found = planNetwork(spec, { ...this.#othersThan(network), lastVni: this.#lastVni });
    if (found.kind === "impossible")
      return { isPlanned: true, lack: { reason: found.reason, retryAtMs: undefined } };
    const { vni, subnets, mtu } = found;
    const isPlanned = plan.claim(
      [
        { kind: "vniFree", vni, exceptId: id },
        ...subnets.map(({ subnet }) => ({ kind: "subnetFree", subnet, exceptId: id }) as const),
      ],
      { kind: "networkAllocated", networkId: id, vni, subnets, mtu },
    );
    if (!isPlanned) return { isPlanned };
    this.#lastVni = vni;
    this.#plannedVnis.add(vni);
    for (const { subnet } of subnets) {
      const cidr = parseCidr(subnet);
      if (cidr) this.#plannedSubnets.push({ networkName: spec.Name, cidr });
    }
    return { isPlanned };
  }

  /** Brings the MTU of an allocated network to what its possible nodes carry now. */
  planMtu({ id, spec, vni, subnets, mtu: old }: Network): PlannedMtu {
    const isInUse = () => this.view.tasks().some((task) => isOn(task, id));
    const { underlay } = this.#knownOthers();
    const mtu = nextMtu({ spec, mtu: old }, underlay, isInUse);
    const couldRise = mtu < nextMtu({ spec, mtu: old }, underlay, () => false);
    const isPlanned =
      mtu === old || this.plan.add({ kind: "networkAllocated", networkId: id, vni, subnets, mtu });
    return { isPlanned, couldRise };
  }

  /** Whether the service has what its spec asks for. */
  isComplete(service: Service): boolean {
    const wanted = this.vipNetworksOf(service);
    return (
      wanted.length === service.vips.length &&
      wanted.every((id) => service.vips.some(({ networkId }) => networkId === id)) &&
      this.#hasPorts(service)
    );
  }

  /** Where the service has an address of its own: everywhere, or nowhere with dnsrr. */
  vipNetworksOf(service: Service): readonly string[] {
    return service.spec.EndpointSpec?.Mode === "dnsrr" ? [] : this.networksOf(service);
  }

  /** Nobody publishes it, on every node or on one. */
  isPortFree(port: PortConfig["Protocol"], number: number): boolean {
    this.#usedPorts ??= usedPorts(this.view);
    this.#managers ??= this.view.nodes().filter(({ manager }) => manager !== undefined);
    const dataPathPort = this.view.cluster()?.dataPathPort ?? 0;
    return (
      !this.#usedPorts.has(`${port}/${number}`) &&
      reservedPort(port, number, dataPathPort) === undefined &&
      managersPort(port, number, this.#managers) === undefined
    );
  }

  portsPlanned(ports: readonly PortConfig[]): void {
    for (const port of ports) this.#usedPorts?.add(portKey(port));
  }

  #hasPorts(service: Service): boolean {
    const wanted = keptPorts(service.spec.EndpointSpec?.Ports ?? [], service.ports);
    return !wanted.some(isOpenPort) && sameSpec(wanted, service.ports);
  }

  /** Wishes of networks that have nothing yet are avoided by the pools' choice, but are nobody's. */
  #othersThan(network: Network): Omit<Others, "lastVni"> {
    const others = this.#knownOthers();
    const wishes = this.view
      .networks()
      .filter(({ id, vni }) => vni === 0 && id !== network.id)
      .flatMap(({ spec }) =>
        (spec.IPAM?.Config ?? []).flatMap((one) => parseCidr(one.Subnet ?? "") ?? []),
      );
    return { ...others, routes: [...others.routes, ...wishes] };
  }

  #knownOthers(): Omit<Others, "lastVni"> {
    this.#others ??= othersOf(this.view, this.#plannedSubnets, this.#plannedVnis);
    return this.#others;
  }
}

/** `planned` goes on growing. */
function othersOf(
  view: StoreView,
  planned: Others["subnets"],
  plannedVnis: ReadonlySet<number>,
): Omit<Others, "lastVni"> {
  const networks = view.networks();
  const vnis = new Set(networks.map(({ vni }) => vni));
  const stored = networks.flatMap(({ spec, subnets }) =>
    subnets.flatMap(({ subnet }) => {
      const cidr = parseCidr(subnet);
      return cidr ? [{ networkName: spec.Name, cidr }] : [];
    }),
  );
  const { id = "", defaultAddrPool = [], subnetSize = 24 } = view.cluster() ?? {};
  return {
    cluster: { id, defaultAddrPool, subnetSize },
    get subnets() {
      return [...stored, ...planned];
    },
    routes: view.nodes().flatMap(({ description }) =>
      (description?.Routes ?? []).flatMap((route) => {
        const cidr = parseCidr(route);
        // Everything is behind a default route; that says nothing.
        return cidr && cidr.length > 0 ? [cidr] : [];
      }),
    ),
    underlay: {
      mtus: view.nodes().flatMap(({ description }) => description?.UnderlayMtu ?? []),
      hasIpv6: view.nodes().some((node) => dataPathAddrOf(node).includes(":")),
    },
    isVniFree: (vni) => !vnis.has(vni) && !plannedVnis.has(vni),
  };
}

/** It holds an address there. */
export function isOn(task: Task, networkId: string): boolean {
  return (
    task.state < TASK_STATE.complete && task.networks.some((one) => one.networkId === networkId)
  );
}

function usedPorts(view: StoreView): Set<string> {
  return new Set(
    view
      .services()
      .flatMap(({ spec, ports }) => [...(spec.EndpointSpec?.Ports ?? []), ...ports].map(portKey)),
  );
}
