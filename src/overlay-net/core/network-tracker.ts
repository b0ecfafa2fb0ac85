import { type Service, sameSpec, type Task } from "../../api/index.js";
import type { StoreEvent, StoreView } from "../../store/index.js";
import { type EntryDelta, endpointKey, type NetworkDelta, serviceKey } from "./network-delta.js";
import type {
  EndpointEntry,
  NetworkEntry,
  NetworkState,
  NodeEntry,
  ServiceEntry,
} from "./network-state.js";
import {
  endpointEntries,
  ingressOf,
  networkEntry,
  networksOf,
  nodeEntry,
  serviceEntries,
} from "./node-view.js";

/**
 * Follows the store for the dispatcher: from the events of some entries to each node's difference. The cost is that of what changed,
 * and of the networks that a node newly has; nothing else of the state is looked at.
 */
export class NetworkTracker {
  readonly #view: StoreView;
  /** Networks of each node as of the last step, ingress included. */
  #networks = new Map<string, ReadonlySet<string>>();
  /** Tasks by network, those with an endpoint there. */
  #tasks = new Map<string, Set<string>>();
  #ingressId: string | undefined;

  /** Knows the view's state as of now. */
  constructor(view: StoreView) {
    this.#view = view;
    this.rebuild();
  }

  /** After a restore: everybody needs a complete state. */
  rebuild(): void {
    this.#ingressId = ingressOf(this.#view)?.id;
    this.#tasks = new Map();
    for (const task of this.#view.tasks()) this.#index(undefined, task);
    this.#networks = new Map(
      this.#view.nodes().map(({ id }) => [id, networksOf(this.#view, id)] as const),
    );
  }

  /**
   * Differences by node id since the last step, those of nodes for which nothing changed left out. undefined: ingress itself came, went or
   * was replaced; everybody needs a complete state.
   */
  step(events: readonly StoreEvent[]): ReadonlyMap<string, NetworkDelta> | undefined {
    if (ingressOf(this.#view)?.id !== this.#ingressId) {
      this.rebuild();
      return undefined;
    }
    const touched = new Touched();
    for (const event of events) this.#note(event, touched);
    const deltas = new Map<string, NetworkDelta>();
    if (touched.isEmpty) return deltas;
    // One that went and came back within the step goes on from what it had.
    for (const nodeId of touched.nodes)
      if (this.#view.node(nodeId) === undefined) this.#networks.delete(nodeId);
    for (const { id: nodeId } of this.#view.nodes()) {
      const before = this.#networks.get(nodeId) ?? new Set<string>();
      const after = touched.members.has(nodeId) ? networksOf(this.#view, nodeId) : before;
      this.#networks.set(nodeId, after);
      const delta = this.#deltaFor(before, after, touched);
      if (delta !== undefined) deltas.set(nodeId, delta);
    }
    return deltas;
  }

  /** As `networkStateFor`, at the cost of that node's networks alone. All events up to now must have been stepped through. */
  complete(nodeId: string): NetworkState {
    const networkIds = [...networksOf(this.#view, nodeId)].sort();
    return {
      index: this.#view.index,
      nodeId,
      dataPathPort: this.#view.cluster()?.dataPathPort ?? 0,
      networks: networkIds.flatMap((id) => this.#network(id) ?? []),
      endpoints: networkIds.flatMap((id) => this.#endpointsOn(id)),
      services: networkIds.flatMap((id) => this.#servicesOn(id)),
      nodes: this.#view.nodes().flatMap((node) => nodeEntry(node) ?? []),
    };
  }

  #note(event: StoreEvent, touched: Touched): void {
    const old = event.kind === "created" ? undefined : event.old;
    const now = event.kind === "removed" ? undefined : event.object;
    const id = (now ?? old)?.id ?? "";
    switch (event.table) {
      case "task":
        this.#noteTask(old as Task | undefined, now as Task | undefined, touched);
        return;
      case "service":
        for (const service of [old, now] as (Service | undefined)[]) {
          for (const entry of this.#entriesOf(service)) {
            touched.services.set(serviceKey(entry), entry);
          }
        }
        return;
      case "network":
        touched.networks.add(id);
        for (const taskId of this.#tasks.get(id) ?? []) {
          touched.members.add(this.#view.task(taskId)?.nodeId ?? "");
        }
        return;
      case "node":
        touched.nodes.add(id);
        if (old === undefined) touched.members.add(id);
        return;
      case "cluster":
      case "secret":
      case "config":
        return;
    }
  }

  #noteTask(old: Task | undefined, now: Task | undefined, touched: Touched): void {
    if (old !== undefined && now !== undefined && isSameThere(old, now)) return;
    this.#index(old, now);
    for (const task of [old, now]) {
      if (task === undefined || task.nodeId === "") continue;
      touched.members.add(task.nodeId);
      for (const { networkId } of task.networks) {
        const key = { networkId, taskId: task.id };
        touched.endpoints.set(endpointKey(key), key);
      }
    }
  }

  #index(old: Task | undefined, now: Task | undefined): void {
    for (const { networkId, taskId } of old === undefined ? [] : endpointEntries(old)) {
      this.#tasks.get(networkId)?.delete(taskId);
    }
    for (const { networkId, taskId } of now === undefined ? [] : endpointEntries(now)) {
      const tasks = this.#tasks.get(networkId) ?? new Set();
      this.#tasks.set(networkId, tasks.add(taskId));
    }
  }

  #entriesOf(service: Service | undefined): readonly ServiceEntry[] {
    return service === undefined ? [] : serviceEntries(service, this.#ingressId);
  }

  #deltaFor(
    before: ReadonlySet<string>,
    after: ReadonlySet<string>,
    touched: Touched,
  ): NetworkDelta | undefined {
    const gained = [...after].filter((id) => !before.has(id));
    const lost = [...before].filter((id) => !after.has(id));
    const isKept = ({ networkId }: { readonly networkId: string }) =>
      before.has(networkId) && after.has(networkId);
    const keptNetworks = [...touched.networks].filter((id) => before.has(id) && after.has(id));
    const endpoints = [...touched.endpoints.values()].filter(isKept);
    const services = [...touched.services.values()].filter(isKept);
    const sizes = [gained, lost, keptNetworks, endpoints, services, [...touched.nodes]];
    if (sizes.every(({ length }) => length === 0)) return undefined;
    return {
      index: this.#view.index,
      networks: plus(
        entries(
          keptNetworks,
          (id) => this.#network(id),
          (id) => id,
        ),
        gained.flatMap((id) => this.#network(id) ?? []),
        lost,
      ),
      endpoints: plus(
        entries(endpoints, (key) => this.#endpoint(key), endpointKey),
        gained.flatMap((id) => this.#endpointsOn(id)),
      ),
      services: plus(
        entries(services, (key) => this.#service(key), serviceKey),
        gained.flatMap((id) => this.#servicesOn(id)),
      ),
      nodes: entries(
        [...touched.nodes],
        (id) => this.#node(id),
        (id) => id,
      ),
    };
  }

  #network(id: string): NetworkEntry | undefined {
    const network = this.#view.network(id);
    return network === undefined ? undefined : networkEntry(network);
  }

  #endpoint({ networkId, taskId }: EndpointId): EndpointEntry | undefined {
    const task = this.#view.task(taskId);
    const all = task === undefined ? [] : endpointEntries(task);
    return all.find((entry) => entry.networkId === networkId);
  }

  #endpointsOn(networkId: string): readonly EndpointEntry[] {
    const ids = [...(this.#tasks.get(networkId) ?? [])];
    return ids.flatMap((taskId) => this.#endpoint({ networkId, taskId }) ?? []);
  }

  #service({ networkId, serviceId }: ServiceId): ServiceEntry | undefined {
    const all = this.#entriesOf(this.#view.service(serviceId));
    return all.find((entry) => entry.networkId === networkId);
  }

  #servicesOn(networkId: string): readonly ServiceEntry[] {
    return this.#view
      .services()
      .flatMap((service) => this.#entriesOf(service).filter((e) => e.networkId === networkId));
  }

  #node(id: string): NodeEntry | undefined {
    const node = this.#view.node(id);
    return node === undefined ? undefined : nodeEntry(node);
  }
}

type EndpointId = Pick<EndpointEntry, "networkId" | "taskId">;
type ServiceId = Pick<ServiceEntry, "networkId" | "serviceId">;

/** What some events may have changed. */
class Touched {
  readonly endpoints = new Map<string, EndpointId>();
  readonly services = new Map<string, ServiceId>();
  readonly networks = new Set<string>();
  readonly nodes = new Set<string>();
  /** Nodes whose list of networks may be another. */
  readonly members = new Set<string>();

  get isEmpty(): boolean {
    const { endpoints, services, networks, nodes, members } = this;
    return [endpoints, services, networks, nodes, members].every(({ size }) => size === 0);
  }
}

/** Most of what happens to a task changes nothing of its endpoints: it is pulled, it becomes ready, it starts. */
function isSameThere(old: Task, now: Task): boolean {
  if (old.networks.length === 0 && now.networks.length === 0) return true;
  return sameSpec(endpointEntries(old), endpointEntries(now));
}

/** Set where there is an entry now, removed where there is none. */
function entries<Id, T>(
  ids: readonly Id[],
  entryOf: (id: Id) => T | undefined,
  keyOf: (id: Id) => string,
): EntryDelta<T> {
  const found = ids.map((id) => ({ key: keyOf(id), entry: entryOf(id) }));
  return {
    set: found.flatMap(({ entry }) => entry ?? []),
    removed: found.flatMap(({ key, entry }) => (entry === undefined ? [key] : [])),
  };
}

function plus<T>(
  { set, removed }: EntryDelta<T>,
  more: readonly T[],
  gone: readonly string[] = [],
): EntryDelta<T> {
  return { set: [...set, ...more], removed: [...removed, ...gone] };
}
