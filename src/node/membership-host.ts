/** What init, join and leave need of the supervisor. */
import type { ManagerStart, NodeConfig } from "../api/index.js";
import type { Clock, Logger, Random } from "../base/index.js";
import type { CaPort } from "./ca-client.js";
import type { HostAddress } from "./core/address.js";
import type { SupervisorLimits } from "./limits.js";
import type { NodeState } from "./node-state.js";

export interface MembershipHost {
  readonly config: NodeConfig;
  readonly state: NodeState;
  readonly ca: CaPort;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly limits: SupervisorLimits;
  hostAddresses(): readonly HostAddress[];
  /** How the manager of an init under way starts; undefined: as the record says. */
  setBootstrap(start: Extract<ManagerStart, { kind: "bootstrap" }> | undefined): void;
  /** Ends the manager, if it runs, and starts it anew as the record says. Resolves and rejects as `managerReady`, for the new one. */
  restartManager(signal: AbortSignal): Promise<void>;
  /** Resolves when the manager is a member and listens. Rejects with ApiError when it ends before. */
  managerReady(signal: AbortSignal): Promise<void>;
  sessionUp(signal: AbortSignal): Promise<void>;
  /** Resolves when the processes are as the record says. */
  reconciled(): Promise<void>;
  /** Requests to children; reject with ApiError. */
  askWorker(op: "leaveCluster"): Promise<unknown>;
  askNet(op: "removeNetworks"): Promise<unknown>;
  askManager(op: "leaveRaft"): Promise<unknown>;
  /** Why the manager is not running; "". */
  managerError(): string;
}
