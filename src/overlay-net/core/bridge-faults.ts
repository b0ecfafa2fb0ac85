/**
 * What is wrong with the node's bridge and the containers' links to it. They are made by other hands than the overlay networks, but another
 * hand can take them away all the same.
 */
import type { NetnsState } from "./kernel-model.js";

/** A container's way out, as it should be. */
export type BridgeEndpoint = {
  readonly netns: string;
  readonly hostLink: string;
  /** a.b.c.d/len of eth0. */
  readonly address: string;
  readonly mac: string;
};

export type BridgeLinks = {
  readonly bridge: string;
  /** a.b.c.d/len: the containers' gateway. */
  readonly address: string;
  readonly endpoints: readonly BridgeEndpoint[];
};

export type BridgeFault = {
  /** Namespace of the endpoint to be mended; "": the bridge itself. */
  readonly netns: string;
  readonly text: string;
};

const MAIN_TABLE = 254;

/** Seen in the host's namespace. */
export function bridgeFaults(
  { bridge, address, endpoints }: BridgeLinks,
  { links, addresses }: NetnsState,
): readonly BridgeFault[] {
  const byName = new Map(links.map((link) => [link.name, link]));
  const found = byName.get(bridge);
  const hasAddress = addresses.some((one) => one.link === bridge && one.address === address);
  const own =
    found === undefined
      ? ["is missing"]
      : [...(found.isUp ? [] : ["is down"]), ...(hasAddress ? [] : [`has no address ${address}`])];
  const ports = endpoints.flatMap(({ netns, hostLink }) => {
    const link = byName.get(hostLink);
    const wrong =
      link === undefined
        ? ["is missing"]
        : [
            ...(link.isUp ? [] : ["is down"]),
            ...(link.master === bridge ? [] : [`is not on ${bridge}`]),
            ...(link.master !== bridge || link.isIsolated ? [] : ["is not isolated"]),
          ];
    return wrong.map((text) => ({ netns, text: `host: link ${hostLink} ${text}` }));
  });
  return [...own.map((text) => ({ netns: "", text: `host: link ${bridge} ${text}` })), ...ports];
}

/** Seen in the container's namespace. */
export function endpointFaults(
  { address: gateway }: Pick<BridgeLinks, "address">,
  { netns, address, mac }: BridgeEndpoint,
  { links, addresses, routes }: NetnsState,
): readonly BridgeFault[] {
  const link = links.find(({ name }) => name === "eth0");
  if (link === undefined) return [{ netns, text: `${netns}: link eth0 is missing` }];
  const hasAddress = addresses.some((one) => one.link === "eth0" && one.address === address);
  const via = gateway.split("/")[0];
  const hasRoute = routes.some(
    ({ link: on, dst, table, via: next }) =>
      on === "eth0" && dst === "default" && table === MAIN_TABLE && next === via,
  );
  const wrong = [
    ...(link.isUp ? [] : ["link eth0 is down"]),
    ...(link.mac === mac ? [] : [`link eth0: mac is ${link.mac}, should be ${mac}`]),
    ...(hasAddress ? [] : [`address ${address} on eth0 is missing`]),
    ...(hasRoute ? [] : [`route default via ${via} on eth0 is missing`]),
  ];
  return wrong.map((text) => ({ netns, text: `${netns}: ${text}` }));
}

/** Endpoints of `before` that still are: one that came or went meanwhile is not judged by what was seen. */
export function lasting(before: BridgeLinks, after: BridgeLinks): BridgeLinks {
  const left = new Set(after.endpoints.map(({ netns, hostLink }) => `${netns} ${hostLink}`));
  const endpoints = before.endpoints.filter((one) => left.has(`${one.netns} ${one.hostLink}`));
  return { ...before, endpoints };
}
