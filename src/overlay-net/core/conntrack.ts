/**
 * Which connections end when backends leave. A translation outlives the rule that made it: a client that keeps its UDP socket would talk
 * to the old backend for ever, so datagrams always move on. TCP connections are left to drain; they end when the endpoint is gone, also
 * one that was no backend any more before.
 */
import { ClusterLookup, type DesiredInput } from "./cluster-lookup.js";
import { meshBackends } from "./desired-host.js";
import { nodeZone } from "./ingress-identity.js";
import type { ConntrackFilter, NetnsOperations } from "./kernel-model.js";
import { ownEndpoints } from "./local-facts.js";
import type { EndpointEntry, PublishedPort, ServiceEntry } from "./network-state.js";

/** After the tables of `after` are loaded: before that, a new connection could take the old way again. */
export function endedConnections(
  before: DesiredInput,
  after: DesiredInput,
): readonly NetnsOperations[] {
  const [old, now] = [ClusterLookup.of(before.state), ClusterLookup.of(after.state)];
  const byNetwork = new Map<string, readonly ConntrackFilter[]>();
  for (const { id, isIngress } of before.state.networks) {
    const services = isIngress ? [] : old.servicesOn(id);
    const gone = goneOn(old, now, id);
    byNetwork.set(
      id,
      services.flatMap((service) => vipFilters(old, now, gone, service)),
    );
  }
  const zones = leftZones(before, after);
  const containers = after.local.attachments.map((attachment) => ({
    netns: attachment.netns,
    filters: [
      ...ownEndpoints(attachment).flatMap(({ networkId }) => byNetwork.get(networkId) ?? []),
      ...(attachment.networkIds.includes(now.ingress?.id ?? "") ? zones : []),
    ],
  }));
  const ingress = old.ingress;
  const services = ingress === undefined ? [] : old.servicesOn(ingress.id);
  const gone = goneOn(old, now, ingress?.id ?? "");
  const host = { netns: "", filters: services.flatMap((one) => meshFilters(old, now, gone, one)) };
  return [host, ...containers]
    .filter(({ filters }) => filters.length > 0)
    .map(({ netns, filters }) => ({
      netns,
      operations: filters.map((filter) => ({ kind: "endConnections", filter })),
    }));
}

type Left = { readonly endpoint: EndpointEntry; readonly isGone: boolean };
/** Endpoints by service. */
type Gone = ReadonlyMap<string, readonly EndpointEntry[]>;

/** Of one network: known before, and not any more. */
function goneOn(old: ClusterLookup, now: ClusterLookup, networkId: string): Gone {
  const gone = new Map<string, EndpointEntry[]>();
  for (const endpoint of old.endpointsOn(networkId)) {
    if (now.endpoint(networkId, endpoint.taskId) !== undefined) continue;
    const list = gone.get(endpoint.serviceId) ?? [];
    gone.set(endpoint.serviceId, list);
    list.push(endpoint);
  }
  return gone;
}

function vipFilters(
  old: ClusterLookup,
  now: ClusterLookup,
  gone: Gone,
  service: ServiceEntry,
): readonly ConntrackFilter[] {
  const { networkId, serviceId, vip, vip6 } = service;
  const [before, after] = [old, now].map((one) => one.backends(networkId, serviceId));
  return leftOf(before, after, gone.get(serviceId)).flatMap(({ endpoint, isGone }) =>
    [
      { originalDst: vip, replySrc: endpoint.address },
      { originalDst: vip6, replySrc: endpoint.address6 },
    ]
      .filter(({ originalDst, replySrc }) => originalDst !== "" && replySrc !== "")
      .flatMap((pair) => protocols(isGone).map((protocol) => ({ protocol, ...pair }))),
  );
}

function meshFilters(
  old: ClusterLookup,
  now: ClusterLookup,
  gone: Gone,
  service: ServiceEntry,
): readonly ConntrackFilter[] {
  const next = now
    .servicesOn(service.networkId)
    .find(({ serviceId }) => serviceId === service.serviceId);
  const backends = meshBackends(old, service);
  return service.ports.flatMap((port) => {
    const isKept = next?.ports.some((other) => isSame(port, other)) === true;
    const rest = isKept && next !== undefined ? meshBackends(now, next) : [];
    return leftOf(backends, rest, gone.get(service.serviceId))
      .filter(({ isGone }) => protocols(isGone).includes(port.protocol))
      .flatMap(({ endpoint }) =>
        [endpoint.address, endpoint.address6]
          .filter((address) => address !== "")
          .map((replySrc) => ({
            protocol: port.protocol,
            originalDstPort: port.publishedPort,
            replySrc,
          })),
      );
  });
}

/** A node's index is another's later: what came through the former one must not meet the latter's connections in its zone. */
function leftZones(before: DesiredInput, after: DesiredInput): readonly ConntrackFilter[] {
  const indexes = new Map(after.state.nodes.map(({ nodeId, index }) => [nodeId, index]));
  return before.state.nodes
    .filter(({ nodeId, index }) => indexes.get(nodeId) !== index)
    .map(({ index }) => ({ zone: nodeZone(index) }));
}

function leftOf(
  before: readonly EndpointEntry[] = [],
  after: readonly EndpointEntry[] = [],
  gone: readonly EndpointEntry[] = [],
): readonly Left[] {
  const others = new Set([...after, ...gone].map(({ taskId }) => taskId));
  const drained = before.filter(({ taskId }) => !others.has(taskId));
  return [
    ...gone.map((endpoint) => ({ endpoint, isGone: true })),
    ...drained.map((endpoint) => ({ endpoint, isGone: false })),
  ];
}

function protocols(isGone: boolean): readonly PublishedPort["protocol"][] {
  return isGone ? ["udp", "tcp", "sctp"] : ["udp"];
}

function isSame(a: PublishedPort, b: PublishedPort): boolean {
  return (
    a.protocol === b.protocol &&
    a.publishedPort === b.publishedPort &&
    a.targetPort === b.targetPort
  );
}
