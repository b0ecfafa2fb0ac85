import type { Cluster, ClusterSpec } from "../../api/index.js";
import { type JournalLag, positionText, redactedUrl } from "../../journal/index.js";
import type { ClusterJournal } from "../../manager/index.js";
import { presentMeta } from "./meta.js";
import { tlsInfo } from "./tls-info.js";

const DEFAULT_POOL = ["10.0.0.0/8"];
const DEFAULT_SUBNET_SIZE = 24;
const DEFAULT_DATA_PATH_PORT = 4789;

/** As in `/info`: without the join tokens. */
export function presentClusterInfo(cluster: Cluster) {
  return {
    ...presentMeta(cluster),
    Spec: presentSpec(cluster.spec),
    TLSInfo: tlsInfo(cluster.rootCertPem),
    RootRotationInProgress: false,
    DefaultAddrPool: cluster.defaultAddrPool.length === 0 ? DEFAULT_POOL : cluster.defaultAddrPool,
    SubnetSize: cluster.subnetSize === 0 ? DEFAULT_SUBNET_SIZE : cluster.subnetSize,
    DataPathPort: cluster.dataPathPort === 0 ? DEFAULT_DATA_PATH_PORT : cluster.dataPathPort,
  };
}

/** Without the password of the journal's Redis. */
function presentSpec(spec: ClusterSpec): ClusterSpec {
  const { Journal: journal } = spec;
  return journal === undefined
    ? spec
    : { ...spec, Journal: { ...journal, URL: redactedUrl(journal.URL) } };
}

/** `GET /swarm`. */
export function presentCluster(cluster: Cluster) {
  return {
    ...presentClusterInfo(cluster),
    JoinTokens: { Worker: cluster.joinTokens.worker, Manager: cluster.joinTokens.manager },
  };
}

/** What the manager that answers knows of its journal. Redis: on the leader alone, who writes it. */
export function presentJournalStatus(journal: ClusterJournal) {
  const redis = journal.redisLag();
  return {
    JournalStatus: {
      Files: presentLag(journal.lag()),
      ...(redis && { Redis: presentLag(redis) }),
    },
  };
}

function presentLag(lag: JournalLag) {
  return {
    State: lag.state,
    Problem: lag.problem,
    Last: positionText(lag.last),
    Stored: positionText(lag.stored),
    Waiting: lag.waitingCount,
    Dropped: lag.droppedCount,
  };
}
