/** What a container's question is answered with, before it becomes bytes. */
import type { Random } from "../../base/index.js";
import { type AddressBytes, addressOfReverseName, isInside } from "./dns-address.js";
import type { DnsTables, NameRecord, NetworkNames, SrvTarget } from "./dns-table.js";

/** RFC 1035 §3.2.2, RFC 3596, RFC 2782. */
export const TYPE_A = 1;
export const TYPE_PTR = 12;
export const TYPE_AAAA = 28;
export const TYPE_SRV = 33;
export const TYPE_ANY = 255;

export type DnsAnswer =
  /** Families may be mixed (for ANY); never empty. */
  | {
      readonly kind: "addresses";
      readonly addresses: readonly AddressBytes[];
      readonly ttlSec: number;
    }
  | { readonly kind: "pointer"; readonly name: string }
  | { readonly kind: "services"; readonly targets: readonly SrvTarget[] }
  /** The name exists, the record does not: NOERROR without answers (RFC 2308 §2.2). */
  | { readonly kind: "empty" }
  /** It is for us to say, and there is none: NXDOMAIN. */
  | { readonly kind: "missing" }
  /** Not ours: others may know. */
  | { readonly kind: "unknown" };

/** The networks one container sees. */
export type DnsView = {
  /** Lookup order: user overlays as attached, then ingress. */
  readonly networks: readonly NetworkNames[];
  /** Longest name first: a name is split at its first dot before its second. */
  readonly bySuffix: readonly NetworkNames[];
};

export function dnsView(tables: DnsTables, networkIds: readonly string[]): DnsView {
  const found = networkIds.flatMap((id) => tables.namesOf(id) ?? []);
  const networks = [
    ...found.filter((network) => !network.isIngress),
    ...found.filter((network) => network.isIngress),
  ];
  return { networks, bySuffix: networks.toSorted((a, b) => b.name.length - a.name.length) };
}

/** `name`: lower case, no trailing dot. */
export function answerFor(view: DnsView, name: string, type: number): DnsAnswer {
  if (type === TYPE_PTR) {
    const pointer = pointerFor(view, name);
    if (pointer !== undefined) return pointer;
  }
  let isKnown = false;
  for (const [network, local] of candidates(view, name)) {
    const record = network.names.get(local);
    const targets = network.srv.get(local);
    if (record === undefined && targets === undefined) continue;
    isKnown = true;
    if (type === TYPE_SRV && targets !== undefined && targets.length > 0) {
      return { kind: "services", targets };
    }
    // The first network that can reach it decides for both families, else A and AAAA would lead to different networks.
    if (record !== undefined && hasAddresses(record)) return addressesFor(record, type);
  }
  return isKnown ? { kind: "empty" } : { kind: "unknown" };
}

/** The whole name on every network first, then as `<name>.<network>`. */
function* candidates(view: DnsView, name: string): Generator<[NetworkNames, string]> {
  for (const network of view.networks) yield [network, name];
  for (const network of view.bySuffix) {
    const cut = name.length - network.name.length - 1;
    if (cut > 0 && name[cut] === "." && name.endsWith(network.name)) {
      yield [network, name.slice(0, cut)];
    }
  }
}

function hasAddresses(record: NameRecord): boolean {
  return record.v4.length > 0 || record.v6.length > 0;
}

function addressesFor(record: NameRecord, type: number): DnsAnswer {
  const addresses =
    type === TYPE_A
      ? record.v4
      : type === TYPE_AAAA
        ? record.v6
        : type === TYPE_ANY
          ? [...record.v4, ...record.v6]
          : [];
  return addresses.length === 0
    ? { kind: "empty" }
    : { kind: "addresses", addresses, ttlSec: record.ttlSec };
}

function pointerFor(view: DnsView, name: string): DnsAnswer | undefined {
  for (const network of view.networks) {
    const target = network.reverse.get(name);
    if (target !== undefined) return { kind: "pointer", name: target };
  }
  const address = addressOfReverseName(name);
  if (address === undefined) return undefined;
  // Nobody outside can know the addresses of our networks, and need not learn that they are asked for (RFC 6303 §3).
  const isOurs = view.networks.some((network) =>
    network.prefixes.some((prefix) => isInside(address, prefix)),
  );
  return isOurs ? { kind: "missing" } : undefined;
}

/** Up to `count` of the items in random order, each order equally likely (Fisher–Yates, stopped early). */
export function sample<Item>(items: readonly Item[], count: number, random: Random): Item[] {
  if (items.length === 1) return [...items];
  const pool = [...items];
  const end = Math.min(count, pool.length);
  for (let i = 0; i < end; i += 1) {
    const j = i + Math.floor(random.float() * (pool.length - i));
    const picked = pool[j] as Item;
    pool[j] = pool[i] as Item;
    pool[i] = picked;
  }
  return pool.slice(0, end);
}
