/**
 * Where a node's own routes and the cluster's networks share addresses (contracts §7). Subnets out of the pools are chosen clear of
 * them; this tells of those that a user named and of routes that came later.
 */
import type { Network, Node, NodeDescription } from "../../api/index.js";
import { type Cidr, cidrsOverlap, parseCidr } from "../../base/index.js";
import type { StoreView } from "../../store/index.js";

/** Of each kind; the others are counted. */
const SHOWN_MAX = 5;

type Route = { readonly text: string; readonly cidr: Cidr };

/** Descriptions are replaced as a whole, never changed: each is read once. */
const routesOf = new WeakMap<NodeDescription, readonly Route[]>();

type Overlap = { readonly route: string; readonly subnet: string };
type NetworkOverlaps = readonly { readonly network: Network; readonly found: readonly Overlap[] }[];

/** Clients ask for all nodes several times a second: looked at again only when the node's routes or the networks are others. */
const lastFound = new WeakMap<
  NodeDescription,
  { readonly networksKey: string; readonly overlaps: NetworkOverlaps }
>();

/**
 * What is wrong with a node's networks, each with its remedy: its own reports, and its routes beside the networks in use there. To be
 * made anew for each view.
 */
export function networkProblems(
  view: Pick<StoreView, "networks" | "tasksByNode">,
): (node: Node) => readonly string[] {
  const networks = view.networks().filter(({ subnets }) => subnets.length > 0);
  const networksKey = networks.map(({ id }) => id).join();
  return ({ id, description }) => {
    if (description === undefined) return [];
    const problems = description.NetworkProblems ?? [];
    let last = lastFound.get(description);
    if (last?.networksKey !== networksKey) {
      last = { networksKey, overlaps: allOverlaps(description, networks) };
      lastFound.set(description, last);
    }
    if (last.overlaps.length === 0) return problems;
    const used = new Set(
      view.tasksByNode(id).flatMap((task) => task.networks.map(({ networkId }) => networkId)),
    );
    const isInUse = ({ id: networkId, spec }: Network): boolean =>
      spec.Ingress === true || used.has(networkId);
    return [
      ...problems,
      ...last.overlaps.flatMap(({ network, found }) =>
        found.flatMap((overlap) => sentence(network, overlap, description, isInUse(network))),
      ),
    ];
  };
}

function allOverlaps(description: NodeDescription, networks: readonly Network[]): NetworkOverlaps {
  return networks.flatMap((network) => {
    const found = overlapsOf(description, network);
    return found.length === 0 ? [] : [{ network, found }];
  });
}

function sentence(
  { spec: { Name } }: Network,
  { route, subnet }: Overlap,
  { Bridge }: NodeDescription,
  isInUse: boolean,
): readonly string[] {
  if (route === Bridge)
    return [
      `the node's bridge ${route} overlaps network ${Name} (${subnet}): none of its tasks are placed here; start swarmd with another --gwbridge-pool, or give the network another --subnet`,
    ];
  if (!isInUse) return [];
  return [
    `route ${route} overlaps network ${Name} (${subnet}): containers on the network cannot reach what is behind the route; move one of them`,
  ];
}

/** The first node whose bridge shares addresses with the subnet. */
export function bridgeInTheWay(
  subnet: string,
  nodes: readonly Node[],
): { readonly hostname: string; readonly bridge: string } | undefined {
  const cidr = parseCidr(subnet);
  for (const { id, description } of nodes) {
    const own = parseCidr(description?.Bridge ?? "");
    if (cidr && own && cidrsOverlap(cidr, own))
      return { hostname: description?.Hostname ?? id, bridge: description?.Bridge ?? "" };
  }
  return undefined;
}

/** What the maker of a network should know of the subnets that he named; "" when there is nothing. */
export function routeWarning(network: Network, nodes: readonly Node[]): string {
  const named = (network.spec.IPAM?.Config ?? []).map(({ Subnet }) => Subnet ?? "");
  const lines = named.flatMap((subnet) => {
    const nodesByRoute = new Map<string, string[]>();
    for (const { id, description } of nodes)
      for (const { route } of description ? overlapsOf(description, network, [subnet]) : []) {
        const names = nodesByRoute.get(route) ?? [];
        nodesByRoute.set(route, [...names, description?.Hostname ?? id]);
      }
    return [...nodesByRoute].map(
      ([route, names]) =>
        `subnet ${subnet} overlaps route ${route} of ${listed(names)}: containers on ${network.spec.Name} cannot reach what is behind the route`,
    );
  });
  return listed(lines, "; ");
}

function overlapsOf(
  description: NodeDescription,
  { subnets }: Network,
  texts = subnets.map(({ subnet }) => subnet),
): readonly Overlap[] {
  return texts.flatMap((subnet) => {
    const cidr = parseCidr(subnet);
    if (cidr === undefined) return [];
    return parsedRoutes(description)
      .filter((route) => cidrsOverlap(cidr, route.cidr))
      .map(({ text }) => ({ route: text, subnet }));
  });
}

/** Everything is behind a default route, which says nothing. */
function parsedRoutes(description: NodeDescription): readonly Route[] {
  const known = routesOf.get(description);
  if (known) return known;
  const texts = new Set([...(description.Routes ?? []), description.Bridge ?? ""]);
  const parsed = [...texts].flatMap((text) => {
    const cidr = parseCidr(text);
    return cidr && cidr.length > 0 ? [{ text, cidr }] : [];
  });
  routesOf.set(description, parsed);
  return parsed;
}

function listed(texts: readonly string[], separator = ", "): string {
  const more = texts.length - SHOWN_MAX;
  const shown = texts.slice(0, SHOWN_MAX).join(separator);
  return more > 0 ? `${shown} and ${more} more` : shown;
}
