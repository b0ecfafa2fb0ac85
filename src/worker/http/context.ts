/** What the local HTTP server serves from. */
import type { Clock, Logger, Random } from "../../base/index.js";
import type { ConnectionsPort } from "../agent/index.js";
import type { Engine } from "../engine/index.js";
import type { LogService } from "../logs/index.js";
import type { NetPort } from "../net/index.js";
import type { NodeFacts, RecordStore, TaskManager } from "../tasks/index.js";
import type { LocalVolumes } from "../volumes/index.js";

export type HttpContext = {
  readonly engine: Engine;
  readonly net: NetPort;
  readonly tasks: TaskManager;
  /** Networks of running containers are the managers' to give. */
  readonly connections: ConnectionsPort;
  readonly logs: LogService;
  readonly store: RecordStore;
  readonly volumes: LocalVolumes;
  readonly volumeRoot: string;
  readonly node: () => NodeFacts;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Why the engine cannot be used now; "" when it can. */
  readonly engineProblem: () => string;
  readonly isSessionUp: () => boolean;
};
