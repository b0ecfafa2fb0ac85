import type { Cluster } from "../../api/index.js";
import { presentMeta } from "./meta.js";
import { tlsInfo } from "./tls-info.js";

const DEFAULT_POOL = ["10.0.0.0/8"];
const DEFAULT_SUBNET_SIZE = 24;
const DEFAULT_DATA_PATH_PORT = 4789;

/** As in `/info`: without the join tokens. */
export function presentClusterInfo(cluster: Cluster) {
  return {
    ...presentMeta(cluster),
    Spec: cluster.spec,
    TLSInfo: tlsInfo(cluster.rootCertPem),
    RootRotationInProgress: false,
    DefaultAddrPool: cluster.defaultAddrPool.length === 0 ? DEFAULT_POOL : cluster.defaultAddrPool,
    SubnetSize: cluster.subnetSize === 0 ? DEFAULT_SUBNET_SIZE : cluster.subnetSize,
    DataPathPort: cluster.dataPathPort === 0 ? DEFAULT_DATA_PATH_PORT : cluster.dataPathPort,
  };
}

/** `GET /swarm`. */
export function presentCluster(cluster: Cluster) {
  return {
    ...presentClusterInfo(cluster),
    JoinTokens: { Worker: cluster.joinTokens.worker, Manager: cluster.joinTokens.manager },
  };
}
