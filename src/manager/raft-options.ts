/** How this program runs Raft: options from settings, and Raft's failures as reasons to exit. */
import {
  openRaft,
  RaftError,
  type RaftNode,
  type RaftOptions,
  type SnapshotPolicy,
  type StateMachine,
  type Transport,
} from "raft-ts";
import {
  type ClusterSpec,
  type ManagerStart,
  type NodeConfig,
  nodePaths,
  type RaftKeys,
} from "../api/index.js";
import type { Clock, Logger, Random } from "../base/index.js";
import type { ReplicatedStore } from "../store/index.js";
import { ManagerError } from "./errors.js";

type Parts = {
  readonly config: NodeConfig;
  readonly memberId: string;
  readonly start: ManagerStart;
  readonly raftKeys: RaftKeys;
  readonly store: ReplicatedStore;
  readonly transport: Transport;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly onTick: (latenessMs: number) => void;
};

/** Opens the member. `bootstrapContext` only for a new group. Rejects with ManagerError. */
export async function openMember(
  parts: Parts,
  bootstrapContext: Uint8Array | undefined,
): Promise<RaftNode> {
  const { config, memberId, raftKeys, store, transport, clock, random, logger } = parts;
  const options: RaftOptions = {
    id: memberId,
    dir: nodePaths(config).raftDir,
    stateMachine: stateMachine(store),
    transport,
    clock,
    random,
    logger: logger.child({ part: "raft" }),
    onTick: parts.onTick,
    keys: raftKeys.keys.map(({ keyId, keyBase64 }) => ({
      keyId,
      key: Buffer.from(keyBase64, "base64"),
    })),
    activeKeyId: raftKeys.activeKeyId,
    ...snapshotSettings(parts.start),
    continueAlone: parts.start.kind === "forceNewCluster",
  };
  try {
    return bootstrapContext === undefined
      ? await openRaft(options)
      : await openRaft(options, { context: bootstrapContext });
  } catch (error) {
    throw toManagerError(error);
  }
}

/** A joined or resumed member opens with the defaults: its cluster object is in the log it is about to read. */
function snapshotSettings(start: ManagerStart): SnapshotPolicy {
  return start.kind === "bootstrap" ? snapshotPolicy(start.spec) : {};
}

/** What the cluster's spec says about snapshots; 0 asks for the default. */
export function snapshotPolicy(spec: ClusterSpec): SnapshotPolicy {
  const { SnapshotInterval, LogEntriesForSlowFollowers } = spec.Raft;
  return {
    ...(SnapshotInterval > 0 && { snapshotEntries: SnapshotInterval }),
    ...(LogEntriesForSlowFollowers > 0 && { keepEntries: LogEntriesForSlowFollowers }),
  };
}

function stateMachine(store: ReplicatedStore): StateMachine {
  return {
    apply: (entry) => store.apply(entry.index, entry.data),
    snapshot: () => store.snapshot(),
    restore: (chunks) => store.restore(chunks),
  };
}

/** Why the process should exit. */
export function toManagerError(error: unknown): ManagerError {
  if (error instanceof ManagerError) return error;
  const message = error instanceof Error ? error.message : String(error);
  if (!(error instanceof RaftError)) return new ManagerError("crash", message, { cause: error });
  switch (error.code) {
    case "DAMAGED":
      return new ManagerError(
        "walDamaged",
        `the Raft log is damaged: ${message}; demote this node and promote it again, or restore a backup`,
        { cause: error },
      );
    case "KEY_MISSING":
      return new ManagerError("locked", `the Raft log is locked: ${message}`, { cause: error });
    case "DISK_FAILED":
      return isDiskFull(error)
        ? new ManagerError("diskFull", `no space left for the Raft log: ${message}`, {
            cause: error,
          })
        : new ManagerError("crash", message, { cause: error });
    default:
      return new ManagerError("crash", message, { cause: error });
  }
}

function isDiskFull(error: unknown): boolean {
  for (let at = error; at instanceof Error; at = at.cause) {
    if ("code" in at && (at.code === "ENOSPC" || at.code === "EDQUOT")) return true;
  }
  return false;
}
