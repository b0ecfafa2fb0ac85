import type { Cluster } from "../../../api/index.js";

const META = { versionIndex: 0, clientIndex: 0, createdAtMs: 0, updatedAtMs: 0 };

/** A cluster as it is made without flags. */
export const CLUSTER: Cluster = {
  ...META,
  id: "c",
  spec: {
    Name: "default",
    Labels: {},
    Orchestration: { TaskHistoryRetentionLimit: 5 },
    Raft: {
      SnapshotInterval: 10_000,
      KeepOldSnapshots: 0,
      LogEntriesForSlowFollowers: 500,
      ElectionTick: 6,
      HeartbeatTick: 1,
    },
    Dispatcher: { HeartbeatPeriod: 1e9 },
    CAConfig: { NodeCertExpiry: 7776e12 },
    TaskDefaults: {},
    EncryptionConfig: { AutoLockManagers: false },
  },
  rootCertPem: "",
  rootKeyPem: "",
  joinTokens: { worker: "", manager: "" },
  defaultAddrPool: ["10.0.0.0/8"],
  subnetSize: 24,
  dataPathPort: 4789,
  deniedNodes: [],
};
