/** What a container on overlay networks reads in resolv.conf, and what its resolver does behind it. */

/** Every container asks here; the question is redirected to sockets of its own (port 53 stays free for programs in it). */
export const RESOLVER_ADDRESS = "127.0.0.11";
/** Upstream servers that are asked for one question. */
export const UPSTREAM_MAX = 3;

/** Fields as a service's DNSConfig or a host's resolv.conf give them. */
export type ResolvChoice = {
  readonly nameservers: readonly string[];
  readonly search: readonly string[];
  readonly options: readonly string[];
};

export type ContainerResolver = {
  /** Goes into the container's resolv.conf. */
  readonly file: ResolvChoice;
  /** The user's servers, asked by the resolver from the container's namespace; empty: the node's own are asked. */
  readonly dnsServers: readonly string[];
  /** 0 unless the user set it. */
  readonly ndots: number;
};

/** Names of services have one label: `ndots:0` asks for them as they are before any search domain (spec §6.3). */
export function containerResolver(own: ResolvChoice, host: ResolvChoice): ContainerResolver {
  const ownNdots = own.options.findLast((option) => /^ndots:\d+$/.test(option));
  const base = own.options.length > 0 ? own.options : host.options;
  const options = base.filter((option) => !option.startsWith("ndots:"));
  return {
    file: {
      nameservers: [RESOLVER_ADDRESS],
      search: own.search.length > 0 ? own.search : host.search,
      options: [...options, ownNdots ?? "ndots:0"],
    },
    dnsServers: own.nameservers.slice(0, UPSTREAM_MAX),
    ndots: Number(ownNdots?.slice("ndots:".length) ?? 0),
  };
}
