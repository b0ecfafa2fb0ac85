/** What the scheduler knows of one node: its own facts and the sums over its tasks. */
import { containerTaskOf, type Network, type Node, TASK_STATE, type Task } from "../api/index.js";
import { invariant } from "../base/index.js";
import { type BridgeClashes, bridgeClashes } from "./bridge-clash.js";
import { GenericStock } from "./generic-resources.js";
import { type EncryptedNetworks, notEncrypting } from "./missing-wireguard.js";
import { hostPortKeys, reservationsOf } from "./task-needs.js";

/** A node that failed a spec this often within FAILURE_WINDOW_MS is tried last for it. */
export const FAILURES_MAX = 5;
export const FAILURE_WINDOW_MS = 5 * 60_000;

const NO_CLASHES: BridgeClashes = new Map();
const NO_NETWORKS: EncryptedNetworks = new Map();

/** What of a task is held against its node. */
export type Held = Pick<
  Task,
  | "id"
  | "serviceId"
  | "nodeId"
  | "spec"
  | "hostPorts"
  | "desiredState"
  | "state"
  | "genericResources"
>;

export class NodeInfo {
  readonly id: string;
  /** undefined: tasks refer to a node that is not (or no longer) in the store. Takes nothing. */
  node: Node | undefined;
  cpuTotalNano = 0;
  memTotalBytes = 0;
  readonly generic = new GenericStock();
  /** Networks whose tasks it cannot take: for their addresses, and for want of WireGuard. */
  clashes: BridgeClashes = NO_CLASHES;
  notEncrypting: EncryptedNetworks = NO_NETWORKS;

  /** Those of them with desired ≤ complete. */
  activeCount = 0;
  readonly #activeByService = new Map<string, number>();
  /**
   * Services with their first task here, not yet among those: most services of a large cluster are one task, after which nobody asks.
   * A list costs a fraction of what filling a map per node does.
   */
  readonly #firstOfService: string[] = [];
  /** Tasks that hold resources: observed assigned to running, wanted or not. */
  heldCount = 0;
  cpuReservedNano = 0;
  memReservedBytes = 0;
  /** `tcp/8080` → tasks that use it. */
  readonly hostPorts = new Map<string, number>();
  /** Failure times (Unix ms, ascending) by failureKey. */
  readonly #failures = new Map<string, number[]>();

  constructor(id: string) {
    this.id = id;
  }

  setNode(node: Node | undefined): void {
    this.node = node;
    const resources = node?.description?.Resources;
    this.cpuTotalNano = resources?.NanoCPUs ?? 0;
    this.memTotalBytes = resources?.MemoryBytes ?? 0;
    this.generic.setTotal(resources?.GenericResources ?? []);
  }

  /** Those of a cluster that matter to it. */
  setNetworks(networks: readonly Network[]): void {
    this.clashes = bridgeClashes(this.node, networks);
    this.notEncrypting = notEncrypting(this.node, networks);
  }

  isReady(): boolean {
    return this.node?.state === "ready" && this.node.spec.Availability === "active";
  }

  serviceCount(serviceId: string): number {
    return this.#counts().get(serviceId) ?? 0;
  }

  /** Books (`sign` 1) or frees (−1) what a task on this node holds. Returns the `serviceCount` of its service afterwards. */
  account(task: Held, sign: 1 | -1): number {
    this.#hold(task, sign);
    if (task.desiredState > TASK_STATE.complete) return this.serviceCount(task.serviceId);
    this.activeCount += sign;
    return bump(this.#counts(), task.serviceId, sign);
  }

  /** Books a wanted task of a service that has none here. */
  accountFirst(task: Held): void {
    this.#hold(task, 1);
    this.activeCount++;
    this.#firstOfService.push(task.serviceId);
  }

  #counts(): Map<string, number> {
    if (this.#firstOfService.length > 0) {
      for (const serviceId of this.#firstOfService) this.#activeByService.set(serviceId, 1);
      this.#firstOfService.length = 0;
    }
    return this.#activeByService;
  }

  #hold(task: Held, sign: 1 | -1): void {
    this.heldCount += sign;
    const held = reservationsOf(task.spec);
    this.cpuReservedNano += sign * held.cpuNano;
    this.memReservedBytes += sign * held.memBytes;
    this.generic.account(task.genericResources, sign);
    for (const key of hostPortKeys(task.hostPorts)) bump(this.hostPorts, key, sign);
  }

  recordFailure(task: Task, atMs: number, nowMs: number): void {
    const key = failureKey(task.serviceId, task.specVersion);
    const recent = (this.#failures.get(key) ?? []).filter((t) => t > nowMs - FAILURE_WINDOW_MS);
    recent.push(atMs);
    this.#failures.set(key, recent.sort((a, b) => a - b).slice(-FAILURES_RECORDED_MAX));
  }

  /** Recent failures of this spec, 0 below FAILURES_MAX: as few as that say nothing about the node. */
  failureRank(serviceId: string, specVersion: number, nowMs: number): number {
    if (this.#failures.size === 0) return 0;
    const times = this.#failures.get(failureKey(serviceId, specVersion));
    if (!times) return 0;
    const since = nowMs - FAILURE_WINDOW_MS;
    if ((times.at(-1) ?? 0) <= since) {
      this.#failures.delete(failureKey(serviceId, specVersion));
      return 0;
    }
    let recent = 0;
    for (const t of times) if (t > since) recent++;
    return recent < FAILURES_MAX ? 0 : recent;
  }
}

/** Times kept per node and spec; more change nothing but the order among very bad nodes. */
const FAILURES_RECORDED_MAX = 100;

function failureKey(serviceId: string, specVersion: number): string {
  return `${serviceId}/${specVersion}`;
}

function bump(counts: Map<string, number>, key: string, by: number): number {
  const next = (counts.get(key) ?? 0) + by;
  // The text only when it is needed: this is called for every task that is placed.
  if (next < 0) invariant(false, `scheduler: count of ${key} went below zero`);
  if (next === 0) counts.delete(key);
  else counts.set(key, next);
  return next;
}

/**
 * Whether the task holds room on its node. One that was made for a node holds nothing until it is assigned, and an attachment nothing ever:
 * its container is another task's.
 */
export function isHeld(task: Pick<Held, "nodeId" | "state" | "spec">): boolean {
  return (
    task.nodeId !== "" &&
    task.state >= TASK_STATE.assigned &&
    task.state <= TASK_STATE.running &&
    containerTaskOf(task) === undefined
  );
}
