import type { ClusterSpec } from "../../api/index.js";
import { doorError } from "../../base/index.js";
import { driver } from "./container-spec.js";
import {
  duration,
  flag,
  int64,
  mapped,
  pointer,
  struct,
  text,
  textMap,
  uint64,
  unsupported,
} from "./decoder.js";

/** What a new cluster starts with (contracts §5, §6 where it differs from Docker's 5 s heartbeat and 10 ticks). */
export const DEFAULT_CLUSTER_SPEC: ClusterSpec = {
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
  Dispatcher: { HeartbeatPeriod: 1_000_000_000 },
  CAConfig: { NodeCertExpiry: 7_776_000_000_000_000 },
  TaskDefaults: {},
  EncryptionConfig: { AutoLockManagers: false },
};

const ZERO_CLUSTER_SPEC: ClusterSpec = {
  Name: "",
  Labels: {},
  Orchestration: { TaskHistoryRetentionLimit: 0 },
  Raft: {
    SnapshotInterval: 0,
    KeepOldSnapshots: 0,
    LogEntriesForSlowFollowers: 0,
    ElectionTick: 0,
    HeartbeatTick: 0,
  },
  Dispatcher: { HeartbeatPeriod: 0 },
  CAConfig: { NodeCertExpiry: 0 },
  TaskDefaults: {},
  EncryptionConfig: { AutoLockManagers: false },
};

const fields = struct("Spec", {
  Name: text,
  Labels: textMap,
  Orchestration: struct("OrchestrationConfig", {
    TaskHistoryRetentionLimit: pointer(int64),
    SpecHistoryLimit: pointer(int64),
  }),
  Raft: struct("RaftConfig", {
    SnapshotInterval: uint64,
    KeepOldSnapshots: pointer(uint64),
    LogEntriesForSlowFollowers: uint64,
    ElectionTick: int64,
    HeartbeatTick: int64,
  }),
  Dispatcher: struct("DispatcherConfig", { HeartbeatPeriod: duration }),
  CAConfig: mapped(
    struct("CAConfig", {
      NodeCertExpiry: duration,
      ExternalCAs: unsupported(),
      SigningCACert: unsupported(),
      SigningCAKey: unsupported(),
      ForceRotate: uint64,
    }),
    ({ ExternalCAs: _external, SigningCACert: _cert, SigningCAKey: _key, ...raw }) => raw,
  ),
  TaskDefaults: struct("TaskDefaults", {
    LogDriver: mapped(driver, (raw) => ({ ...raw, Name: raw.Name ?? "" })),
  }),
  EncryptionConfig: struct("EncryptionConfig", { AutoLockManagers: flag }),
  Journal: struct("JournalConfig", { URL: text, MaxEntries: uint64, CACert: text }),
});

function over(base: ClusterSpec, body: unknown): ClusterSpec {
  const raw = body === undefined || body === null ? {} : fields.decode(body, "");
  return {
    Name: raw.Name ?? base.Name,
    Labels: raw.Labels ?? base.Labels,
    Orchestration: { ...base.Orchestration, ...raw.Orchestration },
    Raft: { ...base.Raft, ...raw.Raft },
    Dispatcher: { ...base.Dispatcher, ...raw.Dispatcher },
    CAConfig: { ...base.CAConfig, ...raw.CAConfig },
    TaskDefaults: { ...base.TaskDefaults, ...raw.TaskDefaults },
    EncryptionConfig: { ...base.EncryptionConfig, ...raw.EncryptionConfig },
    ...(raw.Journal && { Journal: { ...raw.Journal, URL: raw.Journal.URL ?? "" } }),
  };
}

/**
 * For update: the body is the whole spec, what it leaves out becomes zero (spec §1.4), but for the journal: clients of the Engine's
 * API do not know it and leave it out of what they send back, so an absent one stays and an empty one goes.
 */
export function parseClusterSpec(body: unknown): ClusterSpec {
  return over(ZERO_CLUSTER_SPEC, body);
}

/** For init: what the body leaves out keeps its default. */
export function parseInitialClusterSpec(body: unknown): ClusterSpec {
  const spec = over(DEFAULT_CLUSTER_SPEC, body);
  if (spec.Journal !== undefined) {
    throw doorError(
      "Unimplemented",
      "swarm init: field Spec.Journal is not supported there; set it afterwards: swarm cluster update --journal URL",
    );
  }
  return spec;
}
