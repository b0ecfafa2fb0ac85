/** What both front programs do: keep what the supervisor says, take sockets, retire, stop. */
import type { Socket } from "node:net";
import {
  type ChildChannel,
  type LocalState,
  type NodeIdentity,
  nodePaths,
  type ToChild,
} from "../api/index.js";
import { type Logger, packageVersion, SystemClock, SystemRandom } from "../base/index.js";
import type { ClusterApi } from "../manager/port.js";
import { createRestServer, type RestServer } from "../rest/index.js";

type StartMessage = Extract<ToChild, { kind: "start" }>;

/** The program's own part in what the supervisor asks of it. */
export type FrontHooks = {
  readonly cluster: ClusterApi | undefined;
  readonly onIdentity: (identity: NodeIdentity | undefined) => void;
  /** Closes the manager, if there is one; safe to repeat. */
  readonly close: (how: "stop" | "retire") => Promise<void>;
};

/** Serves REST until told to retire or stop; the process exits 0 then. */
export async function runFront(
  channel: ChildChannel,
  start: StartMessage,
  logger: Logger,
  hooks: FrontHooks,
): Promise<RestServer> {
  let localState: LocalState = start.localState;
  const rest = await createRestServer({
    config: start.config,
    localState: () => localState,
    cluster: hooks.cluster,
    membership: (op, body) => channel.request(op, body),
    workerSocket: nodePaths(start.config).workerSocket,
    clock: new SystemClock(),
    random: new SystemRandom(),
    logger,
    version: packageVersion(),
  });
  const end = async (how: "stop" | "retire"): Promise<void> => {
    try {
      await hooks.close(how);
      if (how === "retire") await rest.retire();
      await rest.close();
    } catch (error) {
      logger.error({ error: String(error) }, "front did not end in order");
    }
    process.exit(0);
  };
  channel.listen((message: ToChild, handle: Socket | undefined) => {
    switch (message.kind) {
      case "localState":
        localState = message.localState;
        return;
      case "identity":
        hooks.onIdentity(message.identity);
        return;
      case "socket":
        channel.send({ kind: "socketAck", seq: message.seq });
        // Undefined when the client was gone before it arrived here.
        if (handle !== undefined) rest.acceptSocket(handle);
        return;
      case "retire":
      case "stop":
        void end(message.kind); // ends the process
        return;
      default:
        return;
    }
  });
  return rest;
}
