/** What the net process needs of the kernel. `ip/` runs iproute2 and nft; `simulated/` keeps it in memory. */

export type KernelErrorCode = "TOOL_MISSING" | "NOT_PERMITTED" | "FAILED";

export class KernelError extends Error {
  override readonly name = "KernelError";
  readonly code: KernelErrorCode;
  constructor(code: KernelErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

export type Endpoint = {
  readonly netns: string;
  readonly hostLink: string;
  readonly alias: string;
  readonly bridge: string;
  /** a.b.c.d/len */
  readonly address: string;
  readonly gateway: string;
  readonly mac: string;
};

/** All calls may be repeated. Names are ours by construction; nothing else is ever touched. */
export interface Kernel {
  readonly kind: "ip" | "simulated";
  /** IPv4 prefixes this host has routes for, its own bridge excluded. */
  routes(exceptLink: string): Promise<readonly string[]>;
  /** Prefix of an existing bridge of ours, or undefined. */
  bridgeSubnet(bridge: string): Promise<string | undefined>;
  /** A new bridge gets this MAC, so that one which takes another's place is the same to its containers. */
  ensureBridge(
    bridge: string,
    alias: string,
    gatewayWithLength: string,
    mac: string,
  ): Promise<void>;
  removeBridge(bridge: string): Promise<void>;
  /** Network namespace with loopback up. */
  addNetns(name: string): Promise<void>;
  addEndpoint(endpoint: Endpoint): Promise<void>;
  /** Of a namespace that is there, with a container in it: what is missing is made anew, the rest is brought to what it should be. */
  repairEndpoint(endpoint: Endpoint): Promise<void>;
  /** Says on host ends for whom their endpoints are; those that are gone are skipped. */
  setAliases(aliases: ReadonlyMap<string, string>): Promise<void>;
  /** Host end → alias, of the bridge's ports. */
  aliases(bridge: string): Promise<ReadonlyMap<string, string>>;
  removeNetns(name: string): Promise<void>;
  netnsPath(name: string): string;
  /** Gives the network namespace of this process a lasting name and returns its path: what "host network" means. */
  nameHostNetns(name: string): Promise<string>;
  /** IPv4 address of eth0 inside the namespace, or undefined. */
  addressIn(netns: string): Promise<string | undefined>;
  /** Namespaces whose name starts with `prefix`. */
  listNetns(prefix: string): Promise<readonly string[]>;
  /**
   * Takes such names away as lead to no namespace: what a process that was killed had begun. Only while nobody makes namespaces of that
   * prefix. Returns what went.
   */
  clearNames(prefix: string): Promise<readonly string[]>;
  applyRuleset(text: string): Promise<void>;
  removeTable(table: string): Promise<void>;
  /** Problems of this host, each with its remedy. */
  probe(containerdPid: number | undefined): Promise<readonly string[]>;
}
