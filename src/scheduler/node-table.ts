/** All nodes with their bookings, kept up to date event by event, and a log of which ones changed. */
import { type Network, type Node, TASK_STATE, type Task } from "../api/index.js";
import { bridgeClashes } from "./bridge-clash.js";
import { notEncrypting } from "./missing-wireguard.js";
import { type Held, isHeld, NodeInfo } from "./node-info.js";

export class NodeTable {
  readonly #infos = new Map<string, NodeInfo>();
  readonly #networks = new Map<string, Network>();
  /** Most services of a large cluster are small: the only node stands for itself. */
  readonly #hosts = new Map<string, NodeInfo | Set<NodeInfo>>();
  /** Nodes in the order of their changes; indexes start at #logBase. */
  #log: NodeInfo[] = [];
  #logBase = 0;
  /** Up to here some reader has seen the log, so its last entry no longer stands for a later change. */
  #readTo = 0;
  #freedCount = 0;
  #changeCount = 0;

  infos(): Iterable<NodeInfo> {
    return this.#infos.values();
  }

  info(id: string): NodeInfo | undefined {
    return this.#infos.get(id);
  }

  get size(): number {
    return this.#infos.size;
  }

  /** Grows whenever a task that found no node may find one now. */
  get freedCount(): number {
    return this.#freedCount;
  }

  /** Grows with every change of any node or booking. */
  get changeCount(): number {
    return this.#changeCount;
  }

  /** Nodes with active tasks of the service. */
  hosts(serviceId: string): Iterable<NodeInfo> {
    const hosts = this.#hosts.get(serviceId);
    if (hosts === undefined) return NONE;
    return hosts instanceof NodeInfo ? [hosts] : hosts;
  }

  /** Position to hand to `changedSince` later: all before it has been taken in. */
  mark(): number {
    this.#readTo = this.#logBase + this.#log.length;
    return this.#readTo;
  }

  /** Nodes changed since that position (with repeats), or undefined when it lies too far back: look at all. */
  changedSince(position: number): readonly NodeInfo[] | undefined {
    if (position < this.#logBase) return undefined;
    if (position === this.#logBase + this.#log.length) return NONE;
    return this.#log.slice(position - this.#logBase);
  }

  setNode(node: Node): void {
    const info = this.#infoOf(node.id);
    info.setNode(node);
    info.setNetworks([...this.#networks.values()]);
    this.#freedCount++;
    this.#changed(info);
  }

  removeNode(id: string): void {
    const info = this.#infos.get(id);
    if (!info) return;
    info.setNode(undefined);
    this.#freedCount++;
    this.#changed(info);
    this.#dropIfEmpty(info);
  }

  /** Its subnets count, and whether it is encrypted: it has them once and for all. */
  setNetwork(network: Network): void {
    if (network.subnets.length === 0) return;
    this.#networks.set(network.id, network);
    for (const info of this.#infos.values()) {
      const isTaken =
        bridgeClashes(info.node, [network]).size === 0 &&
        notEncrypting(info.node, [network]).size === 0;
      if (isTaken) continue;
      info.setNetworks([...this.#networks.values()]);
      this.#changed(info);
    }
  }

  removeNetwork(id: string): void {
    if (!this.#networks.delete(id)) return;
    this.#freedCount++;
    for (const info of this.#infos.values()) {
      if (!info.clashes.has(id) && !info.notEncrypting.has(id)) continue;
      info.setNetworks([...this.#networks.values()]);
      this.#changed(info);
    }
  }

  /** The task holds room on its node. */
  add(task: Held): void {
    if (isHeld(task)) this.#account(this.#infoOf(task.nodeId), task, 1);
  }

  /** As `add`, for a wanted task that is to hold room on this very node. `isFirst`: no node has a task of its service. */
  book(info: NodeInfo, task: Held, isFirst: boolean): void {
    if (!isFirst) {
      this.#account(info, task, 1);
      return;
    }
    info.accountFirst(task);
    this.#hosts.set(task.serviceId, info);
    this.#changed(info);
  }

  remove(task: Held): void {
    if (!isHeld(task)) return;
    const info = this.#infoOf(task.nodeId);
    this.#account(info, task, -1);
    this.#freedCount++;
    this.#dropIfEmpty(info);
  }

  update(old: Held, task: Held): void {
    if (
      old.nodeId === task.nodeId &&
      isHeld(old) === isHeld(task) &&
      old.genericResources.length + task.genericResources.length === 0 &&
      old.desiredState > TASK_STATE.complete === task.desiredState > TASK_STATE.complete
    )
      return;
    this.remove(old);
    this.add(task);
  }

  recordFailure(task: Task, atMs: number, nowMs: number): void {
    const info = this.#infos.get(task.nodeId);
    if (!info) return;
    info.recordFailure(task, atMs, nowMs);
    this.#changed(info);
  }

  #account(info: NodeInfo, task: Held, sign: 1 | -1): void {
    if (info.account(task, sign) > 0) this.#addHost(task.serviceId, info);
    else this.#removeHost(task.serviceId, info);
    this.#changed(info);
  }

  #addHost(serviceId: string, info: NodeInfo): void {
    const hosts = this.#hosts.get(serviceId);
    if (hosts === undefined) this.#hosts.set(serviceId, info);
    else if (!(hosts instanceof NodeInfo)) hosts.add(info);
    else if (hosts !== info) this.#hosts.set(serviceId, new Set([hosts, info]));
  }

  #removeHost(serviceId: string, info: NodeInfo): void {
    const hosts = this.#hosts.get(serviceId);
    if (hosts === undefined) return;
    if (hosts instanceof NodeInfo) {
      if (hosts === info) this.#hosts.delete(serviceId);
      return;
    }
    hosts.delete(info);
    if (hosts.size === 0) this.#hosts.delete(serviceId);
  }

  #infoOf(id: string): NodeInfo {
    let info = this.#infos.get(id);
    if (!info) {
      info = new NodeInfo(id);
      this.#infos.set(id, info);
    }
    return info;
  }

  #dropIfEmpty(info: NodeInfo): void {
    if (!info.node && info.heldCount === 0) this.#infos.delete(info.id);
  }

  #changed(info: NodeInfo): void {
    this.#changeCount++;
    const end = this.#logBase + this.#log.length;
    if (this.#log.at(-1) === info && this.#readTo < end) return;
    // An index that has to read this many changes is rebuilt faster.
    if (this.#log.length >= 2 * this.#infos.size + LOG_SPARE) {
      this.#logBase = end;
      this.#log = [];
    }
    this.#log.push(info);
  }
}

const LOG_SPARE = 1024;
const NONE: readonly NodeInfo[] = [];
