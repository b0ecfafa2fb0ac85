/** Addresses of one subnet: which are in use, which comes next. And choosing subnets out of pools. */
import {
  addressBits,
  type Cidr,
  cidrSize,
  cidrsOverlap,
  formatCidr,
  formatIp,
  parseIp,
} from "../../base/index.js";

/** A freed address meets no neighbour entry, connection or DNS answer of its last holder after this long (contracts §7). */
export const ADDRESS_REST_MS = 60_000;

export type Taken =
  | { readonly kind: "taken"; readonly address: string }
  | {
      readonly kind: "exhausted";
      readonly reason: string;
      /** Unix ms at which an address will have rested long enough; undefined when none is resting. */
      readonly retryAtMs: number | undefined;
    };

export type SubnetPoolOptions = {
  readonly subnet: Cidr;
  /** Addresses come from here; inside the subnet. */
  readonly range?: Cidr | undefined;
  /** So many addresses before the last one are not given out (the nodes' on ingress). */
  readonly reservedAtEnd?: number;
};

/**
 * Addresses that were never used come first, upward; then freed ones, longest free first and none before it has rested. Texts are
 * canonical. What is claimed twice is held once: who may hold what is judged in apply.
 */
export class SubnetPool {
  readonly #subnet: Cidr;
  /** Values [first, end) may be given out. */
  readonly #first: bigint;
  readonly #end: bigint;
  readonly #used = new Set<bigint>();
  /** Value → Unix ms of its freeing, in that order. */
  readonly #freed = new Map<bigint, number>();
  /** Taken and given back before anybody saw them. */
  readonly #returned = new Set<bigint>();
  #next: bigint;

  constructor({ subnet, range = subnet, reservedAtEnd = 0 }: SubnetPoolOptions) {
    this.#subnet = subnet;
    const [lo, hi] = usable(subnet, reservedAtEnd);
    this.#first = max(lo, range.base);
    this.#end = min(hi, range.base + cidrSize(range));
    this.#next = this.#first;
  }

  take(nowMs: number): Taken {
    const value = this.#pick(nowMs);
    if (value === undefined) return this.#exhausted();
    this.#used.add(value);
    return { kind: "taken", address: formatIp({ family: this.#subnet.family, value }) };
  }

  /** This very one. It may lie outside the range, which is for those that nobody chose; it rests like any other. */
  takeThis(address: string, nowMs: number): Taken {
    const value = this.#valueOf(address);
    const subnet = formatCidr(this.#subnet);
    if (value === undefined || !isHostAddress(this.#subnet, address))
      return {
        kind: "exhausted",
        reason: `${address} is no address of ${subnet}`,
        retryAtMs: undefined,
      };
    if (this.#used.has(value))
      return {
        kind: "exhausted",
        reason: `address ${address} is already in use`,
        retryAtMs: undefined,
      };
    const retryAtMs = (this.#freed.get(value) ?? Number.NEGATIVE_INFINITY) + ADDRESS_REST_MS;
    if (nowMs < retryAtMs) {
      const reason = `address ${address} was freed less than ${ADDRESS_REST_MS / 1000} s ago`;
      return { kind: "exhausted", reason, retryAtMs };
    }
    this.#used.add(value);
    this.#freed.delete(value);
    this.#returned.delete(value);
    return { kind: "taken", address };
  }

  /** In use by somebody. Addresses outside the subnet are nobody's business here. */
  claim(address: string): void {
    const value = this.#valueOf(address);
    if (value === undefined) return;
    this.#used.add(value);
    this.#freed.delete(value);
    this.#returned.delete(value);
  }

  free(address: string, nowMs: number): void {
    const value = this.#valueOf(address);
    if (value === undefined) return;
    this.#used.delete(value);
    this.#freed.delete(value);
    this.#freed.set(value, nowMs);
  }

  /** Undoes a take: the address was written nowhere, so it need not rest. */
  giveBack(address: string): void {
    const value = this.#valueOf(address);
    if (value !== undefined && this.#used.delete(value)) this.#returned.add(value);
  }

  #pick(nowMs: number): bigint | undefined {
    for (const value of this.#returned) {
      this.#returned.delete(value);
      return value;
    }
    while (this.#next < this.#end) {
      const value = this.#next++;
      if (!this.#used.has(value) && !this.#freed.has(value)) return value;
    }
    for (const [value, freedAtMs] of this.#freed) {
      if (!this.#isInRange(value)) continue;
      if (nowMs < freedAtMs + ADDRESS_REST_MS) return undefined;
      this.#freed.delete(value);
      return value;
    }
    return undefined;
  }

  /** The text does not tell how many are resting: it is written to every task that waits, and is to stay the same while it does. */
  #exhausted(): Taken {
    const size = max(0n, this.#end - this.#first);
    const reason = `no free address in ${formatCidr(this.#subnet)}: all ${size} are in use or were freed less than ${ADDRESS_REST_MS / 1000} s ago`;
    for (const [value, freedAtMs] of this.#freed)
      if (this.#isInRange(value))
        return { kind: "exhausted", reason, retryAtMs: freedAtMs + ADDRESS_REST_MS };
    return { kind: "exhausted", reason, retryAtMs: undefined };
  }

  #isInRange(value: bigint): boolean {
    return this.#first <= value && value < this.#end;
  }

  #valueOf(address: string): bigint | undefined {
    const parsed = parseIp(address);
    return parsed?.family === this.#subnet.family ? parsed.value : undefined;
  }
}

/** The first address that a host may have: the usual gateway. */
export function firstAddress(subnet: Cidr): string {
  return formatIp({ family: subnet.family, value: usable(subnet, 0)[0] });
}

/** Whether a host may have this address: inside, and neither the network's own nor the broadcast address. */
export function isHostAddress(subnet: Cidr, address: string): boolean {
  const parsed = parseIp(address);
  if (parsed?.family !== subnet.family) return false;
  const [lo, hi] = usable(subnet, 0);
  return lo <= parsed.value && parsed.value < hi;
}

/**
 * The first subnet of this length, over the pools in their order, that overlaps none of `taken`; the last one of a pool with
 * `fromEnd`. undefined: there is none.
 */
export function freeSubnet(
  pools: readonly Cidr[],
  length: (pool: Cidr) => number,
  taken: readonly Cidr[],
  fromEnd = false,
): Cidr | undefined {
  for (const pool of pools) {
    const found = fitting(pool, length(pool), taken, fromEnd);
    if (found) return found;
  }
  return undefined;
}

/** One walk over what is in the way, sorted, however many candidates lie between. */
function fitting(
  pool: Cidr,
  length: number,
  taken: readonly Cidr[],
  fromEnd: boolean,
): Cidr | undefined {
  if (length < pool.length) return undefined;
  const step = 1n << BigInt(addressBits(pool.family) - length);
  const free = gaps(pool, taken, step);
  const gap = fromEnd ? free.at(-1) : free[0];
  return gap && { family: pool.family, base: fromEnd ? gap[1] - step : gap[0], length };
}

/** What nobody has of the pool as [lo, hi), in order, cut down to whole multiples of `step`. */
function gaps(pool: Cidr, taken: readonly Cidr[], step: bigint): [lo: bigint, hi: bigint][] {
  const found: [bigint, bigint][] = [];
  let lo = pool.base;
  const add = (hi: bigint): void => {
    const from = ((lo + step - 1n) / step) * step;
    const to = (hi / step) * step;
    if (from < to) found.push([from, to]);
  };
  const inOrder = taken
    .filter((other) => cidrsOverlap(pool, other))
    .sort((a, b) => (a.base < b.base ? -1 : a.base > b.base ? 1 : 0));
  for (const other of inOrder) {
    add(other.base);
    lo = max(lo, other.base + cidrSize(other));
  }
  add(pool.base + cidrSize(pool));
  return found;
}

/**
 * [lo, hi) for hosts. IPv4: without network and broadcast address (RFC 919; both are hosts in a /31, RFC 3021). IPv6: without the
 * subnet-router anycast address (RFC 4291 §2.6.1).
 */
function usable(subnet: Cidr, reservedAtEnd: number): readonly [bigint, bigint] {
  const end = subnet.base + cidrSize(subnet);
  const isTiny = addressBits(subnet.family) - subnet.length < 2;
  const lo = isTiny ? subnet.base : subnet.base + 1n;
  const hi = isTiny || subnet.family === 6 ? end : end - 1n;
  return [lo, max(lo, min(hi, end - BigInt(reservedAtEnd)))];
}

function max(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}

function min(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}
