/** Names of everything this node makes in the kernel. Whatever carries another node's id is foreign and never touched. */

/** IFNAMSIZ - 1. */
const LINK_NAME_MAX = 15;

export type NodeNames = {
  readonly nodeId: string;
  /** First 8 characters of the node id. */
  readonly short: string;
  readonly bridge: string;
  /** Prefix of every network namespace of this node's containers. */
  readonly netnsPrefix: string;
  readonly nftTable: string;
  readonly bridgeAlias: string;
};

export function nodeNames(nodeId: string): NodeNames {
  const short = nodeId.slice(0, 8);
  return {
    nodeId,
    short,
    bridge: `swgw${short}`,
    netnsPrefix: `swarm-${short}-`,
    nftTable: `swarm_${short}`,
    bridgeAlias: `swarm:${nodeId}:gwbridge`,
  };
}

export function netnsName(names: NodeNames, containerId: string): string {
  return `${names.netnsPrefix}${containerId}`;
}

/** Host end of the container's veth pair. The index is unique among live attachments and keeps the name short. */
export function vethName(names: NodeNames, hostPart: number): string {
  return `sw${names.short}${hostPart.toString(36)}`.slice(0, LINK_NAME_MAX);
}

export function vethAlias(names: NodeNames, containerId: string): string {
  return `swarm:${names.nodeId}:container:${containerId}`;
}

/** The container id of an alias of ours; undefined for anybody else's. */
export function containerOfAlias(names: NodeNames, alias: string): string | undefined {
  const prefix = vethAlias(names, "");
  return alias.startsWith(prefix) ? alias.slice(prefix.length) : undefined;
}

/** Alias prefix of every link of this node. */
export function aliasPrefix(names: NodeNames): string {
  return `swarm:${names.nodeId}:`;
}

/** The namespace of one overlay network on this node: bridge, VXLAN device, one veth per endpoint. */
export function sandboxNetns(names: NodeNames, networkId: string): string {
  return `${sandboxPrefix(names)}${networkId}`;
}

/** Differs from netnsPrefix, so that no sandbox is taken for a container's namespace. */
export function sandboxPrefix(names: NodeNames): string {
  return `swarm-${names.short}.net-`;
}

/** Alias prefix of the sandboxes' links and of the host's own end on ingress: the bridge and its ports have others. */
export function networkAliasPrefix(names: NodeNames): string {
  return `${aliasPrefix(names)}network:`;
}

export function networkAlias(names: NodeNames, networkId: string): string {
  return `${networkAliasPrefix(names)}${networkId}`;
}

/** Names both ends of a pair: with another alias a link leads into another bridge, or is another interface of its container. */
export function endpointAlias(
  names: NodeNames,
  networkId: string,
  taskId: string,
  link: string,
): string {
  return `${aliasPrefix(names)}endpoint:${networkId}:${taskId}:${link}`;
}

/** Exists in the namespace swarmd was started in for a moment before it is moved, hence the node's id. */
export function vxlanName(names: NodeNames, vni: number): string {
  return `vx${names.short}${vni.toString(36)}`;
}

/** The host's own end on the ingress network. */
export function ingressLink(names: NodeNames): string {
  return `swin${names.short}`;
}

/** The WireGuard interface that encrypted networks go through. */
export function tunnelLink(names: NodeNames): string {
  return `swwg${names.short}`;
}

/** Not a network's: the plane leaves it alone. */
export function tunnelAlias(names: NodeNames): string {
  return `${aliasPrefix(names)}tunnel`;
}
