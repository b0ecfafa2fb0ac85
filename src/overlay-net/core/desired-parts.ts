import { prefixLengthOf } from "./address-text.js";
import type { Link, LinkKind, NetnsState } from "./kernel-model.js";

export function emptyNetns(netns: string): NetnsState {
  return {
    netns,
    links: [],
    addresses: [],
    routes: [],
    rules: [],
    fdb: [],
    neighbours: [],
    tables: [],
    sysctls: [],
  };
}

/** A link that is up; "" where nothing is said. */
export function plainLink(link: {
  readonly name: string;
  readonly kind: LinkKind;
  readonly alias: string;
  readonly mtu: number;
  readonly master?: string;
  readonly mac?: string;
}): Link {
  return { mac: "", master: "", ...link, isUp: true, isIsolated: false, isLearning: true };
}

/** A container's interface on its `place`-th overlay network, from 0. */
export function ethName(place: number): string {
  return `eth${place + 1}`;
}

/** `address` with the prefix length of the subnet it is in. */
export function addressWithLength(address: string, subnet: string): string {
  return `${address}/${prefixLengthOf(subnet)}`;
}
