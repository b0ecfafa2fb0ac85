/** Who has which VNI, subnet and address, so that a claim costs a few look-ups however many networks and tasks there are. */
import {
  type Network,
  type Service,
  TASK_STATE,
  type Task,
  type TaskNetwork,
  type VirtualIp,
} from "../api/index.js";
import { type Cidr, formatCidr, parseCidr, prefixOf } from "../base/index.js";

/** Freed addresses remembered per network; older ones count as never used. */
const FREED_MAX = 65_536;
const NONE_FREED: ReadonlyMap<string, number> = new Map();

/**
 * Holders by key. Preconditions keep it at one each; should there be more all the same, every replica lists them in the order of
 * their ids.
 */
class Holders {
  readonly #byKey = new Map<string, string | readonly string[]>();

  /** Without `exceptId`. */
  of(key: string, exceptId = ""): readonly string[] {
    return list(this.#byKey.get(key)).filter((id) => id !== exceptId);
  }

  add(key: string, id: string): void {
    const others = list(this.#byKey.get(key));
    this.#byKey.set(key, others.length === 0 ? id : [...others, id].sort());
  }

  /** Takes away one claim of the id. */
  remove(key: string, id: string): void {
    const left = [...list(this.#byKey.get(key))];
    const at = left.indexOf(id);
    if (at >= 0) left.splice(at, 1);
    const [first] = left;
    if (first === undefined) this.#byKey.delete(key);
    else this.#byKey.set(key, left.length === 1 ? first : left);
  }
}

/** VNIs and subnets. */
export class NetworkClaims {
  readonly #vnis = new Holders();
  readonly #subnets = new Holders();
  /** Prefix → networks that have a subnet inside it. */
  readonly #inside = new Holders();

  vniHolders(vni: number, exceptId: string): readonly string[] {
    return this.#vnis.of(String(vni), exceptId);
  }

  /** Networks with a subnet that contains this one, is it, or lies in it. */
  subnetHolders(subnet: string, exceptId: string): readonly string[] {
    const cidr = parseCidr(subnet);
    if (!cidr) return [];
    const found = new Set(this.#inside.of(formatCidr(cidr), exceptId));
    for (const key of prefixesOf(cidr))
      for (const id of this.#subnets.of(key, exceptId)) found.add(id);
    return [...found].sort();
  }

  add(network: Network): void {
    if (network.vni !== 0) this.#vnis.add(String(network.vni), network.id);
    for (const cidr of subnetsOf(network)) {
      this.#subnets.add(formatCidr(cidr), network.id);
      for (const key of prefixesOf(cidr)) this.#inside.add(key, network.id);
    }
  }

  /** `network` as it was added. */
  remove(network: Network): void {
    if (network.vni !== 0) this.#vnis.remove(String(network.vni), network.id);
    for (const cidr of subnetsOf(network)) {
      this.#subnets.remove(formatCidr(cidr), network.id);
      for (const key of prefixesOf(cidr)) this.#inside.remove(key, network.id);
    }
  }
}

type NetworkAddresses = {
  readonly holders: Holders;
  /** Address → Unix ms of its freeing, longest free first. Not part of the replicated state: a hint for who allocates. */
  readonly freed: Map<string, number>;
};

/** Addresses of tasks, services (VIPs) and gateways per network. */
export class AddressClaims {
  readonly #networks = new Map<string, NetworkAddresses>();

  holders(networkId: string, address: string, exceptId: string): readonly string[] {
    return this.#networks.get(networkId)?.holders.of(address, exceptId) ?? [];
  }

  freed(networkId: string): ReadonlyMap<string, number> {
    return this.#networks.get(networkId)?.freed ?? NONE_FREED;
  }

  /** What changed from `old` to `now`, two states of one object. */
  change(
    old: readonly AddressClaim[],
    now: readonly AddressClaim[],
    id: string,
    atMs: number,
  ): void {
    for (const { networkId, address } of old) {
      if (now.some((claim) => claim.networkId === networkId && claim.address === address)) continue;
      const known = this.#networks.get(networkId);
      // The network went before its last, stopping tasks: nobody asks for its addresses any more.
      if (!known) continue;
      const { holders, freed } = known;
      holders.remove(address, id);
      freed.delete(address);
      freed.set(address, atMs);
      if (freed.size > FREED_MAX) dropFirst(freed);
    }
    for (const { networkId, address } of now) {
      if (old.some((claim) => claim.networkId === networkId && claim.address === address)) continue;
      const { holders, freed } = this.#network(networkId);
      holders.add(address, id);
      freed.delete(address);
    }
  }

  /** The network is gone, and with it whatever was remembered of it. */
  forget(networkId: string): void {
    this.#networks.delete(networkId);
  }

  #network(networkId: string): NetworkAddresses {
    let found = this.#networks.get(networkId);
    if (!found) {
      found = { holders: new Holders(), freed: new Map() };
      this.#networks.set(networkId, found);
    }
    return found;
  }
}

export type AddressClaim = { readonly networkId: string; readonly address: string };

const NO_CLAIMS: readonly AddressClaim[] = [];

/** A task has its addresses until it is known to be over: complete or worse, orphaned included. */
export function taskClaims(task: Task | undefined): readonly AddressClaim[] {
  if (!task || task.networks.length === 0 || task.state >= TASK_STATE.complete) return NO_CLAIMS;
  return task.networks.flatMap(addressClaims);
}

export function serviceClaims(service: Service | undefined): readonly AddressClaim[] {
  return service?.vips.flatMap(addressClaims) ?? NO_CLAIMS;
}

export function gatewayClaims(network: Network | undefined): readonly AddressClaim[] {
  if (!network) return NO_CLAIMS;
  return network.subnets
    .filter(({ gateway }) => gateway !== "")
    .map(({ gateway }) => ({ networkId: network.id, address: gateway }));
}

/** What is held by who has these addresses on one network. */
export function addressClaims({
  networkId,
  address,
  address6,
}: TaskNetwork | VirtualIp): readonly AddressClaim[] {
  return [address, address6]
    .filter((one) => one !== "")
    .map((one) => ({ networkId, address: one }));
}

function subnetsOf(network: Network): readonly Cidr[] {
  return network.subnets.flatMap(({ subnet }) => parseCidr(subnet) ?? []);
}

/** The prefix itself and all that contain it. */
function prefixesOf({ family, base, length }: Cidr): readonly string[] {
  return Array.from({ length: length + 1 }, (_, at) =>
    formatCidr(prefixOf({ family, value: base }, at)),
  );
}

function list(held: string | readonly string[] | undefined): readonly string[] {
  if (held === undefined) return [];
  return typeof held === "string" ? [held] : held;
}

function dropFirst(map: Map<string, number>): void {
  for (const key of map.keys()) {
    map.delete(key);
    return;
  }
}
