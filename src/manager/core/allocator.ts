/**
 * Gives networks their VNI and subnets, services their virtual addresses and published ports, tasks their addresses (new → pending).
 * What cannot be given is told in the `err` of the tasks that wait for it, and tried again when something is freed.
 */
import {
  type Change,
  containerTaskOf,
  type Node,
  type Service,
  sameSpec,
  TASK_STATE,
  type Task,
} from "../../api/index.js";
import { dataPathAddrOf } from "../../overlay-net/core/index.js";
import type { StoreEvent, StoreView } from "../../store/index.js";
import { AddressBook } from "./address-book.js";
import { DirtySet } from "./dirty-set.js";
import { NetworkTurn } from "./network-turn.js";
import type { Plan } from "./plan.js";
import type { Reconciler } from "./reconciler.js";
import { planEndpoint } from "./service-endpoint.js";
import { planTaskNetworks } from "./task-networks.js";
import { statusChange } from "./task-status.js";
import { PENDING_MESSAGE } from "./task-template.js";

/** What waits is tried again after this long though nothing was seen to be freed (spec §6.1). */
export const RETRY_MS = 5 * 60_000;
/** An attachment is where its container is. */
const ATTACHED_MESSAGE = "assigned to the node of the container";
const WAITING_MESSAGE = "waiting for network resources";

/** What a service or task still lacks. */
export type Lack = {
  readonly reason: string;
  /** Unix ms; undefined: when something is freed. */
  readonly retryAtMs: number | undefined;
};

export class Allocator implements Reconciler {
  readonly #book = new AddressBook();
  readonly #networks = new DirtySet<string>();
  readonly #services = new DirtySet<string>();
  readonly #tasks = new DirtySet<string>();
  readonly #waitingNetworks = new Map<string, string>();
  readonly #waitingServices = new Map<string, string>();
  readonly #waitingTasks = new Set<string>();
  /** Networks whose MTU could rise, but for the tasks on them. */
  readonly #risingMtus = new Set<string>();
  #lastVni = 0;
  #retryAtMs: number | undefined;

  reset(view: StoreView): void {
    this.#book.reset(view);
    for (const dirty of [this.#networks, this.#services, this.#tasks]) dirty.clear();
    for (const waiting of [this.#waitingNetworks, this.#waitingServices]) waiting.clear();
    this.#waitingTasks.clear();
    this.#risingMtus.clear();
    this.#retryAtMs = undefined;
    // Ingress first: it wants the largest subnet, and its VNI is the first one by habit.
    const networks = [...view.networks()].sort(
      (a, b) => Number(b.spec.Ingress ?? false) - Number(a.spec.Ingress ?? false),
    );
    for (const network of networks) this.#networks.mark(network.id);
    for (const network of networks) this.#lastVni = Math.max(this.#lastVni, network.vni);
    for (const service of view.services()) this.#services.mark(service.id);
    for (const task of view.tasks()) this.#look(task);
  }

  observe(events: readonly StoreEvent[], view: StoreView, nowMs: number): void {
    for (const event of events) {
      const changed = this.#book.observe(event, view, nowMs);
      if (changed.length > 0) this.#wake();
      if (event.table === "task" && event.kind === "created") this.#look(event.object);
      else if (event.table === "service") this.#serviceChanged(event, view);
      else if (event.table === "network") this.#networkChanged(event);
      else if (event.table === "task") this.#taskChanged(event);
      else if (event.table === "node") this.#nodeChanged(event, view);
    }
  }

  plan(view: StoreView, plan: Plan): void {
    if (this.#retryAtMs !== undefined && this.#retryAtMs <= plan.nowMs) this.#wake();
    const turn = new NetworkTurn(view, plan, this.#book, this.#lastVni);
    this.#networks.take((id) => this.#planNetwork(id, turn));
    this.#services.take((id) => this.#planService(id, turn));
    this.#tasks.take((id) => this.#planTask(id, turn));
    this.#lastVni = turn.lastVni;
    if (this.#retryAtMs !== undefined) plan.wakeAt(this.#retryAtMs);
  }

  settled(isApplied: boolean): void {
    this.#book.settle();
    for (const dirty of [this.#networks, this.#services, this.#tasks]) dirty.settle(isApplied);
  }

  #planNetwork(id: string, turn: NetworkTurn): boolean {
    this.#waitingNetworks.delete(id);
    this.#risingMtus.delete(id);
    const network = turn.view.network(id);
    if (!network) return true;
    if (!turn.needsAllocation(network)) {
      if (network.vni === 0) return true;
      const { isPlanned, couldRise } = turn.planMtu(network);
      if (couldRise) this.#risingMtus.add(id);
      return isPlanned;
    }
    const { isPlanned, lack } = turn.planNetwork(network);
    if (lack) {
      this.#waitingNetworks.set(id, lack.reason);
      this.#retry(lack, turn.plan);
    }
    return isPlanned;
  }

  #planService(id: string, turn: NetworkTurn): boolean {
    const { view, plan } = turn;
    this.#waitingServices.delete(id);
    const service = view.service(id);
    if (!service) return true;
    const { isPlanned, lack } = planEndpoint(service, turn, this.#waitingNetworks);
    if (lack) {
      this.#waitingServices.set(id, lack.reason);
      this.#retry(lack, plan);
      this.#markNewTasks(service.id, view);
    }
    return isPlanned;
  }

  #planTask(id: string, turn: NetworkTurn): boolean {
    const { view, plan } = turn;
    this.#waitingTasks.delete(id);
    const task = view.task(id);
    if (!task || !isNew(task)) return true;
    const service = view.service(task.serviceId);
    // Its service is gone; a container outside services never had one.
    if (!service && task.serviceId !== "") return true;
    if (service) {
      const lackOfService = this.#waitingServices.get(service.id);
      if (lackOfService !== undefined)
        return this.#wait(task, { reason: lackOfService, retryAtMs: undefined }, plan);
      // Looked at again when its endpoint is written.
      if (!turn.isComplete(service)) return true;
    }
    const found = planTaskNetworks(task, service, turn, this.#waitingNetworks);
    if (found.kind === "lacking") return this.#wait(task, found.lack, plan);
    if (found.networks.length > 0) {
      const { networks, claims } = found;
      const message = containerTaskOf(task) === undefined ? PENDING_MESSAGE : ATTACHED_MESSAGE;
      const change: Change = { kind: "taskNetworks", taskId: task.id, networks, message };
      return turn.claim(claims, change);
    }
    const pending = { state: TASK_STATE.pending, message: PENDING_MESSAGE, err: "" };
    return plan.add(statusChange(task, { ...pending, atMs: plan.nowMs }));
  }

  /** The reason is written once: to the same text there is nothing to add. */
  #wait(task: Task, lack: Lack, plan: Plan): boolean {
    this.#waitingTasks.add(task.id);
    this.#retry(lack, plan);
    if (task.err === lack.reason) return true;
    const { state } = task;
    const told = { state, message: WAITING_MESSAGE, err: lack.reason, atMs: plan.nowMs };
    return plan.add(statusChange(task, told));
  }

  #retry({ retryAtMs }: Lack, { nowMs }: Plan): void {
    const atMs = retryAtMs ?? nowMs + RETRY_MS;
    this.#retryAtMs = Math.min(this.#retryAtMs ?? atMs, atMs);
  }

  /** Everything that waits is tried again; what still lacks something waits again. */
  #wake(): void {
    this.#retryAtMs = undefined;
    for (const id of this.#waitingNetworks.keys()) this.#networks.mark(id);
    for (const id of this.#waitingServices.keys()) this.#services.mark(id);
    for (const id of this.#waitingTasks) this.#tasks.mark(id);
  }

  #serviceChanged(event: Extract<StoreEvent, { table: "service" }>, view: StoreView): void {
    // Its published ports may be what another one waits for.
    if (event.kind === "removed") {
      this.#wake();
      return;
    }
    const { object } = event;
    if (event.kind === "updated" && !concernsEndpoint(event.old, object)) return;
    this.#services.mark(object.id);
    this.#markNewTasks(object.id, view);
    if (event.kind === "updated" && this.#waitingServices.size > 0) this.#wake();
  }

  #networkChanged(event: Extract<StoreEvent, { table: "network" }>): void {
    if (event.kind === "created") this.#networks.mark(event.object.id);
    // A subnet and a VNI are free again.
    else if (event.kind === "removed") this.#wake();
  }

  #nodeChanged(event: Extract<StoreEvent, { table: "node" }>, view: StoreView): void {
    // Routes of nodes are what the default pools are chosen clear of.
    if (this.#waitingNetworks.size > 0) this.#wake();
    const underlayOf = (node: Node | undefined) =>
      node && `${node.description?.UnderlayMtu} ${dataPathAddrOf(node).includes(":")}`;
    const old = event.kind === "created" ? undefined : event.old;
    const now = event.kind === "removed" ? undefined : event.object;
    if (underlayOf(old) === underlayOf(now)) return;
    for (const { id } of view.networks()) this.#networks.mark(id);
  }

  /** The last one may have left a network whose MTU waits for that. */
  #taskChanged(event: Extract<StoreEvent, { table: "task" }>): void {
    if (this.#risingMtus.size === 0) return;
    const isOver = event.kind === "removed" || event.object.state >= TASK_STATE.complete;
    const task = event.kind === "removed" ? event.old : event.object;
    if (!isOver) return;
    for (const { networkId } of task.networks)
      if (this.#risingMtus.has(networkId)) this.#networks.mark(networkId);
  }

  #markNewTasks(serviceId: string, view: StoreView): void {
    for (const task of view.tasksByService(serviceId)) this.#look(task);
  }

  #look(task: Task): void {
    if (isNew(task)) this.#tasks.mark(task.id);
  }
}

function isNew(task: Task): boolean {
  return task.state === TASK_STATE.new && task.desiredState <= TASK_STATE.complete;
}

function concernsEndpoint(old: Service, now: Service): boolean {
  return (
    old.specVersion !== now.specVersion ||
    !sameSpec(old.vips, now.vips) ||
    !sameSpec(old.ports, now.ports)
  );
}
