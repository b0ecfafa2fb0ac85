import { isIpv6 } from "../address-text.js";
import { type NodeNames, tunnelLink } from "../names.js";
import { VXLAN_OVERHEAD } from "../network-plan.js";
import type { NetworkState } from "../network-state.js";
import { TUNNEL_RANGE, tunnelAddress, tunnelPort } from "./tunnel-address.js";

/** Another node that has a task on an encrypted network of this one. */
export type PlannedPeer = {
  readonly nodeId: string;
  readonly index: number;
  readonly isDown: boolean;
  readonly publicKey: string;
  /** Public parts of what its pair keys are made with, oldest first. */
  readonly pairKeys: readonly string[];
  /** `address:port` on the underlay. */
  readonly endpoint: string;
  /** The one address that packets from it may carry inside the tunnel. */
  readonly allowedIp: string;
};

/** What this node's WireGuard interface should be. */
export type TunnelPlan = {
  readonly link: string;
  /** With prefix length. */
  readonly address: string;
  readonly port: number;
  readonly mtu: number;
  /** This node's index. */
  readonly index: number;
  /** As the managers know them; empty before they were told. */
  readonly publishedPairKeys: readonly string[];
  /** By node id. */
  readonly peers: readonly PlannedPeer[];
};

/** undefined: this node is on no encrypted network, or the managers do not know it yet. */
export function tunnelPlan(state: NetworkState, names: NodeNames): TunnelPlan | undefined {
  const encrypted = state.networks.filter(({ isEncrypted, vni }) => isEncrypted && vni > 0);
  const self = state.nodes.find(({ nodeId }) => nodeId === state.nodeId);
  if (encrypted.length === 0 || self === undefined || state.dataPathPort === 0) return undefined;
  const ids = new Set(encrypted.map(({ id }) => id));
  const members = new Set(
    state.endpoints.filter(({ networkId }) => ids.has(networkId)).map(({ nodeId }) => nodeId),
  );
  // Every node is on ingress.
  const hasAll = encrypted.some(({ isIngress }) => isIngress);
  const port = tunnelPort(state.dataPathPort);
  const peers = state.nodes
    .filter(({ nodeId }) => nodeId !== state.nodeId && (hasAll || members.has(nodeId)))
    .flatMap(({ nodeId, index, isDown, dataPathAddr, tunnel }) =>
      tunnel === undefined || dataPathAddr === ""
        ? []
        : [
            {
              ...{ nodeId, index, isDown },
              publicKey: tunnel.publicKey,
              pairKeys: tunnel.pairKeys,
              endpoint: isIpv6(dataPathAddr)
                ? `[${dataPathAddr}]:${port}`
                : `${dataPathAddr}:${port}`,
              allowedIp: `${tunnelAddress(index)}/32`,
            },
          ],
    )
    .sort((a, b) => (a.nodeId < b.nodeId ? -1 : 1));
  return {
    link: tunnelLink(names),
    address: `${tunnelAddress(self.index)}/${TUNNEL_RANGE.split("/")[1]}`,
    port,
    mtu: Math.max(...encrypted.map(({ mtu }) => mtu)) + VXLAN_OVERHEAD,
    index: self.index,
    publishedPairKeys: self.tunnel?.pairKeys ?? [],
    peers,
  };
}
