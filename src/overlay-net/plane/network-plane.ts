import type { NodeTunnel } from "../../api/index.js";
import type { Clock, Logger } from "../../base/index.js";
import { Coalesced } from "../coalesced.js";
import type { DesiredInput } from "../core/cluster-lookup.js";
import { endedConnections } from "../core/conntrack.js";
import { familyProblem } from "../core/data-path-family.js";
import { DesiredMemo, desiredState } from "../core/desired.js";
import type { LocalFacts } from "../core/local-facts.js";
import { type WantedProxy, wantedProxies } from "../core/mesh-proxies.js";
import { ingressLink, type NodeNames, nodeNames, sandboxNetns } from "../core/names.js";
import type { EndpointEntry, NetworkEntry, NetworkState } from "../core/network-state.js";
import { firewallNotices } from "../core/rulesets/foreign-firewall.js";
import type { DnsService } from "../dns/index.js";
import { KernelError, type NetnsKernel } from "../kernel/netns-kernel.js";
import type { Attachment } from "../node-network.js";
import type { MeshProxies, ProxiedPort } from "../proxies/index.js";
import type { EncryptedTunnel } from "../wireguard/encrypted-tunnel.js";
import { DrainTimes } from "./drain-times.js";
import { EndpointWaits } from "./endpoint-waits.js";
import { EMPTY_HOST, type HostFacts, type HostProbe } from "./host-facts.js";
import { IngressPorts, type PortOwner } from "./ingress-ports.js";
import { type Failures, isLost, KernelProgrammer, messageOf } from "./kernel-programmer.js";
import { Lane } from "./lane.js";
import { LocalView } from "./local-view.js";
import { type NetworksMessage, stateAfter } from "./networks-message.js";
import type { PlaneFile, StoredPlane } from "./plane-file.js";
import type { ListenOnPort, Port } from "./port-listeners.js";
import { Reconciler } from "./reconciler.js";
import { type Found, type NodeBridge, Repairer } from "./repairer.js";

/** What the node's bridge and its containers are, of whom the plane keeps only what belongs to networks. */
export interface NodeSide {
  /** CIDR of the bridge. */
  readonly subnet: string;
  readonly attachments: readonly Attachment[];
  /** Namespaces of containers that are not among the attachments (yet). */
  unclaimed(): Promise<readonly string[]>;
}

export type NetworkPlaneOptions = {
  readonly kernel: NetnsKernel;
  readonly node: NodeSide;
  /** undefined: it is in another (simulated) kernel, and not looked at. */
  readonly bridge: NodeBridge | undefined;
  /** Containers' namespaces are in a (simulated) kernel of the plane's own: nobody else removes them. */
  readonly removesContainers: boolean;
  /** undefined: no resolver in containers. */
  readonly dns: DnsService | undefined;
  /** undefined: encrypted networks have no tunnel, as in a simulated kernel nothing is sent. */
  readonly tunnel: EncryptedTunnel | undefined;
  /** undefined: nobody passes on from IPv6 to IPv4 here. */
  readonly proxies: MeshProxies | undefined;
  readonly host: HostProbe;
  readonly listen: ListenOnPort;
  readonly ownerOf: PortOwner;
  readonly file: Pick<PlaneFile, "write">;
  /** What the file said. */
  readonly stored: StoredPlane;
  /** What cannot work on this host, for the operator; "" when all can. */
  readonly problem: string;
  /** The port to the kernel has ended: the process must start anew. */
  readonly onKernelLost: (error: unknown) => void;
  readonly clock: Clock;
  readonly logger: Logger;
};

export class PlaneError extends Error {
  override readonly name = "PlaneError";
}

export type PlaneStatus = {
  readonly kernel: NetnsKernel["kind"];
  /** Index of what the managers said last; 0 before the first time. */
  readonly networksIndex: number;
  /** Highest index that the kernel holds entirely. */
  readonly appliedIndex: number;
  readonly problems: readonly string[];
  /** undefined before this node was on an encrypted network. */
  readonly tunnel: NodeTunnel | undefined;
  /** Published ports of this node's tasks that take IPv4 alone, as of the last look. */
  readonly proxied: readonly ProxiedPort[];
  readonly counters: PlaneCounters;
};

/** As swarm.net.FlowsReply. */
export type Flows = { readonly open: number; readonly drainMs: number };

/** Since the start of the process. */
export type PlaneCounters = {
  /** Looks at everything. */
  readonly checks: number;
  /** Differences found between what is desired and what was there. */
  readonly drifts: number;
  /** Times that a desired state was brought to the kernel. */
  readonly rounds: number;
  /** Rounds and repairs that were not done entirely. */
  readonly failures: number;
};

/** Among failures by namespace: what all encrypted networks share. No namespace has this name. */
const TUNNEL = "wireguard";

/**
 * The overlay networks on this node: what the managers said of them, and the node's own facts, brought to the kernel and kept there. A
 * change that comes while another is being programmed is in the next round; there is one round at a time.
 */
export class NetworkPlane {
  readonly #options: NetworkPlaneOptions;
  readonly #names: NodeNames;
  readonly #lane = new Lane();
  readonly #memo = new DesiredMemo();
  readonly #programmer: KernelProgrammer;
  readonly #repairer: Repairer;
  readonly #reconciler: Reconciler;
  readonly #ports: IngressPorts;
  readonly #waits: EndpointWaits;
  readonly #drainTimes = new DrainTimes();
  readonly #local = new LocalView();
  readonly #round = new Coalesced(() => this.#inTurn(() => this.#program()));
  #hostFacts: HostFacts = EMPTY_HOST;
  #state: NetworkState | undefined;
  /** What the kernel was brought to last. */
  #input: DesiredInput | undefined;
  #stored: StoredPlane;
  readonly #isRestart: boolean;
  #failures: Failures = new Map();
  #appliedIndex = 0;
  #counters = { checks: 0, rounds: 0, failures: 0 };
  #isClosed = false;

  /** Continues with what was stored; the kernel follows in the background. */
  static async open(options: NetworkPlaneOptions): Promise<NetworkPlane> {
    const plane = new NetworkPlane(options);
    await plane.#begin();
    return plane;
  }

  private constructor(options: NetworkPlaneOptions) {
    const { kernel, bridge, clock, logger, listen, ownerOf, stored } = options;
    this.#options = options;
    this.#names = nodeNames(stored.nodeId);
    this.#stored = stored;
    this.#isRestart = stored.state !== undefined;
    this.#waits = new EndpointWaits(clock);
    const { removesContainers } = options;
    const names = this.#names;
    const explain = (error: unknown) => this.#explain(error);
    this.#programmer = new KernelProgrammer({
      ...{ kernel, names, clock, logger, removesContainers, explain },
    });
    this.#repairer = new Repairer(this.#programmer, this.#names, bridge, logger);
    const live = stored.ruledPorts;
    this.#ports = new IngressPorts({ listen, ownerOf, logger, live });
    const check = (names: readonly string[] | undefined) => this.#check(names);
    this.#reconciler = new Reconciler({ kernel, clock, logger, check });
    this.#setState(stored.state);
  }

  get status(): PlaneStatus {
    const { problem } = this.#reconciler;
    return {
      kernel: this.#options.kernel.kind,
      networksIndex: this.#state?.index ?? 0,
      appliedIndex: this.#appliedIndex,
      problems: [
        ...(this.#options.problem === "" ? [] : [this.#options.problem]),
        ...[...this.#withTunnel(this.#failures).values()].map((text) => `networks: ${text}`),
        ...this.#ports.problems,
        ...[this.#state === undefined ? "" : familyProblem(this.#state)].filter(Boolean),
        ...firewallNotices(this.#names, this.#forwardingLinks(), this.#hostFacts.firewall),
        ...(problem === "" ? [] : [`networks: changes are seen late: ${problem}`]),
      ],
      tunnel: this.#options.tunnel?.published,
      proxied: this.#options.proxies?.proxied ?? [],
      counters: { ...this.#counters, drifts: this.#repairer.driftCount },
    };
  }

  /**
   * Takes over what the managers say and resolves when the kernel was brought to it: to the highest index that it holds entirely, which is
   * a lower one when something could not be done (see `status`). undefined: a complete set is needed, nothing was changed. Throws
   * NetworksMessageError.
   */
  async setNetworks(message: NetworksMessage): Promise<number | undefined> {
    this.#checkOpen();
    const state = stateAfter(this.#state, message, this.#stored.nodeId);
    if (state === undefined) return undefined;
    const isHeld = state === this.#state && this.#appliedIndex === state.index;
    if (isHeld) return this.#appliedIndex;
    this.#setState(state);
    await this.#round.run();
    return this.#appliedIndex;
  }

  /** Containers are answered on 127.0.0.11. */
  get hasResolver(): boolean {
    return this.#options.dns !== undefined;
  }

  /** Whether none of these networks leads out. Waits for the managers' word. Rejects EndpointError. */
  async isInternalOnly(
    taskId: string,
    networkIds: readonly string[],
    signal: AbortSignal,
  ): Promise<boolean> {
    const state = await this.#waits.has(taskId, networkIds, signal);
    const networks = state.networks.filter(
      ({ id, isIngress }) => networkIds.includes(id) && !isIngress,
    );
    return networks.length > 0 && networks.every(({ isInternal }) => isInternal);
  }

  /** Puts a container that has its namespace on its networks; may be repeated. Rejects PlaneError, NetnsSocketError. */
  async connect(attachment: Attachment): Promise<void> {
    this.#checkOpen();
    await this.#openDns(attachment);
    const failures = await this.#round.run();
    const networkIds = networkIdsOf(attachment);
    const isEncrypted = this.#state?.networks.some(
      (network) => network.isEncrypted && networkIds.includes(network.id),
    );
    const concerned = [
      ...(isEncrypted === true ? [TUNNEL] : []),
      ...networkIds.map((id) => sandboxNetns(this.#names, id)),
      attachment.netns,
    ];
    const found = concerned.find((netns) => failures.has(netns));
    if (found !== undefined) throw new PlaneError(failures.get(found));
  }

  /** Gives a container outside networks its part of the IPv6 way out, where there is one. Never rejects: it is tried again. */
  async connectOutside({ containerId }: Attachment): Promise<void> {
    if (this.#isClosed || !this.#coversAll) return;
    try {
      await this.#round.run();
    } catch (error) {
      this.#options.logger.warn({ error, containerId }, "networks: a container has no IPv6 yet");
    }
  }

  /** Takes a container off its networks, before its namespace goes. Never rejects. */
  async disconnect({ containerId, overlay }: Attachment): Promise<void> {
    if (overlay === undefined && !this.#coversAll) return;
    try {
      await this.#options.dns?.detach(containerId);
      this.#local.setDns(containerId, undefined);
      await this.#round.run();
    } catch (error) {
      this.#options.logger.warn({ error, containerId }, "networks: a container is not taken off");
    }
  }

  /** Resolves when the managers have said which endpoint this is. Rejects EndpointError. */
  async hasEndpoint(taskId: string, networkId: string, signal: AbortSignal): Promise<void> {
    await this.#waits.has(taskId, [networkId], signal);
  }

  /** The endpoints of a task on these networks with their networks, as far as the managers have said. */
  endpointsOf(
    taskId: string,
    networkIds: readonly string[],
  ): readonly { readonly network: NetworkEntry; readonly endpoint: EndpointEntry }[] {
    const { networks, endpoints } = this.#state ?? { networks: [], endpoints: [] };
    return networkIds.flatMap((id) => {
      const network = networks.find((one) => one.id === id);
      const endpoint = endpoints.find((one) => one.networkId === id && one.taskId === taskId);
      return network === undefined || endpoint === undefined ? [] : [{ network, endpoint }];
    });
  }

  /**
   * Connections that a container still answers on its networks; of one endpoint of it where `taskId` is an attachment's. They are seen in
   * its own namespace, however a client came there: by a VIP, through the mesh or by its address. Does not wait for what is being
   * programmed.
   */
  async flows({ netns, overlay }: Attachment, taskId = ""): Promise<Flows> {
    const own = overlay?.taskId ?? "";
    const all = [own, ...(overlay?.joined ?? []).map((one) => one.taskId)];
    const asked = new Set((taskId === "" ? all : [taskId]).filter((id) => id !== ""));
    const addresses = (this.#state?.endpoints ?? [])
      .filter((endpoint) => asked.has(endpoint.taskId))
      .flatMap(({ address, address6 }) => [address, address6])
      .filter((address) => address !== "");
    const drainMs = this.#drainTimes.of(taskId === "" ? own : taskId);
    if (addresses.length === 0) return { open: 0, drainMs };
    return { open: await this.#options.kernel.openFlows(netns, addresses), drainMs };
  }

  /** Differences in these networks (none named: everywhere), and whether they are gone now. */
  verify(networkIds: readonly string[], repair: boolean): Promise<readonly Found[]> {
    return this.#inTurn(async () => {
      if (this.#input === undefined) return [];
      const found = [
        ...(await this.#verifyTunnel(networkIds, repair)),
        ...(await this.#repairer.verify(networkIds, repair)),
      ];
      if (found.some(({ isRepaired }) => repair && !isRepaired)) this.#counters.failures++;
      return found;
    });
  }

  /** Ports of tasks on these networks (none named: on all) that take IPv4 alone, as of now. */
  async proxiedOf(networkIds: readonly string[]): Promise<readonly ProxiedPort[]> {
    const { proxies } = this.#options;
    const ingress = this.#state?.networks.find(({ isIngress }) => isIngress)?.id;
    const isAsked =
      ingress !== undefined && (networkIds.length === 0 || networkIds.includes(ingress));
    if (proxies === undefined || !isAsked) return [];
    await proxies.look();
    return proxies.proxied;
  }

  /** Ends all that runs; what is in the kernel stays. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#reconciler.close();
    await this.#lane.run(() => Promise.resolve());
    await this.#options.dns?.close();
    this.#ports.keepOnly([]);
    this.#options.proxies?.keepOnly([]);
  }

  async #begin(): Promise<void> {
    this.#hostFacts = await this.#options.host.facts();
    const overlay = this.#attachments();
    const opened = await Promise.allSettled(overlay.map((one) => this.#openDns(one)));
    for (const one of opened) {
      if (one.status === "rejected")
        this.#options.logger.error({ error: one.reason }, "a container has no resolver");
    }
    if (this.#state !== undefined) {
      this.#options.dns?.update(this.#state);
      // Reports its own failures; whoever asks waits for it in the lane.
      void this.#round.run().catch((error: unknown) => {
        this.#options.logger.error({ error }, "networks: not at work again yet");
      });
    }
    this.#reconciler.start();
  }

  #attachments(): readonly Attachment[] {
    return this.#options.node.attachments.filter(
      ({ overlay, address }) => overlay !== undefined || (this.#coversAll && address !== ""),
    );
  }

  /** Containers outside networks too: from the first IPv6 way out on, as they have their part of it, or had. */
  get #coversAll(): boolean {
    return this.#hostFacts.hasDefaultRoute6 || this.#stored.hadDefaultRoute6 === true;
  }

  #setState(state: NetworkState | undefined): void {
    this.#state = state;
    if (state === undefined) return;
    this.#waits.update(state);
    this.#drainTimes.update(state);
  }

  async #openDns({ containerId, netnsPath, overlay }: Attachment): Promise<void> {
    const { dns } = this.#options;
    if (dns === undefined || overlay === undefined) return;
    const networkIds = networkIdsOf({ overlay });
    const { dnsServers, ndots, isInternalOnly } = overlay;
    const scope = { containerId, netnsPath, networkIds, dnsServers, ndots, isInternalOnly };
    const ports = await dns.attach(scope);
    this.#local.setDns(containerId, ports);
  }

  async #program(): Promise<Failures> {
    const state = this.#state;
    if (state === undefined || this.#isClosed) return new Map();
    const wanted = publishedPorts(state);
    await this.#ports.hold(wanted);
    const { proxies } = this.#options;
    const relayed = proxies === undefined ? [] : this.#wantedProxies(state);
    await proxies?.hold(relayed);
    const input = { state, names: this.#names, local: this.#localFacts() };
    const desired = desiredState(input, this.#memo);
    const before = this.#input;
    await this.#learnToDelete();
    if (before === undefined && this.#isRestart) await this.#repairer.logDrift(input, desired);
    await this.#followTunnel(state, false);
    const programming = this.#programmer.program(desired);
    const saved = this.#saveMeanwhile(state);
    // Both are awaited below: until then a failure is nobody's.
    for (const one of [programming, saved]) one.catch(() => undefined);
    const failures = this.#withTunnel(await programming);
    this.#repairer.expect(input, desired);
    this.#input = input;
    this.#counters.rounds++;
    this.#concluded(state, failures);
    if (before !== undefined && before.state !== state)
      await this.#programmer.endConnections(endedConnections(before, input));
    this.#ports.keepOnly(wanted);
    proxies?.keepOnly(relayed);
    if (before?.state !== state) this.#options.dns?.update(state);
    this.#reconciler.follow(new Set(desired.map(({ netns }) => netns)));
    await saved;
    return failures;
  }

  /** As the tunnel is now: it is looked at between the rounds too. */
  #withTunnel(failures: Failures): Failures {
    const problem = this.#options.tunnel?.problem ?? "";
    const others = [...failures].filter(([netns]) => netns !== TUNNEL);
    return new Map(problem === "" ? others : [...others, [TUNNEL, problem]]);
  }

  /** It serves all encrypted networks: each of them shows what is wrong with it. */
  async #verifyTunnel(networkIds: readonly string[], repair: boolean): Promise<readonly Found[]> {
    const { tunnel } = this.#options;
    const state = this.#state;
    const network = state?.networks.find(
      ({ id, isEncrypted }) => isEncrypted && (networkIds.length === 0 || networkIds.includes(id)),
    );
    if (tunnel === undefined || state === undefined || network === undefined) return [];
    const before = await tunnel.findings(state);
    if (before.length > 0 && repair) await this.#followTunnel(state, true);
    const left = new Set(repair ? await tunnel.findings(state) : before);
    return before.map((what) => ({
      networkId: network.id,
      netns: "",
      what,
      isRepaired: !left.has(what),
    }));
  }

  /** Looks at the interface, and at how old its sessions and keys are. */
  async #checkTunnel(): Promise<void> {
    await this.#inTurn(async () => {
      if (this.#state !== undefined) await this.#followTunnel(this.#state, true);
    });
  }

  async #followTunnel(state: NetworkState, mustLook: boolean): Promise<void> {
    if (await this.#options.tunnel?.follow(state, mustLook)) this.#reconciler.soon("");
  }

  #concluded(state: NetworkState, failures: Failures): void {
    this.#failures = failures;
    if (failures.size === 0) {
      this.#appliedIndex = state.index;
      return;
    }
    this.#counters.failures++;
    const texts = [...failures.values()];
    this.#options.logger.error({ failures: texts }, "networks: not everything is in the kernel");
  }

  /** Who has the port of the tunnels: the kernel says only that somebody has. */
  async #explain(error: unknown): Promise<string> {
    const text = messageOf(error);
    const isTaken = error instanceof KernelError && error.code === "IN_USE";
    const port = this.#state?.dataPathPort;
    if (!isTaken || port === undefined) return text;
    const owner = await this.#options.ownerOf("udp", port);
    return `${text}: UDP port ${port}, which networks use between nodes, is held by ${owner ?? "a program or a VXLAN device of another kind"} on this node (ss -lunp, ip -d link): free it, or make the cluster with another --data-path-port`;
  }

  /** Something of a container that nobody told us of yet must not be taken away. */
  async #learnToDelete(): Promise<void> {
    if (this.#programmer.mayDelete) return;
    this.#programmer.mayDelete = (await this.#options.node.unclaimed()).length === 0;
  }

  #wantedProxies(state: NetworkState): readonly WantedProxy[] {
    const containers = this.#attachments().map(({ containerId, netnsPath, overlay }) => ({
      ...{ containerId, netnsPath, taskId: overlay?.taskId ?? "" },
    }));
    return wantedProxies(state, containers);
  }

  /** Links of ours that packets are forwarded through. */
  #forwardingLinks(): readonly string[] {
    return [this.#names.bridge, ingressLink(this.#names)];
  }

  #localFacts(): LocalFacts {
    return {
      ...this.#hostFacts,
      attachments: this.#local.of(
        this.#attachments(),
        this.#options.proxies?.byContainer ?? new Map(),
      ),
      keepsGwbridge: false,
      gwbridgeSubnet: this.#options.node.subnet,
      gwbridgeMtu: 0,
      heldPorts: this.#ports.ruled,
      wasForwarding: this.#stored.wasForwarding,
      wasForwarding6: this.#stored.wasForwarding6 === true,
    };
  }

  /** Begins when the kernel's thread has something to do: of ten thousand endpoints the text alone takes as long as planning them. */
  async #saveMeanwhile(state: NetworkState): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    await this.#save(state);
  }

  /** Before the kernel's answer goes out, so that a restart begins with it. */
  async #save(state: NetworkState): Promise<void> {
    const ruledPorts = this.#ports.ruled;
    const hadDefaultRoute6 = this.#coversAll;
    const isSame =
      this.#stored.state === state &&
      this.#stored.ruledPorts.length === ruledPorts.length &&
      (this.#stored.hadDefaultRoute6 ?? false) === hadDefaultRoute6;
    if (isSame) return;
    this.#stored = { ...this.#stored, state, ruledPorts, hadDefaultRoute6 };
    await this.#options.file.write(this.#stored);
  }

  async #check(netnsNames: readonly string[] | undefined): Promise<void> {
    if (this.#state === undefined) return;
    if (netnsNames === undefined) await this.#prepareCheck();
    else if (netnsNames.includes("")) {
      await this.#followDefaultRoute();
      await this.#checkTunnel();
    }
    const names = netnsNames ?? (await this.#inTurn(() => this.#repairer.netnsNames()));
    for (const some of this.#repairer.portions(names)) {
      const failures = await this.#inTurn(() => this.#repairer.repair(some));
      if (failures.size > 0) this.#counters.failures++;
    }
  }

  async #followDefaultRoute(): Promise<void> {
    const hasDefaultRoute6 = await this.#options.host.hasDefaultRoute6();
    if (hasDefaultRoute6 === this.#hostFacts.hasDefaultRoute6) return;
    this.#hostFacts = { ...this.#hostFacts, hasDefaultRoute6 };
    await this.#round.run();
  }

  /** What may have changed without the kernel's or the managers' word. */
  async #prepareCheck(): Promise<void> {
    this.#counters.checks++;
    const before = JSON.stringify(this.#hostFacts);
    this.#hostFacts = await this.#options.host.facts();
    await this.#checkTunnel();
    // Nothing here waits for it.
    void this.#options.proxies?.look();
    const hasOtherFacts = JSON.stringify(this.#hostFacts) !== before;
    const state = this.#state;
    const hasPort = state !== undefined && (await this.#ports.retry(publishedPorts(state)));
    const mustDelete = !this.#programmer.mayDelete;
    const tunnelProblem = this.#options.tunnel?.problem ?? "";
    const isBehind =
      this.#failures.size > 0 || tunnelProblem !== "" || this.#appliedIndex !== state?.index;
    if (hasOtherFacts || hasPort || mustDelete || isBehind) await this.#round.run();
  }

  /** One use of the kernel at a time. */
  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    return this.#lane.run(async () => {
      try {
        return await work();
      } catch (error) {
        if (isLost(error) && !this.#isClosed) this.#options.onKernelLost(error);
        throw error;
      }
    });
  }

  #checkOpen(): void {
    if (this.#isClosed) throw new PlaneError("this node is leaving its cluster");
  }
}

/** Those it was started with first: the order of its names and interfaces. */
function networkIdsOf({ overlay }: Pick<Attachment, "overlay">): readonly string[] {
  return [
    ...(overlay?.networkIds ?? []),
    ...(overlay?.joined ?? []).map(({ networkId }) => networkId),
  ];
}

function publishedPorts({ networks, services }: NetworkState): readonly Port[] {
  const ingress = networks.find(({ isIngress }) => isIngress)?.id;
  return services
    .filter(({ networkId }) => networkId === ingress)
    .flatMap(({ ports }) =>
      ports.map(({ protocol, publishedPort }) => ({ protocol, publishedPort })),
    );
}
