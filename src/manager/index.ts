import { Manager } from "./manager.js";
import type { ManagerOptions } from "./manager-options.js";
import { ROOMS } from "./rooms.js";

export { ManagerError } from "./errors.js";
export { ManagerJournal } from "./journal.js";
export type { Manager } from "./manager.js";
export type { ManagerOptions } from "./manager-options.js";
export type {
  ClusterApi,
  ClusterJournal,
  LeaderContext,
  LeaderLoop,
  Membership,
  NodeUsage,
  OperationExecutor,
  ReachabilityOf,
} from "./port.js";
export { requireTls13 } from "./rpc/index.js";
export { watchUnlockKey } from "./unlock-key-watch.js";

/**
 * Opens this node's manager and resolves when it is ready: listening on `identity.listenAddr`, and
 * - bootstrap: leading, with cluster object, own node and predefined networks committed;
 * - join: a voter of its group that has caught up;
 * - resume: caught up, or, without a quorum, after a few seconds (it then answers with errors that say so).
 * Rejects with ManagerError (`reason`: addressInUse, walDamaged, locked, diskFull, removed, demoted, crash) or, when a join is
 * refused for good, ApiError. The callbacks of the options are for what happens later.
 */
export function createManager(options: ManagerOptions): Promise<Manager> {
  return Manager.create(options, ROOMS);
}
