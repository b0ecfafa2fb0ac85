/**
 * Kernel state as data: what a network namespace holds, and the operations that change it. The planner compares a desired with an
 * observed namespace and emits operations; the kernel port observes and executes them. Names of links and tables are ours by
 * construction or by alias (`swarm:<node id>:…`); whatever is not ours is in no list and is never touched.
 */

export type LinkKind = "bridge" | "vxlan" | "veth" | "dummy" | "wireguard";

export type Link = {
  readonly name: string;
  readonly kind: LinkKind;
  /** `swarm:<node id>:…`; how ownership is told. */
  readonly alias: string;
  /** Lower-case, "" = whatever the kernel gave. */
  readonly mac: string;
  readonly mtu: number;
  readonly isUp: boolean;
  /** Name of the bridge this is a port of; "" = none. */
  readonly master: string;
  /** Bridge port that reaches only ports that are not isolated; false when not a port. */
  readonly isIsolated: boolean;
  /** Bridge port flag; off on VXLAN devices, false when not a port. */
  readonly isLearning: boolean;
  /**
   * In a desired state alone: this end's plan makes the pair. The end in the other namespace is listed there without a peer: when it is
   * missing, it comes with this one.
   */
  readonly peer?: VethPeer;
  readonly vxlan?: {
    readonly vni: number;
    readonly port: number;
    /** Local underlay address; "" = any. */
    readonly local: string;
  };
};

/** `address` with prefix length; both families. */
export type LinkAddress = { readonly link: string; readonly address: string };

export type Route = {
  /** CIDR or "default". */
  readonly dst: string;
  readonly family: 4 | 6;
  /** "" = on the link itself. */
  readonly via: string;
  readonly link: string;
  /** Routing table; 254 is main. */
  readonly table: number;
};

/** `ip rule fwmark … lookup …`. */
export type Rule = {
  readonly family: 4 | 6;
  readonly priority: number;
  readonly fwmark: number;
  readonly mask: number;
  readonly table: number;
};

/** Where frames for a MAC go. With `dst`: the VXLAN device's own table; without: the bridge's. */
export type FdbEntry = { readonly link: string; readonly mac: string; readonly dst: string };

/** Permanent neighbour: answers ARP and ND on a VXLAN device with `proxy`. */
export type Neighbour = { readonly link: string; readonly address: string; readonly mac: string };

export type NftFamily = "ip" | "ip6" | "inet" | "netdev";
/**
 * One whole table of ours. `text` is the table's body with `table … { comment "<hash>"; … }` around it. As observed, `text` is ""
 * (the kernel does not keep it) and `hash` is the comment, "" without one.
 */
export type NftTable = {
  readonly family: NftFamily;
  readonly name: string;
  readonly text: string;
  /**
   * Hex digest of what the table holds. An empty table `<name>_rev` beside it holds a newer digest in its comment, after chains were
   * changed one by one. A table whose comment differs is rewritten; so is one that others changed inside, which is observed with "".
   */
  readonly hash: string;
};

/**
 * Path below /proc/sys, always in `net/`; value without newline, several separated by one space. Observed are the keys that the
 * kernel port set since it was opened.
 */
export type Sysctl = { readonly key: string; readonly value: string };

/** The state of one namespace, as desired or as observed. In lists order has no meaning. */
export type NetnsState = {
  /** Name below /run/netns; "" is the namespace swarmd was started in. */
  readonly netns: string;
  readonly links: readonly Link[];
  readonly addresses: readonly LinkAddress[];
  readonly routes: readonly Route[];
  readonly rules: readonly Rule[];
  readonly fdb: readonly FdbEntry[];
  readonly neighbours: readonly Neighbour[];
  readonly tables: readonly NftTable[];
  readonly sysctls: readonly Sysctl[];
};

/** Connections to end. All given fields must match; `zone` is that of the original direction. */
export type ConntrackFilter = {
  readonly protocol?: "tcp" | "udp" | "sctp";
  readonly originalDst?: string;
  readonly originalDstPort?: number;
  readonly replySrc?: string;
  readonly zone?: number;
};

/** Executed in the order given; all of one call for one namespace as few kernel round trips as possible. Repeating is harmless. */
export type KernelOperation =
  | { readonly kind: "addNetns" }
  /**
   * Deletes its links first (which frees their VNIs at once), closes our sockets in it, then the namespace. Lazily: its links go when the
   * kernel gets to it, which costs nobody's time.
   */
  | { readonly kind: "removeNetns"; readonly isLazy?: true }
  /** A VXLAN link is born in the namespace swarmd was started in (its socket stays there). One that is there becomes what `link` says. */
  | { readonly kind: "addLink"; readonly link: Link; readonly peer?: VethPeer }
  /** Everything but kind, peer and VXLAN is brought to what `link` says. */
  | { readonly kind: "setLink"; readonly link: Link }
  | { readonly kind: "removeLink"; readonly name: string }
  | { readonly kind: "addAddress"; readonly address: LinkAddress }
  | { readonly kind: "removeAddress"; readonly address: LinkAddress }
  | { readonly kind: "replaceRoute"; readonly route: Route }
  | { readonly kind: "removeRoute"; readonly route: Route }
  | { readonly kind: "addRule"; readonly rule: Rule }
  | { readonly kind: "removeRule"; readonly rule: Rule }
  | { readonly kind: "replaceFdb"; readonly entry: FdbEntry }
  | { readonly kind: "removeFdb"; readonly entry: FdbEntry }
  | { readonly kind: "replaceNeighbour"; readonly entry: Neighbour }
  | { readonly kind: "removeNeighbour"; readonly entry: Neighbour }
  /** A whole nft script as one transaction: a table's atomic rewrite, or elements of its maps. */
  | { readonly kind: "nft"; readonly script: string }
  | { readonly kind: "setSysctl"; readonly sysctl: Sysctl }
  | { readonly kind: "endConnections"; readonly filter: ConntrackFilter };

/** The other end of a veth pair, in another namespace ("" = swarmd's own). */
export type VethPeer = { readonly netns: string; readonly link: Link };

/** Operations for one namespace. */
export type NetnsOperations = {
  readonly netns: string;
  readonly operations: readonly KernelOperation[];
};
