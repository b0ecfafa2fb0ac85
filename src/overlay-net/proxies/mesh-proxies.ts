import { close, read, write } from "node:fs";
import { promisify } from "node:util";
import type { Clock, Logger } from "../../base/index.js";
import type { Proxy6, WantedProxy } from "../core/mesh-proxies.js";
import {
  decodeSockets,
  encodeSocketsRequest,
  isTaken,
  type OpenSocket,
} from "../core/socket-diag.js";
import type { NetnsSockets } from "../dns/index.js";
import { type FlowBudget, TcpRelay } from "./tcp-relay.js";
import { UdpRelay } from "./udp-relay.js";

/** Relays of one node. */
const RELAYS_MAX = 1_024;
/** TCP connections and UDP clients of one relay. */
const RELAY_FLOWS_MAX = 256;
/** Of all relays of a node. */
const NODE_FLOWS_MAX = 1_024;
/** One part of the kernel's answer about sockets. */
const PART_MAX_BYTES = 64 * 1024;
/** Parts of one answer: of more sockets without a peer the rest is not seen. */
const PARTS_MAX = 64;

const readFd = promisify(read);
const writeFd = promisify(write);
const closeFd = promisify(close);

/** A port whose task takes IPv4 alone. */
export type ProxiedPort = Pick<WantedProxy, "taskId" | "serviceId" | "protocol" | "targetPort">;

export type MeshProxiesOptions = {
  readonly sockets: NetnsSockets;
  readonly clock: Clock;
  readonly logger: Logger;
};

type Held = {
  readonly wanted: WantedProxy;
  readonly relay: { readonly port: number; close(): void };
};

/** The relays in this node's containers, and which of them their tasks need. Calls of `hold` must not overlap. */
export class MeshProxies {
  readonly #options: MeshProxiesOptions;
  readonly #held = new Map<string, Held>();
  readonly #budget: FlowBudget = { open: 0, max: NODE_FLOWS_MAX };
  /** Said once each. */
  readonly #failed = new Set<string>();
  #byContainer: ReadonlyMap<string, readonly Proxy6[]> = new Map();
  #proxied: readonly ProxiedPort[] = [];

  constructor(options: MeshProxiesOptions) {
    this.#options = options;
  }

  /** Ports of tasks that have a socket for IPv4 and none for IPv6, as of the last look. */
  get proxied(): readonly ProxiedPort[] {
    return this.#proxied;
  }

  /** By container id; a container's list stays the same object as long as nothing changes there. */
  get byContainer(): ReadonlyMap<string, readonly Proxy6[]> {
    return this.#byContainer;
  }

  /** Opens what is missing; what cannot be opened is left out and tried again with the next call. Never rejects. */
  async hold(wanted: readonly WantedProxy[]): Promise<void> {
    const missing = wanted.filter((one) => !this.#held.has(keyOf(one)));
    const room = Math.max(0, RELAYS_MAX - this.#held.size);
    if (missing.length === 0) return;
    await Promise.all(missing.slice(0, room).map((one) => this.#open(one)));
    this.#list();
  }

  /** Closes all but these: once no rule leads there any more. */
  keepOnly(wanted: readonly WantedProxy[]): void {
    const keys = new Set(wanted.map(keyOf));
    const gone = [...this.#held].filter(([key]) => !keys.has(key));
    for (const [key, { relay }] of gone) {
      relay.close();
      this.#held.delete(key);
    }
    for (const key of [...this.#failed]) if (!keys.has(key)) this.#failed.delete(key);
    if (gone.length === 0) return;
    this.#list();
    const tasks = new Set([...this.#held.values()].map(({ wanted: { taskId } }) => taskId));
    this.#proxied = this.#proxied.filter(({ taskId }) => tasks.has(taskId));
  }

  /** Looks at the tasks' sockets: for people, nothing depends on it. Never rejects. */
  async look(): Promise<void> {
    const proxied: ProxiedPort[] = [];
    for (const { wanted } of this.#held.values()) {
      if (!(await this.#takesIpv4Alone(wanted))) continue;
      const { taskId, serviceId, protocol, targetPort } = wanted;
      proxied.push({ taskId, serviceId, protocol, targetPort });
    }
    this.#proxied = proxied;
  }

  async #takesIpv4Alone(wanted: WantedProxy): Promise<boolean> {
    const { netnsPath, protocol, targetPort, address, address6 } = wanted;
    try {
      const sockets6 = await this.#socketsIn(netnsPath, 6, protocol);
      if (isTaken(sockets6, address6, targetPort)) return false;
      return isTaken(await this.#socketsIn(netnsPath, 4, protocol), address, targetPort);
    } catch (error) {
      // Its namespace is on its way out.
      this.#options.logger.debug({ error, netnsPath }, "a container's sockets cannot be seen");
      return false;
    }
  }

  async #socketsIn(
    netnsPath: string,
    family: 4 | 6,
    protocol: WantedProxy["protocol"],
  ): Promise<readonly OpenSocket[]> {
    const fd = await this.#options.sockets.openSocketDiag(netnsPath);
    try {
      await writeFd(fd, encodeSocketsRequest(family, protocol));
      const found: OpenSocket[] = [];
      const buffer = Buffer.alloc(PART_MAX_BYTES);
      for (let parts = 0; parts < PARTS_MAX; parts++) {
        const { bytesRead } = await readFd(fd, buffer, 0, buffer.length, null);
        const { sockets, isLast } = decodeSockets(buffer.subarray(0, bytesRead));
        found.push(...sockets);
        if (isLast) break;
      }
      return found;
    } finally {
      await closeFd(fd);
    }
  }

  async #open(wanted: WantedProxy): Promise<void> {
    const key = keyOf(wanted);
    try {
      this.#held.set(key, { wanted, relay: await this.#relay(wanted) });
      this.#failed.delete(key);
    } catch (error) {
      if (this.#failed.has(key)) return;
      this.#failed.add(key);
      this.#options.logger.warn({ error, wanted }, "a port cannot be passed on from IPv6 to IPv4");
    }
  }

  async #relay(wanted: WantedProxy): Promise<Held["relay"]> {
    const { sockets, clock } = this.#options;
    const { netnsPath, protocol, targetPort, address, address6 } = wanted;
    const fd = await sockets.openAt(netnsPath, protocol, address6);
    const common = { fd, clock, budget: this.#budget, max: RELAY_FLOWS_MAX };
    if (protocol === "tcp") {
      const connect = () => sockets.openTcpForForward(netnsPath, address, targetPort);
      return TcpRelay.open({ ...common, connect });
    }
    const openForClient = () => sockets.openUdpForForward(netnsPath, 4);
    return UdpRelay.open({ ...common, openForClient, target: { address, port: targetPort } });
  }

  #list(): void {
    const lists = new Map<string, Proxy6[]>();
    for (const { wanted, relay } of this.#held.values()) {
      const { containerId, protocol, targetPort } = wanted;
      const list = lists.get(containerId) ?? [];
      list.push({ protocol, targetPort, port: relay.port });
      lists.set(containerId, list);
    }
    const before = this.#byContainer;
    this.#byContainer = new Map(
      [...lists].map(([id, list]) => {
        list.sort((a, b) => a.targetPort - b.targetPort || (a.protocol < b.protocol ? -1 : 1));
        const old = before.get(id);
        return [id, JSON.stringify(old) === JSON.stringify(list) && old ? old : list];
      }),
    );
  }
}

function keyOf(wanted: WantedProxy): string {
  const { containerId, protocol, targetPort, address, address6 } = wanted;
  return `${containerId} ${protocol} ${targetPort} ${address} ${address6}`;
}
