/** Differences of NetworkState: what is set or taken away, by key. */
import type {
  EndpointEntry,
  NetworkEntry,
  NetworkState,
  NodeEntry,
  ServiceEntry,
} from "./network-state.js";

export type EntryDelta<T> = {
  /** New or changed, as they are now. */
  readonly set: readonly T[];
  /** Keys, as the functions below give them. */
  readonly removed: readonly string[];
};

export type NetworkDelta = {
  /** Index it leads to. */
  readonly index: number;
  /** A network that goes takes its endpoints and services with it, unnamed. */
  readonly networks: EntryDelta<NetworkEntry>;
  readonly endpoints: EntryDelta<EndpointEntry>;
  readonly services: EntryDelta<ServiceEntry>;
  readonly nodes: EntryDelta<NodeEntry>;
};

export function endpointKey(entry: Pick<EndpointEntry, "networkId" | "taskId">): string {
  return `${entry.networkId}/${entry.taskId}`;
}

export function serviceKey(entry: Pick<ServiceEntry, "networkId" | "serviceId">): string {
  return `${entry.networkId}/${entry.serviceId}`;
}

export function isEmptyDelta({ networks, endpoints, services, nodes }: NetworkDelta): boolean {
  const lists = [networks, endpoints, services, nodes];
  return lists.every(({ set, removed }) => set.length === 0 && removed.length === 0);
}

/** Entries come out in the order of their keys, whatever way led there. */
export function applyDelta(state: NetworkState, delta: NetworkDelta): NetworkState {
  const gone = new Set(delta.networks.removed);
  const stays = ({ networkId }: { readonly networkId: string }) => !gone.has(networkId);
  return {
    ...state,
    index: delta.index,
    networks: changed(state.networks, delta.networks, ({ id }) => id),
    endpoints: changed(state.endpoints.filter(stays), delta.endpoints, endpointKey),
    services: changed(state.services.filter(stays), delta.services, serviceKey),
    nodes: changed(state.nodes, delta.nodes, ({ nodeId }) => nodeId),
  };
}

function changed<T>(
  entries: readonly T[],
  { set, removed }: EntryDelta<T>,
  keyOf: (entry: T) => string,
): readonly T[] {
  if (set.length === 0 && removed.length === 0) return entries;
  const byKey = new Map(entries.map((entry) => [keyOf(entry), entry]));
  for (const key of removed) byKey.delete(key);
  for (const entry of set) byKey.set(keyOf(entry), entry);
  return [...byKey].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, entry]) => entry);
}
