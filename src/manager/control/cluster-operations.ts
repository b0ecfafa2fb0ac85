/** cluster.update: the settings of the cluster, and new join tokens. */
import type { Cluster, ClusterSpec, NodeRole, Operation } from "../../api/index.js";
import { ApiError } from "../../base/index.js";
import {
  bool,
  int,
  notSupported,
  refused,
  struct,
  text,
  textMap,
  uint,
  walkStruct,
} from "./field-types.js";
import { invalid } from "./invalid.js";
import { validateJournal } from "./journal-spec.js";
import { type Call, type Outcome, type RunDeps, runOperation } from "./run-operation.js";

type OperationOf<K extends Operation["kind"]> = Extract<Operation, { kind: K }>;
export type ClusterDeps = RunDeps & {
  /** A fresh token of this role for the cluster's current root. */
  readonly newToken: (role: NodeRole, cluster: Cluster) => string;
  readonly newUnlockKey: () => string;
};

const CLUSTER_NAME = "default";
/** A spec can be large, and each is kept by every manager. */
const SPEC_HISTORY_MAX = 100;
const CERT_EXPIRY_MIN_NS = 3600e9;
const CONTEXT = { operation: "swarm update", capabilities: new Set<never>() };
const ZERO = { keepsZero: true, fill: 0 } as const;

/** Spec §1.4. An absent value means zero: the body is the whole spec. */
export const CLUSTER_FIELDS = struct({
  Name: text(),
  Labels: textMap({ fill: {} }),
  Orchestration: struct({
    TaskHistoryRetentionLimit: int(ZERO),
    SpecHistoryLimit: int({ keepsZero: true }),
  }),
  Raft: struct({
    SnapshotInterval: uint(ZERO),
    KeepOldSnapshots: uint(ZERO),
    LogEntriesForSlowFollowers: uint(ZERO),
    ElectionTick: int(ZERO),
    HeartbeatTick: int(ZERO),
  }),
  Dispatcher: struct({ HeartbeatPeriod: int(ZERO) }),
  CAConfig: struct({
    NodeCertExpiry: int(ZERO),
    ExternalCAs: refused,
    SigningCACert: refused,
    SigningCAKey: refused,
    ForceRotate: uint(),
  }),
  TaskDefaults: struct({ LogDriver: refused }),
  EncryptionConfig: struct({ AutoLockManagers: bool({ keepsZero: true }) }),
  Journal: struct({ URL: text(), MaxEntries: uint(), CACert: text() }),
});

export function updateCluster(
  deps: ClusterDeps,
  operation: OperationOf<"cluster.update">,
  call: Call,
): Promise<Outcome<"cluster.update">> {
  const { version, rotateManagerToken, rotateWorkerToken } = operation;
  return runOperation<"cluster.update">(deps, call, () => {
    const old = deps.store.cluster();
    if (!old) throw new ApiError("FailedPrecondition", "the cluster has not been created yet");
    const spec = validateCluster(operation.spec, old.spec);
    const { unlockKey: _, ...kept } = old;
    const cluster: Cluster = {
      ...kept,
      ...unlockKeyFor(deps, spec, old, operation.rotateManagerUnlockKey),
      spec,
      joinTokens: {
        worker: rotateWorkerToken ? deps.newToken("worker", old) : old.joinTokens.worker,
        manager: rotateManagerToken ? deps.newToken("manager", old) : old.joinTokens.manager,
      },
    };
    return {
      preconditions: [
        { kind: "clientVersion", table: "cluster", id: old.id, index: version },
        { kind: "versionIs", table: "cluster", id: old.id, index: old.versionIndex },
      ],
      changes: [{ kind: "putCluster", cluster }],
      result: {},
    };
  });
}

/** Made with autolock, and gone with it: every manager follows (spec §5.2). */
function unlockKeyFor(
  deps: ClusterDeps,
  spec: ClusterSpec,
  old: Cluster,
  isRotated: boolean,
): Pick<Cluster, "unlockKey"> {
  if (!spec.EncryptionConfig.AutoLockManagers) {
    if (isRotated)
      throw invalid("rotateManagerUnlockKey: managers are not locked; turn autolock on instead");
    return {};
  }
  const { unlockKey } = old;
  return { unlockKey: isRotated || unlockKey === undefined ? deps.newUnlockKey() : unlockKey };
}

/** Checks a whole cluster spec against the one it replaces; also what may not change in this version. Throws ApiError. */
export function validateCluster(input: unknown, old: ClusterSpec): ClusterSpec {
  // The table is the parser here.
  const walked = walkStruct(CLUSTER_FIELDS, input, "", CONTEXT) as Partial<ClusterSpec>;
  if (walked.Name !== CLUSTER_NAME)
    throw invalid(
      `modification of cluster name is not allowed: it is "${CLUSTER_NAME}", not "${walked.Name ?? ""}"`,
    );
  const expiryNs = walked.CAConfig?.NodeCertExpiry ?? 0;
  if (expiryNs < CERT_EXPIRY_MIN_NS)
    throw invalid(
      `minimum certificate expiry time is: 1h0m0s (CAConfig.NodeCertExpiry: ${expiryNs} ns)`,
    );
  const periodNs = walked.Dispatcher?.HeartbeatPeriod ?? 0;
  if (periodNs < 0) throw invalid("heartbeat time period cannot be a negative duration");
  const forceRotate = walked.CAConfig?.ForceRotate ?? 0;
  if (forceRotate !== (old.CAConfig.ForceRotate ?? 0))
    throw notSupported("CAConfig.ForceRotate", CONTEXT, ": the root cannot be rotated");
  const journal = validateJournal(walked.Journal, old.Journal);
  return {
    Name: CLUSTER_NAME,
    Labels: walked.Labels ?? {},
    Orchestration: {
      TaskHistoryRetentionLimit: walked.Orchestration?.TaskHistoryRetentionLimit ?? 0,
      ...specHistory(walked.Orchestration?.SpecHistoryLimit ?? old.Orchestration.SpecHistoryLimit),
    },
    Raft: raftSettings(walked.Raft, old.Raft),
    Dispatcher: { HeartbeatPeriod: periodNs },
    CAConfig: {
      NodeCertExpiry: expiryNs,
      ...(forceRotate > 0 && { ForceRotate: forceRotate }),
    },
    TaskDefaults: walked.TaskDefaults ?? {},
    EncryptionConfig: { AutoLockManagers: walked.EncryptionConfig?.AutoLockManagers ?? false },
    ...(journal && { Journal: journal }),
  };
}

/** No field of Docker's: clients that do not know it leave it out, and then it stays. */
function specHistory(limit: number | undefined): { readonly SpecHistoryLimit?: number } {
  if (limit === undefined) return {};
  if (limit < 1 || limit > SPEC_HISTORY_MAX)
    throw invalid(
      `Orchestration.SpecHistoryLimit must be from 1 to ${SPEC_HISTORY_MAX}, not ${limit}`,
    );
  return { SpecHistoryLimit: limit };
}

/** The three are read when a member is made; the others every member follows. 0, what a client sends that does not care, keeps each. */
function raftSettings(
  given: Partial<ClusterSpec["Raft"]> | undefined,
  old: ClusterSpec["Raft"],
): ClusterSpec["Raft"] {
  for (const field of ["KeepOldSnapshots", "ElectionTick", "HeartbeatTick"] as const) {
    const value = given?.[field] ?? 0;
    if (value !== 0 && value !== old[field])
      throw notSupported(`Raft.${field}`, CONTEXT, ` with another value than ${old[field]}`);
  }
  return {
    ...old,
    SnapshotInterval: given?.SnapshotInterval || old.SnapshotInterval,
    LogEntriesForSlowFollowers: given?.LogEntriesForSlowFollowers || old.LogEntriesForSlowFollowers,
  };
}
