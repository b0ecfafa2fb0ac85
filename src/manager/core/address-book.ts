/** The leader's view of all subnets: made from the store, kept by its events. What it hands out counts once the store says so. */
import { type Network, TASK_STATE, type Task, type VirtualIp } from "../../api/index.js";
import { parseCidr } from "../../base/index.js";
import { nodeAddressCount, SubnetPool } from "../../overlay-net/core/index.js";
import {
  type AddressClaim,
  addressClaims,
  type StoreEvent,
  type StoreView,
  serviceClaims,
  taskClaims,
} from "../../store/index.js";

export type Addresses =
  | ({ readonly kind: "taken" } & VirtualIp)
  | {
      readonly kind: "exhausted";
      readonly reason: string;
      /** Unix ms; undefined: only when somebody frees one. */
      readonly retryAtMs: number | undefined;
    };

type Pools = { readonly v4: SubnetPool | undefined; readonly v6: SubnetPool | undefined };

export class AddressBook {
  readonly #networks = new Map<string, Pools>();
  /** Handed out for the plan that is under way, and not seen in the store yet. */
  readonly #promised = new Map<string, AddressClaim>();

  reset(view: StoreView): void {
    this.#networks.clear();
    this.#promised.clear();
    for (const network of view.networks()) this.#open(network, view);
    for (const service of view.services()) this.#claim(serviceClaims(service));
    for (const task of view.tasks()) this.#claim(taskClaims(task));
  }

  /** Returns the networks where something was freed, or that have become usable. */
  observe(event: StoreEvent, view: StoreView, nowMs: number): readonly string[] {
    switch (event.table) {
      case "network": {
        if (event.kind === "removed") {
          this.#networks.delete(event.old.id);
          return [];
        }
        const { id } = event.object;
        if (this.#networks.has(id) || !this.#open(event.object, view)) return [];
        return [id];
      }
      case "service":
        return this.#move(
          event.kind === "created" ? [] : serviceClaims(event.old),
          event.kind === "removed" ? [] : serviceClaims(event.object),
          nowMs,
        );
      case "task":
        // Most changes of tasks are reports of their agents, which concern no address.
        if (event.kind === "updated" && !concernsAddresses(event.old, event.object)) return [];
        return this.#move(
          event.kind === "created" ? [] : taskClaims(event.old),
          event.kind === "removed" ? [] : taskClaims(event.object),
          nowMs,
        );
      default:
        return [];
    }
  }

  /** Whether the network has its subnets. */
  has(networkId: string): boolean {
    return this.#networks.has(networkId);
  }

  /** One address of each family that the network has, those that are wanted among them; all or none. */
  take(networkId: string, nowMs: number, wanted: readonly string[] = []): Addresses {
    const pools = this.#networks.get(networkId);
    const take = (pool: SubnetPool | undefined, address: string | undefined) =>
      address === undefined ? pool?.take(nowMs) : pool?.takeThis(address, nowMs);
    const isV6 = (address: string): boolean => address.includes(":");
    const v4 = take(
      pools?.v4,
      wanted.find((one) => !isV6(one)),
    );
    if (v4?.kind === "exhausted") return v4;
    const v6 = take(pools?.v6, wanted.find(isV6));
    if (v6?.kind === "exhausted") {
      if (v4) pools?.v4?.giveBack(v4.address);
      return v6;
    }
    const taken = { networkId, address: v4?.address ?? "", address6: v6?.address ?? "" };
    for (const claim of addressClaims(taken)) this.#promised.set(keyOf(claim), claim);
    return { kind: "taken", ...taken };
  }

  /** Nothing came of it. */
  giveBack(addresses: VirtualIp): void {
    for (const claim of addressClaims(addresses)) {
      this.#promised.delete(keyOf(claim));
      this.#pool(claim)?.giveBack(claim.address);
    }
  }

  /** The plan is over. What it was promised and did not show up in the store (the task was told to stop meanwhile) is free again. */
  settle(): void {
    for (const claim of this.#promised.values()) this.#pool(claim)?.giveBack(claim.address);
    this.#promised.clear();
  }

  #open(network: Network, view: StoreView): boolean {
    if (network.subnets.length === 0) return false;
    const [v4, v6] = ([4, 6] as const).map((family) => {
      const stored = network.subnets.find((one) => parseCidr(one.subnet)?.family === family);
      const subnet = parseCidr(stored?.subnet ?? "");
      if (!stored || !subnet) return undefined;
      const reservedAtEnd = nodeAddressCount(network.spec, subnet);
      const pool = new SubnetPool({ subnet, range: parseCidr(stored.ipRange), reservedAtEnd });
      pool.claim(stored.gateway);
      for (const [address, atMs] of view.freedAddresses(network.id)) pool.free(address, atMs);
      return pool;
    });
    this.#networks.set(network.id, { v4, v6 });
    return true;
  }

  #move(
    old: readonly AddressClaim[],
    now: readonly AddressClaim[],
    nowMs: number,
  ): readonly string[] {
    const isSame = (a: AddressClaim) => (b: AddressClaim) =>
      a.networkId === b.networkId && a.address === b.address;
    const freed = old.filter((claim) => !now.some(isSame(claim)));
    for (const claim of freed) this.#pool(claim)?.free(claim.address, nowMs);
    this.#claim(now);
    return freed.map((claim) => claim.networkId);
  }

  #claim(claims: readonly AddressClaim[]): void {
    for (const claim of claims) {
      this.#promised.delete(keyOf(claim));
      this.#pool(claim)?.claim(claim.address);
    }
  }

  #pool({ networkId, address }: AddressClaim): SubnetPool | undefined {
    const pools = this.#networks.get(networkId);
    return address.includes(":") ? pools?.v6 : pools?.v4;
  }
}

function concernsAddresses(old: Task, now: Task): boolean {
  const wasOver = old.state >= TASK_STATE.complete;
  return old.networks !== now.networks || wasOver !== now.state >= TASK_STATE.complete;
}

function keyOf({ networkId, address }: AddressClaim): string {
  return `${networkId} ${address}`;
}
