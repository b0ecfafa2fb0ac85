/**
 * Addresses in the form in which a kernel gives them back (RFC 5952): in another form the same address would be missing and in excess for
 * ever. Those who made the state may have taken them over from a user as they were typed.
 */
import { formatCidr, formatIp, parseCidr, parseIp } from "../../base/index.js";
import type { EntryDelta, NetworkDelta } from "./network-delta.js";
import type {
  EndpointEntry,
  NetworkEntry,
  NetworkState,
  NodeEntry,
  ServiceEntry,
} from "./network-state.js";

export function canonicalState(state: NetworkState): NetworkState {
  const { networks, endpoints, services, nodes } = state;
  return {
    ...state,
    networks: networks.map(network),
    endpoints: endpoints.map(endpoint),
    services: services.map(service),
    nodes: nodes.map(node),
  };
}

export function canonicalDelta(delta: NetworkDelta): NetworkDelta {
  const { networks, endpoints, services, nodes } = delta;
  return {
    ...delta,
    networks: inDelta(networks, network),
    endpoints: inDelta(endpoints, endpoint),
    services: inDelta(services, service),
    nodes: inDelta(nodes, node),
  };
}

function inDelta<T>(delta: EntryDelta<T>, entry: (one: T) => T): EntryDelta<T> {
  return { ...delta, set: delta.set.map(entry) };
}

function network(one: NetworkEntry): NetworkEntry {
  return { ...one, subnet6: subnet(one.subnet6), gateway6: address(one.gateway6) };
}

function endpoint(one: EndpointEntry): EndpointEntry {
  return { ...one, address6: address(one.address6) };
}

function service(one: ServiceEntry): ServiceEntry {
  return { ...one, vip6: address(one.vip6) };
}

function node(one: NodeEntry): NodeEntry {
  return { ...one, dataPathAddr: address(one.dataPathAddr) };
}

/** IPv4 has one form only. */
function address(text: string): string {
  const parsed = text.includes(":") ? parseIp(text) : undefined;
  return parsed === undefined ? text : formatIp(parsed);
}

function subnet(text: string): string {
  const parsed = text.includes(":") ? parseCidr(text) : undefined;
  return parsed === undefined ? text : formatCidr(parsed);
}
