import { type Cluster, drainDeadlineMs, type Node, type NodeDescription } from "../../api/index.js";
import type { ReachabilityOf } from "../../manager/index.js";
import { presentMeta } from "./meta.js";
import { formatTime } from "./time.js";
import { tlsInfo } from "./tls-info.js";

function presentDescription(description: NodeDescription, cluster: Cluster | undefined) {
  const {
    EngineKind: kind,
    Engine: engine,
    Routes: _routes,
    Bridge: _bridge,
    NetworkProblems: _problems,
    UnderlayMtu: _mtu,
    WireGuard: _wireGuard,
    Tunnel: tunnel,
    Proxied6: _proxied,
    ...rest
  } = description;
  return {
    ...rest,
    // Extension: what this node's encrypted networks go through.
    ...(tunnel === undefined
      ? {}
      : { Encryption: { Implementation: tunnel.Implementation, PublicKey: tunnel.PublicKey } }),
    Engine: {
      ...engine,
      // The one field that `docker node ls` and `docker node inspect --pretty` print of the engine.
      ...(kind === "simulated"
        ? { EngineVersion: `${engine.EngineVersion} (engine: simulated)`, Kind: kind }
        : {}),
    },
    // Without root rotation every node trusts the cluster's one root.
    TLSInfo: cluster === undefined ? {} : tlsInfo(cluster.rootCertPem),
  };
}

/** Extension: when the drain began, and when what has not moved by then is stopped. */
function presentDrain(node: Node) {
  if (node.spec.Availability !== "drain" || node.drainSinceMs === 0) return {};
  const StartedAt = formatTime(node.drainSinceMs);
  return { DrainStatus: { StartedAt, Deadline: formatTime(drainDeadlineMs(node)) } };
}

/** `problems`: what is wrong with its networks. */
export function presentNode(
  node: Node,
  cluster: Cluster | undefined,
  reachabilityOf: ReachabilityOf,
  problems: readonly string[] = [],
) {
  const message = [node.stateMessage, ...problems].filter((text) => text !== "").join("; ");
  const live = node.manager === undefined ? undefined : reachabilityOf(node);
  return {
    ...presentMeta(node),
    Spec: node.spec,
    Description:
      node.description === undefined
        ? { Platform: {}, Resources: {}, Engine: {}, TLSInfo: {} }
        : presentDescription(node.description, cluster),
    ...presentDrain(node),
    Status: {
      State: node.state,
      ...(message === "" ? {} : { Message: message }),
      ...(node.addr === "" ? {} : { Addr: node.addr }),
    },
    ...(node.manager === undefined || live === undefined
      ? {}
      : {
          ManagerStatus: {
            ...(live.isLeader ? { Leader: true } : {}),
            Reachability: live.reachability,
            Addr: node.manager.addr,
          },
        }),
  };
}
