import type { ManagerStart, NodeConfig, NodeIdentity, RaftKeys } from "../api/index.js";
import type { Clock, Logger, Random } from "../base/index.js";
import type { Proposer, Store } from "../store/index.js";
import type { ManagerError } from "./errors.js";
import type { NamedLoop } from "./leader-terms.js";
import type { Membership, OperationExecutor } from "./port.js";
import type { RaftHandlers } from "./raft-handlers.js";

export type ManagerOptions = {
  readonly config: NodeConfig;
  readonly identity: NodeIdentity;
  readonly start: ManagerStart;
  readonly raftKeys: RaftKeys;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** The node was removed from the cluster. Like the next two called once at most; the manager has stopped taking part. */
  readonly onRemoved: () => void;
  /** The node is no member of the Raft group any more: ask the CA for its role. */
  readonly onDemoted: () => void;
  /** The manager cannot go on: exit with `error.reason`. */
  readonly onFailed: (error: ManagerError) => void;
};

/** What the manager runs inside itself: the other rooms' parts, handed in so that a test can do without them. */
export type ManagerRooms = {
  readonly leaderLoops: readonly NamedLoop[];
  readonly createExecutor: (parts: {
    readonly store: Store;
    readonly proposer: Proposer;
    readonly membership: Membership;
    readonly raftHandlers: RaftHandlers;
    readonly clock: Clock;
    readonly random: Random;
    readonly logger: Logger;
  }) => OperationExecutor;
};
