import { rm } from "node:fs/promises";
import type { NodeIdentity } from "../api/index.js";
import { type Clock, type Logger, SystemClock } from "../base/index.js";
import { nodeNames } from "./core/names.js";
import type { NetnsKernel } from "./kernel/netns-kernel.js";
import type { Kernel } from "./kernel/port.js";
import type { NetService } from "./net-service.js";
import { NodeNetwork } from "./node-network.js";
import { ForeignRules } from "./plane/foreign-rules.js";
import { isForwarding, LinuxHostProbe, simulatedHostProbe } from "./plane/host-facts.js";
import { NetworkPlane } from "./plane/network-plane.js";
import { PlaneFile, type StoredPlane } from "./plane/plane-file.js";
import type { PlaneParts, PlanePartsOrProblem } from "./plane/plane-parts.js";
import { holdNothing, listenOnPort } from "./plane/port-listeners.js";
import { portOwner } from "./plane/port-owner.js";
import { removeNetworks } from "./plane/remove-networks.js";
import { canMatchSockets } from "./plane/socket-match.js";
import { MeshProxies } from "./proxies/index.js";
import { readStateFile } from "./state-file.js";
import { EncryptedTunnel } from "./wireguard/encrypted-tunnel.js";
import { KeyFile } from "./wireguard/key-file.js";
import { LinuxTunnelDevice } from "./wireguard/linux-tunnel-device.js";

/** How long to wait before the network is tried again after it could not be made. */
const REOPEN_DELAY_MS = 5_000;

export type NetworkOwnerOptions = {
  readonly kernel: Kernel;
  /** Called once, when this node is on a network for the first time: threads and libraries cost memory. */
  readonly planeParts: () => Promise<PlanePartsOrProblem>;
  readonly service: NetService;
  readonly runDir: string;
  readonly gwbridgePool: string;
  readonly logger: Logger;
  /** Nothing can be programmed any more: the process must start anew. */
  readonly onKernelLost: (error: unknown) => void;
};

/** Follows the node's identity: networks while the node belongs to a cluster, none otherwise. */
export class NetworkOwner {
  readonly #options: NetworkOwnerOptions;
  readonly #stateFile: string;
  readonly #planeFile: PlaneFile;
  readonly #keyFile: KeyFile;
  readonly #clock = new SystemClock();
  #network: NodeNetwork | undefined;
  #plane: NetworkPlane | undefined;
  #parts: PlanePartsOrProblem | undefined;
  #nodeId: string | undefined;
  /** What was stored of networks could not be opened yet. */
  #isPlaneDue = false;
  /** Of the last identity that came. */
  #wanted: string | undefined;
  #turn: Promise<void> = Promise.resolve();
  /** Of the last turn; it is tried again. */
  #failure: Error | undefined;

  constructor(options: NetworkOwnerOptions) {
    this.#options = options;
    this.#stateFile = `${options.runDir}/net-state.json`;
    this.#planeFile = new PlaneFile(`${options.runDir}/net-plane.json`);
    this.#keyFile = new KeyFile(`${options.runDir}/net-wireguard.json`);
  }

  /** Changes are carried out one after the other, in the order they came. */
  follow(identity: NodeIdentity | undefined): Promise<void> {
    const nodeId = identity?.nodeId;
    this.#wanted = nodeId;
    this.#turn = this.#turn.then(() => this.#change(nodeId));
    return this.#turn;
  }

  /** Resolves when the host's networks are those of the identity that came last. Rejects when they could not be made, or removed. */
  async settled(): Promise<void> {
    await this.#turn;
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Ends the port to the kernel; what is in the kernel stays. Afterwards the process must end. */
  async closeKernel(): Promise<void> {
    await this.#parts?.kernel?.close();
  }

  async #change(nodeId: string | undefined): Promise<void> {
    if (nodeId !== undefined && nodeId === this.#nodeId && this.#isUp) return;
    const { service, logger } = this.#options;
    this.#failure = undefined;
    try {
      const stored = (await readStateFile(this.#stateFile))?.nodeId;
      if (stored !== undefined && stored !== nodeId) await this.#removeStored(stored);
      this.#nodeId = nodeId;
      if (nodeId === undefined) return;
      const planeStored = await this.#planeFile.begin(nodeId, isForwarding);
      this.#network ??= await this.#open(nodeId);
      service.setNetwork(this.#network);
      this.#isPlaneDue = planeStored.state !== undefined;
      if (this.#isPlaneDue) await this.#openPlane(planeStored, this.#network);
      else service.setPlane(() => this.#planeOnDemand(nodeId));
      const { bridge, subnet } = this.#network;
      logger.info({ bridge, subnet }, "network is up");
    } catch (error) {
      logger.error({ error }, "the node's network could not be made");
      this.#failure = error instanceof Error ? error : new Error(String(error));
      const text = this.#failure.message;
      if (this.#network === undefined) service.setNetwork(undefined, text);
      service.setPlane(undefined, `overlay networks are not up on this node: ${text}`);
      setTimeout(() => {
        this.#turn = this.#turn.then(() =>
          this.#wanted === nodeId ? this.#change(nodeId) : undefined,
        );
      }, REOPEN_DELAY_MS).unref();
    }
  }

  get #isUp(): boolean {
    return this.#network !== undefined && !this.#isPlaneDue;
  }

  /** Waits for its turn: at most one is opened, and none while the node leaves. */
  #planeOnDemand(nodeId: string): Promise<NetworkPlane | undefined> {
    const opened = this.#turn.then(async () => {
      const network = this.#network;
      if (this.#plane !== undefined || this.#nodeId !== nodeId || network === undefined)
        return this.#plane;
      await this.#openPlane(await this.#planeFile.begin(nodeId, isForwarding), network);
      return this.#plane;
    });
    this.#turn = opened.then(
      () => undefined,
      () => undefined,
    );
    return opened;
  }

  #open(nodeId: string): Promise<NodeNetwork> {
    return NodeNetwork.open(this.#options.kernel, {
      nodeId,
      gwbridgePool: this.#options.gwbridgePool,
      stateFile: this.#stateFile,
      logger: this.#options.logger,
      clock: this.#clock,
      onRelease: async (attachment) => this.#plane?.disconnect(attachment),
    });
  }

  async #openPlane(stored: StoredPlane, node: NodeNetwork): Promise<void> {
    const { service, logger, onKernelLost } = this.#options;
    const parts = await this.#openParts();
    this.#isPlaneDue = false;
    if (parts.kernel === undefined) {
      service.setPlane(undefined, parts.problem);
      return;
    }
    this.#plane = await NetworkPlane.open({
      ...{ node, stored, logger, onKernelLost },
      ...hostParts(parts.kernel, stored.nodeId),
      tunnel: this.#tunnelOf(parts.kernel, stored.nodeId),
      ownerOf: portOwner,
      kernel: parts.kernel,
      removesContainers: parts.kernel.kind === "simulated",
      bridge: parts.kernel.kind === "simulated" ? undefined : node,
      dns: parts.openDns?.(this.#clock, logger),
      proxies: await proxiesOf(parts, stored.nodeId, this.#clock, logger),
      problem: parts.problem,
      file: this.#planeFile,
      clock: this.#clock,
    });
    service.setPlane(this.#plane);
  }

  #tunnelOf(kernel: NetnsKernel, nodeId: string): EncryptedTunnel | undefined {
    if (kernel.kind === "simulated") return undefined;
    const device = new LinuxTunnelDevice(this.#clock);
    const { logger } = this.#options;
    const keys = this.#keyFile;
    return new EncryptedTunnel({
      ...{ names: nodeNames(nodeId), device, keys, clock: this.#clock, logger },
    });
  }

  async #openParts(): Promise<PlanePartsOrProblem> {
    this.#parts ??= await this.#options.planeParts();
    return this.#parts;
  }

  /** The node left that cluster, perhaps while this process was away. */
  async #removeStored(nodeId: string): Promise<void> {
    const { service, logger } = this.#options;
    service.setPlane(undefined);
    service.setNetwork(undefined);
    await this.#plane?.close();
    this.#plane = undefined;
    const network = this.#network ?? (await this.#open(nodeId));
    this.#network = undefined;
    if (this.#parts !== undefined || (await this.#planeFile.hasNetworks(nodeId))) {
      const { kernel } = await this.#openParts();
      if (kernel !== undefined) await removeNetworks(kernel, nodeId, logger);
    }
    await network.removeAll();
    await this.#planeFile.remove();
    await this.#keyFile.remove();
    await rm(this.#stateFile, { force: true });
    logger.info({ nodeId }, "network of the former cluster is removed");
  }
}

/** undefined: none can be made here; an IPv4-only task then answers nobody on IPv6. */
async function proxiesOf(
  { kernel, sockets }: PlaneParts,
  nodeId: string,
  clock: Clock,
  logger: Logger,
): Promise<MeshProxies | undefined> {
  if (sockets === undefined || kernel.kind === "simulated") return undefined;
  const names = nodeNames(nodeId);
  return (await canMatchSockets(kernel, names, logger))
    ? new MeshProxies({ sockets, clock, logger })
    : undefined;
}

function hostParts(kernel: NetnsKernel, nodeId: string) {
  if (kernel.kind === "simulated") return { host: simulatedHostProbe, listen: holdNothing };
  const names = nodeNames(nodeId);
  const host = new LinuxHostProbe(names, new ForeignRules(kernel, names));
  return { host, listen: listenOnPort };
}
