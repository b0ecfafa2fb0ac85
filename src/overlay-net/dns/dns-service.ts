import type { Clock, Logger, Random } from "../../base/index.js";
import { type DnsView, dnsView } from "../core/dns-answer.js";
import { DnsTables } from "../core/dns-table.js";
import type { NetworkState } from "../core/network-state.js";
import { type ConnectionCount, ContainerSockets } from "./container-sockets.js";
import { Forwarder, type ForwardScope } from "./forwarder.js";
import type { HostResolv } from "./host-resolv.js";
import type { NetnsSockets } from "./netns-sockets.js";
import { respond, type Transport } from "./respond.js";
import { SocketUpstreams } from "./upstreams.js";
import { encodeEmpty, RCODE } from "./wire.js";

const DNS_PORT = 53;

export type DnsServiceOptions = {
  readonly sockets: NetnsSockets;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly hostResolv: HostResolv;
  /** Port of the servers that are asked for other names. Default 53. */
  readonly upstreamPort?: number;
};

export type DnsAttachment = ForwardScope & {
  /** In the order the container was attached; ingress is looked up last wherever it stands. */
  readonly networkIds: readonly string[];
};

/** Both on 127.0.0.11 inside the container's namespace. */
export type DnsPorts = { readonly udpPort: number; readonly tcpPort: number };

/** Counted since the start, but for the last three, which are of now. */
export type DnsStats = {
  readonly queries: number;
  readonly answered: number;
  readonly forwarded: number;
  /** Told REFUSED because too many others waited. */
  readonly refused: number;
  /** Told SERVFAIL because no server answered. */
  readonly failed: number;
  /** Answered with what was true a while ago. */
  readonly stale: number;
  readonly malformed: number;
  readonly ignored: number;
  readonly tcpRefused: number;
  readonly forwarding: number;
  readonly tcpConnections: number;
  readonly containers: number;
};

/** Answers the containers of one node. Needs nobody: what it was told last holds until it is told otherwise. */
export interface DnsService {
  /** The complete state; answers follow it from the next question on. */
  update(state: NetworkState): void;
  /**
   * Opens the container's sockets. Repeated for the same namespace, the sockets stay and the rest is replaced; for another
   * one, they move there. Calls for one container are carried out in order. Rejects NetnsSocketError.
   */
  attach(attachment: DnsAttachment): Promise<DnsPorts>;
  /** Closes its sockets; unknown ids are no error. */
  detach(containerId: string): Promise<void>;
  stats(): DnsStats;
  close(): Promise<void>;
}

export function createDnsService(options: DnsServiceOptions): DnsService {
  return new ContainerDns(options);
}

type Container = {
  attachment: DnsAttachment;
  view: DnsView;
  /** Of the tables the view was made from. */
  viewVersion: number;
  readonly sockets: ContainerSockets;
};

type Counters = { queries: number; answered: number; malformed: number; ignored: number };

class ContainerDns implements DnsService {
  readonly #options: DnsServiceOptions;
  readonly #tables = new DnsTables();
  readonly #forwarder: Forwarder;
  readonly #containers = new Map<string, Container>();
  /** The last thing asked for each container. */
  readonly #turns = new Map<string, Promise<unknown>>();
  readonly #counters: Counters = { queries: 0, answered: 0, malformed: 0, ignored: 0 };
  readonly #connections: ConnectionCount = { open: 0, refused: 0 };
  #isTold = false;
  #isClosed = false;

  constructor(options: DnsServiceOptions) {
    this.#options = options;
    const { sockets, random, hostResolv, clock } = options;
    const upstreams = new SocketUpstreams(sockets, random, options.upstreamPort ?? DNS_PORT);
    this.#forwarder = new Forwarder(upstreams, hostResolv, clock);
  }

  update(state: NetworkState): void {
    this.#isTold = true;
    this.#tables.update(state);
  }

  attach(attachment: DnsAttachment): Promise<DnsPorts> {
    return this.#inTurn(attachment.containerId, () => this.#open(attachment));
  }

  detach(containerId: string): Promise<void> {
    return this.#inTurn(containerId, async () => this.#drop(containerId));
  }

  stats(): DnsStats {
    return {
      ...this.#counters,
      ...this.#forwarder.stats,
      tcpRefused: this.#connections.refused,
      forwarding: this.#forwarder.waitingCount,
      tcpConnections: this.#connections.open,
      containers: this.#containers.size,
    };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#forwarder.close();
    await Promise.allSettled(this.#turns.values());
    for (const id of this.#containers.keys()) this.#drop(id);
  }

  async #inTurn<Result>(containerId: string, work: () => Promise<Result>): Promise<Result> {
    const before = this.#turns.get(containerId) ?? Promise.resolve();
    const turn = before.then(work, work);
    this.#turns.set(containerId, turn);
    try {
      return await turn;
    } finally {
      if (this.#turns.get(containerId) === turn) this.#turns.delete(containerId);
    }
  }

  async #open(attachment: DnsAttachment): Promise<DnsPorts> {
    const { containerId, netnsPath } = attachment;
    const known = this.#containers.get(containerId);
    if (known !== undefined && known.attachment.netnsPath === netnsPath) {
      known.attachment = attachment;
      known.viewVersion = -1;
      return portsOf(known.sockets);
    }
    this.#drop(containerId);
    const { sockets: port, clock, logger } = this.#options;
    const handler = (message: Buffer, transport: Transport) =>
      this.#handle(containerId, message, transport);
    const sockets = await ContainerSockets.open(port, netnsPath, handler, clock, this.#connections);
    if (this.#isClosed) {
      sockets.close();
      throw new Error(`container ${containerId}: the resolver closed while it was attached`);
    }
    this.#containers.set(containerId, {
      attachment,
      view: dnsView(this.#tables, attachment.networkIds),
      viewVersion: this.#tables.version,
      sockets,
    });
    logger.debug({ containerId, ...portsOf(sockets) }, "resolver answers");
    return portsOf(sockets);
  }

  #drop(containerId: string): void {
    this.#containers.get(containerId)?.sockets.close();
    this.#containers.delete(containerId);
  }

  #handle(
    containerId: string,
    message: Buffer,
    transport: Transport,
  ): Promise<Buffer> | Buffer | undefined {
    const container = this.#containers.get(containerId);
    if (container === undefined) return undefined;
    this.#counters.queries += 1;
    const outcome = respond(message, transport, this.#viewOf(container), this.#options.random);
    switch (outcome.kind) {
      case "ignore":
        this.#counters.ignored += 1;
        return undefined;
      case "malformed":
        this.#counters.malformed += 1;
        return outcome.bytes;
      case "answer":
        this.#counters.answered += 1;
        return outcome.bytes;
      case "forward":
        // Nobody said yet which names are ours: "try again" is true, "there is none" might not be.
        if (!this.#isTold) return encodeEmpty(outcome.query, RCODE.SERVFAIL);
        return this.#forwarder.forward(outcome.query, transport, container.attachment);
    }
  }

  #viewOf(container: Container): DnsView {
    if (container.viewVersion !== this.#tables.version) {
      container.view = dnsView(this.#tables, container.attachment.networkIds);
      container.viewVersion = this.#tables.version;
    }
    return container.view;
  }
}

function portsOf({ udpPort, tcpPort }: ContainerSockets): DnsPorts {
  return { udpPort, tcpPort };
}
