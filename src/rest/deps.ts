/** What the REST door is given, and what it gives back: the contract between `src/rest` and the programs that run it. */
import type { Socket } from "node:net";
import type { LocalState, NodeConfig } from "../api/index.js";
import type { Clock, Logger, Random } from "../base/index.js";
import type { ClusterApi } from "../manager/index.js";

export type MembershipOp = "init" | "join" | "leave" | "unlock";

export type RestDeps = {
  readonly config: NodeConfig;
  /** Read at every request: state of this node when it cannot come from the store. */
  readonly localState: () => LocalState;
  /** Undefined in the `rest` program: every cluster route then answers 503 with reason and remedy. */
  readonly cluster: ClusterApi | undefined;
  /**
   * Asks the supervisor. Bodies are `InitRequest`, `JoinRequest`, `LeaveRequest`, `UnlockRequest` (membership-bodies.ts);
   * init resolves with the node id, leave with `LeaveReply`, the others with anything. Rejects with ApiError.
   */
  readonly membership: (op: MembershipOp, body: unknown) => Promise<unknown>;
  /** Unix socket of the worker's node-local Engine API. */
  readonly workerSocket: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Version of this software, as `docker version` shows it. */
  readonly version: string;
};

export interface RestServer {
  /** Takes over a connection (handed over by IPC): HTTP/1.1 is spoken on it from here on, upgrades included. */
  acceptSocket(socket: Socket): void;
  /**
   * Stops taking sockets, closes idle ones, adds `Connection: close` to every reply. Resolves when all streams have ended, or
   * after 60 s, when what is left is cut.
   */
  retire(): Promise<void>;
  /** Cuts everything and frees what the server holds. */
  close(): Promise<void>;
}
