/**
 * Networks that share addresses with a node's own bridge: a task there would have two ways to one address, so it is placed elsewhere
 * (contracts §7). New networks are refused or chosen clear of the bridges; this is for nodes that came, or moved theirs, later.
 */
import type { Network, Node } from "../api/index.js";
import { cidrsOverlap, parseCidr } from "../base/index.js";

/** The network's name and subnet and the bridge's, for people. */
export type BridgeClash = {
  readonly name: string;
  readonly subnet: string;
  readonly bridge: string;
};

/** By network id. */
export type BridgeClashes = ReadonlyMap<string, BridgeClash>;

const NONE: BridgeClashes = new Map();

export function bridgeClashes(node: Node | undefined, networks: Iterable<Network>): BridgeClashes {
  const bridge = node?.description?.Bridge ?? "";
  const own = parseCidr(bridge);
  if (own === undefined) return NONE;
  let found: Map<string, BridgeClash> | undefined;
  for (const { id, spec, subnets } of networks) {
    const clash = subnets.find(({ subnet }) => {
      const cidr = parseCidr(subnet);
      return cidr !== undefined && cidrsOverlap(own, cidr);
    });
    if (clash === undefined) continue;
    found ??= new Map();
    found.set(id, { name: spec.Name, subnet: clash.subnet, bridge });
  }
  return found ?? NONE;
}
