/** What nodes have to be told of their networks, in the dispatcher's order of things. Pure. */
import type { Node, Service } from "../../../api/index.js";
import {
  type NetworkDelta,
  type NetworkState,
  NetworkTracker,
  nodeEntry,
} from "../../../overlay-net/core/index.js";
import type { StoreEvent, StoreView } from "../../../store/index.js";

/** `complete`: every node's state must be sent as a whole. */
export type NetworkNews =
  | { readonly kind: "complete" }
  | { readonly kind: "deltas"; readonly byNode: ReadonlyMap<string, NetworkDelta> };

const NO_DELTAS: ReadonlyMap<string, NetworkDelta> = new Map();

/**
 * Until a task or service of the cluster is on a network for the first time, nodes have nothing to hold and hear of nothing: they get an
 * empty state with their session, and no store event costs more than a look at it.
 */
export class NetworkFeed {
  readonly #view: StoreView;
  #tracker: NetworkTracker | undefined;
  /** Since the last `take`. */
  #events: StoreEvent[] = [];
  #mustAllBeNew = false;

  constructor(view: StoreView) {
    this.#view = view;
    this.reset();
  }

  /** After a restore. */
  reset(): void {
    this.#events = [];
    this.#mustAllBeNew = true;
    this.#tracker = isInUse(this.#view) ? new NetworkTracker(this.#view) : undefined;
  }

  /** The events of one applied entry. Whether `take` may have something now. */
  observe(events: readonly StoreEvent[]): boolean {
    if (this.#tracker === undefined) {
      if (!events.some(bringsUse)) return false;
      this.#tracker = new NetworkTracker(this.#view);
      this.#mustAllBeNew = true;
      return true;
    }
    const before = this.#events.length;
    for (const event of events) if (mayMatter(event)) this.#events.push(event);
    return this.#events.length > before;
  }

  /** What came since the last time. */
  take(): NetworkNews {
    const events = this.#events;
    this.#events = [];
    const mustAllBeNew = this.#mustAllBeNew;
    this.#mustAllBeNew = false;
    const byNode = events.length === 0 ? NO_DELTAS : this.#tracker?.step(events);
    return mustAllBeNew || byNode === undefined ? { kind: "complete" } : { kind: "deltas", byNode };
  }

  /** A node's state as of now. What `take` has to give must have been taken. */
  complete(nodeId: string): NetworkState {
    if (this.#tracker !== undefined) return this.#tracker.complete(nodeId);
    const { index } = this.#view;
    const nothing = { networks: [], endpoints: [], services: [], nodes: [] };
    return { index, nodeId, dataPathPort: this.#view.cluster()?.dataPathPort ?? 0, ...nothing };
  }
}

function isInUse(view: StoreView): boolean {
  return (
    view.services().some(isOnNetwork) || view.tasks().some(({ networks }) => networks.length > 0)
  );
}

function isOnNetwork({ vips, ports }: Service): boolean {
  return vips.length > 0 || ports.some(({ PublishMode }) => PublishMode === "ingress");
}

function bringsUse(event: StoreEvent): boolean {
  if (event.kind === "removed") return false;
  if (event.table === "task") return event.object.networks.length > 0;
  return event.table === "service" && isOnNetwork(event.object);
}

/** Spares the tracker the flood of statuses and heartbeats that are about no network. */
function mayMatter(event: StoreEvent): boolean {
  switch (event.table) {
    case "task": {
      const task = event.kind === "removed" ? event.old : event.object;
      // A task has its networks from its allocation to its end.
      return task.networks.length > 0;
    }
    case "service":
    case "network":
      return true;
    case "node":
      return event.kind !== "updated" || !isSameNode(event.old, event.object);
    case "cluster":
    case "secret":
    case "config":
      return false;
  }
}

/** All that other nodes are told of it. */
function isSameNode(old: Node, now: Node): boolean {
  return JSON.stringify(nodeEntry(old)) === JSON.stringify(nodeEntry(now));
}
