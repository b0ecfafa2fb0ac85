import type { Clock, Logger } from "../base/index.js";
import { Coalesced } from "./coalesced.js";
import { AddressPool } from "./core/address-pool.js";
import type { BridgeLinks } from "./core/bridge-faults.js";
import {
  firstFreePrefix,
  formatIpv4,
  formatPrefix,
  macOf,
  overlaps,
  parseIpv4,
  parsePrefix,
} from "./core/ipv4.js";
import type { JoinedNetwork } from "./core/local-facts.js";
import {
  containerOfAlias,
  type NodeNames,
  netnsName,
  nodeNames,
  vethAlias,
  vethName,
} from "./core/names.js";
import { type HostPortRule, nodeRuleset } from "./core/node-ruleset.js";
import { gwbridgeTable } from "./core/rulesets/gwbridge.js";
import type { Endpoint, Kernel } from "./kernel/port.js";
import { PortHolder } from "./port-holder.js";
import {
  type OverlayAttachment,
  readStateFile,
  type Spare,
  type StoredState,
  writeStateFile,
} from "./state-file.js";

/** Length of the prefix each node's bridge takes out of the pool. */
const BRIDGE_PREFIX_LENGTH = 20;
/** Containers that are attached at the same time: tools run in parallel up to here. */
const ATTACH_CONCURRENCY = 4;
/**
 * Endpoints made ahead while nothing else is to do: a container that comes meanwhile gets one at once. Enough for the share
 * of one node in a burst; each costs the kernel some 200 KiB.
 */
const SPARE_COUNT = 12;
/** Spares are made when no container came or went for this long: not while those of a burst are still starting. */
const SPARE_QUIET_MS = 8_000;
/** But at once when the node has just joined: nothing runs yet. */
const FIRST_SPARES_MS = 200;
/** Attachments on one node; a /20 has room for 4,093. */
export const ATTACHMENT_MAX = 4_000;

export type HostPort = {
  readonly protocol: "tcp" | "udp" | "sctp";
  readonly targetPort: number;
  readonly publishedPort: number;
};

export type Attachment = {
  readonly containerId: string;
  /** Name of its namespace; "" for host mode. */
  readonly netns: string;
  readonly mode: "default" | "host" | "none";
  readonly netnsPath: string;
  /** a.b.c.d, "" unless mode is default. */
  readonly address: string;
  readonly hostPorts: readonly HostPort[];
  /** Absent for a container on no overlay network. */
  readonly overlay?: OverlayAttachment;
};

export type OpenOptions = {
  readonly nodeId: string;
  readonly gwbridgePool: string;
  readonly stateFile: string;
  readonly logger: Logger;
  readonly clock: Clock;
  /** Default 12. */
  readonly spareCount?: number;
  /** Called when a container with a namespace on networks or the bridge is released, before the namespace is removed. */
  readonly onRelease?: (attachment: Attachment) => Promise<void>;
};

export class NodeNetworkError extends Error {
  override readonly name = "NodeNetworkError";
}

/** Nothing that a network could be added to. */
export class NotAttachedError extends Error {
  override readonly name = "NotAttachedError";
}

/** This node's part of the data plane: one bridge, one namespace per container, outbound access, host-mode ports. */
export class NodeNetwork {
  readonly #kernel: Kernel;
  readonly #names: NodeNames;
  readonly #pool: AddressPool;
  readonly #stateFile: string;
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #spareCount: number;
  readonly #spares: Spare[] = [];
  /** Host ends of spares that were given out and not renamed yet. */
  readonly #unnamed = new Map<string, string>();
  #cancelRefill: () => void = () => undefined;
  #refilling: Promise<void> = Promise.resolve();
  #isClosed = false;
  readonly #ports = new PortHolder();
  readonly #attachments = new Map<string, Attachment>();
  /** Addresses of namespaces that the state file does not name. */
  readonly #unknown = new Map<string, Spare>();
  /** One operation per container at a time; the map holds the last one queued. */
  readonly #queues = new Map<string, Promise<unknown>>();
  readonly #waiting: (() => void)[] = [];
  #busy = 0;
  readonly #onRelease: (attachment: Attachment) => Promise<void>;
  /** Each resolves when the state of the call is written, or in the kernel: two tools at once could end in the wrong order. */
  readonly #saving = new Coalesced(() => this.#write());
  readonly #ruling = new Coalesced(() => this.#kernel.applyRuleset(this.#rules()));
  #hostPath = "";

  private constructor(kernel: Kernel, names: NodeNames, pool: AddressPool, options: OpenOptions) {
    this.#kernel = kernel;
    this.#names = names;
    this.#pool = pool;
    this.#stateFile = options.stateFile;
    this.#logger = options.logger;
    this.#clock = options.clock;
    this.#spareCount = options.spareCount ?? SPARE_COUNT;
    this.#onRelease = options.onRelease ?? (() => Promise.resolve());
  }

  /** Makes or adopts the bridge; continues with what the state file remembers and the kernel still has. */
  static async open(kernel: Kernel, options: OpenOptions): Promise<NodeNetwork> {
    const names = nodeNames(options.nodeId);
    const stored = await readStateFile(options.stateFile);
    const known = stored?.nodeId === options.nodeId ? stored : undefined;
    const subnet = (await kernel.bridgeSubnet(names.bridge)) ?? known?.subnet;
    const prefix =
      subnet !== undefined
        ? parsePrefix(subnet)
        : await chooseSubnet(kernel, names, options.gwbridgePool);
    const pool = new AddressPool(prefix);
    const network = new NodeNetwork(kernel, names, pool, options);
    await network.#ensureBridge();
    network.#hostPath = await kernel.nameHostNetns(netnsName(names, "host"));
    await network.#adopt(known);
    await network.#applyRules();
    await network.#save();
    network.#refillSoon(network.attachments.length === 0 ? FIRST_SPARES_MS : SPARE_QUIET_MS);
    return network;
  }

  get bridge(): string {
    return this.#names.bridge;
  }

  get subnet(): string {
    return formatPrefix(this.#pool.prefix);
  }

  get prefixLength(): number {
    return this.#pool.prefix.length;
  }

  get gateway(): string {
    return formatIpv4(this.#pool.gateway);
  }

  get attachments(): readonly Attachment[] {
    return [...this.#attachments.values()];
  }

  /** Digest of the bridge's table as it should be; undefined while it is being changed. */
  get rulesDigest(): string | undefined {
    return this.#ruling.isIdle
      ? gwbridgeTable(this.#names, this.subnet, this.#hostPortRules()).hash
      : undefined;
  }

  /** The bridge and every link to it that is made: those of containers, and those made ahead. */
  get links(): BridgeLinks {
    const attached = [...this.#attachments.values()].filter(({ address }) => address !== "");
    const endpoints = [...this.#spares, ...attached].map(({ netns, address }) => ({
      netns,
      hostLink: this.#hostLink(address),
      address: `${address}/${this.prefixLength}`,
      mac: macOf(parseIpv4(address)),
    }));
    return { bridge: this.bridge, address: `${this.gateway}/${this.prefixLength}`, endpoints };
  }

  /** As above for the bridge and the endpoints of these namespaces, with the addresses they had. What went meanwhile is left out. */
  async repairLinks(netnsNames: readonly string[]): Promise<void> {
    await this.#ensureBridge();
    for (const netns of netnsNames) {
      const spare = this.#spares.find((one) => one.netns === netns);
      if (spare !== undefined) await this.#kernel.repairEndpoint(this.#endpointOf(spare, netns));
      const attachment = this.attachments.find((one) => one.netns === netns);
      if (attachment === undefined) continue;
      const { containerId } = attachment;
      await this.#serial(containerId, async () => {
        if (this.#attachments.get(containerId) !== attachment) return;
        await this.#kernel.repairEndpoint(this.#endpointOf(attachment, containerId));
      });
    }
  }

  /** Loads the bridge's table again. */
  repairRules(): Promise<void> {
    return this.#applyRules();
  }

  /** Namespaces of this node's containers that no attachment is known for: an earlier life of this process made them. */
  async unclaimed(): Promise<readonly string[]> {
    const owned = new Set([netnsName(this.#names, "host")]);
    for (const { netns } of [...this.#spares, ...this.#attachments.values()]) owned.add(netns);
    return (await this.#kernel.listNetns(this.#names.netnsPrefix)).filter(
      (netns) => !owned.has(netns),
    );
  }

  /** Safe to repeat: an attached container gets what it has. */
  async attach(
    containerId: string,
    mode: Attachment["mode"],
    hostPorts: readonly HostPort[],
    overlay?: OverlayAttachment,
  ): Promise<Attachment> {
    const { attachment, saved } = await this.beginAttach(containerId, mode, hostPorts, overlay);
    await saved;
    return attachment;
  }

  /** As `attach`, for who has more to do with the container meanwhile: it is remembered over a restart once `saved` resolves. */
  beginAttach(
    containerId: string,
    mode: Attachment["mode"],
    hostPorts: readonly HostPort[],
    overlay?: OverlayAttachment,
  ): Promise<{ readonly attachment: Attachment; readonly saved: Promise<void> }> {
    return this.#serial(containerId, async () => {
      const existing = this.#attachments.get(containerId);
      if (existing !== undefined) return { attachment: existing, saved: this.#save() };
      if (this.#attachments.size >= ATTACHMENT_MAX) {
        throw new NodeNetworkError(
          `this node has ${ATTACHMENT_MAX} containers attached: no more fit`,
        );
      }
      const made = await this.#make(containerId, mode, hostPorts);
      const attachment = overlay === undefined ? made : { ...made, overlay };
      this.#attachments.set(containerId, attachment);
      if (attachment.hostPorts.length > 0) await this.#applyRules();
      this.#refillSoon();
      return { attachment, saved: this.#save() };
    });
  }

  /**
   * One more network for a container that is attached. The DNS settings are for one that was on none until now: it keeps them. Safe to repeat.
   * Rejects NodeNetworkError for one that has no namespace of its own on the node's bridge or on networks.
   */
  join(
    containerId: string,
    { networkId, taskId }: Omit<JoinedNetwork, "place">,
    { dnsServers, ndots }: Pick<OverlayAttachment, "dnsServers" | "ndots">,
  ): Promise<Attachment> {
    return this.#serial(containerId, async () => {
      const existing = this.#attachments.get(containerId);
      const hasNamespace = existing?.mode === "default" || existing?.overlay !== undefined;
      if (existing === undefined || !hasNamespace)
        throw new NotAttachedError(`container ${containerId} has no network of its own here`);
      const none = { taskId: "", networkIds: [], isInternalOnly: false };
      const overlay = existing.overlay ?? { ...none, dnsServers, ndots };
      const joined = overlay.joined ?? [];
      if (joined.some((one) => one.taskId === taskId)) return existing;
      const place = freePlace(overlay.networkIds.length, joined);
      return this.#changeJoined(existing, overlay, [...joined, { networkId, taskId, place }]);
    });
  }

  /** Undoes `join`. undefined: there was nothing. */
  leave(containerId: string, taskId: string): Promise<Attachment | undefined> {
    return this.#serial(containerId, async () => {
      const existing = this.#attachments.get(containerId);
      const overlay = existing?.overlay;
      const joined = overlay?.joined?.filter((one) => one.taskId !== taskId);
      if (existing === undefined || overlay === undefined) return undefined;
      if (joined === undefined || joined.length === overlay.joined?.length) return undefined;
      return this.#changeJoined(existing, overlay, joined);
    });
  }

  async #changeJoined(
    existing: Attachment,
    overlay: OverlayAttachment,
    joined: readonly JoinedNetwork[],
  ): Promise<Attachment> {
    const attachment = { ...existing, overlay: { ...overlay, joined } };
    this.#attachments.set(existing.containerId, attachment);
    await this.#save();
    return attachment;
  }

  release(containerId: string): Promise<void> {
    return this.#serial(containerId, async () => {
      const attachment = this.#attachments.get(containerId);
      this.#attachments.delete(containerId);
      if (attachment !== undefined && attachment.hostPorts.length > 0) await this.#applyRules();
      for (const port of attachment?.hostPorts ?? []) {
        this.#ports.release(port.protocol, port.publishedPort);
      }
      const isPlanes = attachment?.mode === "default" || attachment?.overlay !== undefined;
      if (isPlanes) await this.#onRelease(attachment);
      if (attachment?.mode !== "host") {
        await this.#kernel.removeNetns(
          (attachment ?? this.#unknown.get(containerId))?.netns ??
            netnsName(this.#names, containerId),
        );
      }
      const address = (attachment ?? this.#unknown.get(containerId))?.address ?? "";
      this.#unknown.delete(containerId);
      if (address !== "") this.#pool.free(parseIpv4(address));
      await this.#save();
      this.#refillSoon();
    });
  }

  /** Releases everything but these. Returns what went. */
  async sync(wanted: readonly string[]): Promise<readonly string[]> {
    const keep = new Set(wanted);
    const prefix = this.#names.netnsPrefix;
    const owned = new Set(
      [...this.#spares, ...this.#attachments.values()].map(({ netns }) => netns),
    );
    for (const { netns } of this.#unknown.values()) owned.add(netns);
    const strays = (await this.#kernel.listNetns(prefix))
      .filter((netns) => !owned.has(netns))
      .map((netns) => netns.slice(prefix.length));
    const known = [...this.#attachments.keys(), ...this.#unknown.keys()];
    const extra = [...new Set([...known, ...strays])].filter(
      (id) => id !== "host" && !keep.has(id),
    );
    await Promise.all(extra.map((id) => this.release(id)));
    return extra.sort();
  }

  /** Takes everything away: the node left its cluster. */
  async removeAll(): Promise<void> {
    this.#isClosed = true;
    this.#cancelRefill();
    await this.#refilling;
    await this.sync([]);
    for (const { netns } of this.#spares.splice(0)) await this.#kernel.removeNetns(netns);
    this.#ports.releaseAll();
    await this.#kernel.removeTable(this.#names.nftTable);
    await this.#kernel.removeBridge(this.#names.bridge);
    await this.#kernel.removeNetns(netnsName(this.#names, "host"));
  }

  async #make(
    containerId: string,
    mode: Attachment["mode"],
    hostPorts: readonly HostPort[],
  ): Promise<Attachment> {
    if (mode === "host") {
      const netnsPath = this.#hostPath;
      return { containerId, netns: "", mode, netnsPath, address: "", hostPorts: [] };
    }
    if (mode === "none") {
      const netns = netnsName(this.#names, containerId);
      await this.#kernel.addNetns(netns);
      const netnsPath = this.#kernel.netnsPath(netns);
      return { containerId, netns, mode, netnsPath, address: "", hostPorts: [] };
    }
    const held: HostPort[] = [];
    try {
      for (const port of hostPorts) {
        const publishedPort = await this.#ports.hold(port.protocol, port.publishedPort);
        held.push({ ...port, publishedPort });
      }
      const { netns, address } = this.#adopted(containerId) ?? (await this.#endpoint(containerId));
      const netnsPath = this.#kernel.netnsPath(netns);
      return { containerId, netns, mode, netnsPath, address, hostPorts: held };
    } catch (error) {
      for (const port of held) this.#ports.release(port.protocol, port.publishedPort);
      throw error;
    }
  }

  /** The container's own namespace of an earlier life of this process, if the state file did not name it. */
  #adopted(containerId: string): Spare | undefined {
    const found = this.#unknown.get(containerId);
    this.#unknown.delete(containerId);
    return found;
  }

  #hostLink(address: string): string {
    return vethName(this.#names, parseIpv4(address) - this.#pool.prefix.base);
  }

  async #endpoint(containerId: string): Promise<Spare> {
    const spare = this.#spares.shift();
    if (spare === undefined) return this.#makeEndpoint(containerId);
    // The name follows in the next quiet moment: it is for people, and for a restart that finds no state file.
    this.#unnamed.set(this.#hostLink(spare.address), vethAlias(this.#names, containerId));
    return spare;
  }

  /** A spare's name follows from its address: whatever namespace still lives, from this process or one before it, keeps its own. */
  async #makeEndpoint(containerId?: string): Promise<Spare> {
    const taken = this.#pool.take();
    if (taken === undefined) {
      const whom = containerId === undefined ? "" : ` for container ${containerId}`;
      throw new NodeNetworkError(`no free address in ${this.subnet}${whom}`);
    }
    const name = containerId ?? `spare${taken - this.#pool.prefix.base}`;
    const netns = netnsName(this.#names, name);
    const address = formatIpv4(taken);
    try {
      await this.#kernel.addEndpoint(this.#endpointOf({ netns, address }, name));
    } catch (error) {
      this.#pool.free(taken);
      await this.#kernel.removeNetns(netns);
      throw error;
    }
    return { netns, address };
  }

  #endpointOf({ netns, address }: Spare, name: string): Endpoint {
    return {
      netns,
      hostLink: this.#hostLink(address),
      alias: vethAlias(this.#names, name),
      bridge: this.#names.bridge,
      address: `${address}/${this.prefixLength}`,
      gateway: this.gateway,
      mac: macOf(parseIpv4(address)),
    };
  }

  #ensureBridge(): Promise<void> {
    const { bridge, bridgeAlias } = this.#names;
    const { gateway } = this.#pool;
    const address = `${formatIpv4(gateway)}/${this.prefixLength}`;
    return this.#kernel.ensureBridge(bridge, bridgeAlias, address, macOf(gateway));
  }

  /** After a quiet moment, one at a time, so that it is never in the way of a container. */
  #refillSoon(delayMs = SPARE_QUIET_MS): void {
    this.#cancelRefill();
    const isFull = this.#spares.length >= this.#spareCount && this.#unnamed.size === 0;
    if (this.#isClosed || isFull) return;
    this.#cancelRefill = this.#clock.setTimer(delayMs, () => {
      this.#refilling = this.#refill(); // reports its own failures
    });
  }

  async #refill(): Promise<void> {
    try {
      if (this.#unnamed.size > 0) {
        const aliases = new Map(this.#unnamed);
        this.#unnamed.clear();
        await this.#kernel.setAliases(aliases);
      }
      while (this.#busy === 0 && !this.#isClosed && this.#spares.length < this.#spareCount) {
        const spare = await this.#makeEndpoint();
        if (this.#isClosed) await this.#kernel.removeNetns(spare.netns);
        else this.#spares.push(spare);
        await this.#save();
      }
    } catch (error) {
      this.#logger.warn({ error }, "no endpoint could be made ahead");
    }
  }

  async #adopt(stored: StoredState | undefined): Promise<void> {
    const prefix = this.#names.netnsPrefix;
    const cleared = await this.#kernel.clearNames(prefix);
    if (cleared.length > 0) this.#logger.info({ cleared }, "half-made namespaces are taken away");
    const alive = new Set(await this.#kernel.listNetns(prefix));
    alive.delete(netnsName(this.#names, "host"));
    for (const entry of stored?.attachments ?? []) {
      if (entry.mode !== "host" && !alive.delete(entry.netns)) continue;
      if (entry.address !== "") this.#pool.claim(parseIpv4(entry.address));
      for (const port of entry.hostPorts) {
        await this.#ports.hold(port.protocol, port.publishedPort).catch((error: unknown) => {
          // The running container keeps its rule; the operator learns who took the port meanwhile.
          this.#logger.error({ error, containerId: entry.containerId }, "published port is lost");
        });
      }
      const netnsPath =
        entry.mode === "host" ? this.#hostPath : this.#kernel.netnsPath(entry.netns);
      this.#attachments.set(entry.containerId, { ...entry, netnsPath });
    }
    for (const spare of stored?.spares ?? []) {
      if (!alive.delete(spare.netns)) continue;
      this.#pool.claim(parseIpv4(spare.address));
      this.#spares.push(spare);
    }
    // Whom the file does not name may still run: its address stays taken until somebody releases it.
    const aliases = alive.size === 0 ? new Map() : await this.#kernel.aliases(this.#names.bridge);
    for (const netns of alive) {
      const address = await this.#kernel.addressIn(netns);
      if (address === undefined) continue;
      this.#pool.claim(parseIpv4(address));
      const alias = aliases.get(this.#hostLink(address)) ?? "";
      const containerId = containerOfAlias(this.#names, alias) ?? netns.slice(prefix.length);
      this.#unknown.set(containerId, { netns, address });
    }
  }

  #applyRules(): Promise<void> {
    return this.#ruling.run();
  }

  #rules(): string {
    return nodeRuleset(this.#names, this.subnet, this.#hostPortRules());
  }

  #hostPortRules(): readonly HostPortRule[] {
    return this.attachments.flatMap((attachment) =>
      attachment.hostPorts.map((port) => ({ ...port, address: attachment.address })),
    );
  }

  #save(): Promise<void> {
    return this.#saving.run();
  }

  #write(): Promise<void> {
    return writeStateFile(this.#stateFile, {
      nodeId: this.#names.nodeId,
      subnet: this.subnet,
      attachments: this.attachments.map(({ netnsPath: _, ...rest }) => rest),
      spares: [...this.#spares],
    });
  }

  async #serial<T>(containerId: string, work: () => Promise<T>): Promise<T> {
    const before = this.#queues.get(containerId) ?? Promise.resolve();
    const mine = before
      .catch(() => undefined)
      .then(async () => {
        await this.#enter();
        try {
          return await work();
        } finally {
          this.#leave();
        }
      });
    this.#queues.set(containerId, mine);
    try {
      return await mine;
    } finally {
      if (this.#queues.get(containerId) === mine) this.#queues.delete(containerId);
    }
  }

  async #enter(): Promise<void> {
    if (this.#busy < ATTACH_CONCURRENCY) {
      this.#busy++;
      return;
    }
    // The one that leaves hands its place over.
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  #leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#busy--;
    else next();
  }
}

/** The first interface that neither the networks of its start have nor one that it was connected to. */
function freePlace(first: number, joined: readonly JoinedNetwork[]): number {
  let place = first;
  while (joined.some((one) => one.place === place)) place++;
  return place;
}

async function chooseSubnet(kernel: Kernel, names: NodeNames, pool: string) {
  const taken = (await kernel.routes(names.bridge)).map(parsePrefix);
  const chosen = firstFreePrefix(parsePrefix(pool), BRIDGE_PREFIX_LENGTH, taken);
  if (chosen === undefined) {
    const poolPrefix = parsePrefix(pool);
    const inTheWay = taken.filter((route) => overlaps(route, poolPrefix)).map(formatPrefix);
    throw new NodeNetworkError(
      `no free /${BRIDGE_PREFIX_LENGTH} in ${pool} for this node's bridge: routes in the way: ${inTheWay.join(", ")}; choose another --gwbridge-pool`,
    );
  }
  return chosen;
}
