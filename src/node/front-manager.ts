/** The front of a manager: the manager and REST over its store in one process (architecture §2). */
import { ChildChannel, type NodeIdentity, type OwnRenewal, type ToChild } from "../api/index.js";
import { ApiError, createLogger, SystemClock, SystemRandom } from "../base/index.js";
import {
  createManager,
  type Manager,
  ManagerError,
  requireTls13,
  watchUnlockKey,
} from "../manager/index.js";
import { runFront } from "./front-program.js";

requireTls13();
const { channel, start } = await ChildChannel.connect();
const { config } = start;
const logger = createLogger(config.logLevel, { program: "manager", node: config.hostname });
if (start.identity === undefined || start.manager === undefined)
  throw new Error("the manager program was started without an identity");

let identity: NodeIdentity = start.identity;
let manager: Manager | undefined;

function setIdentity(next: NodeIdentity | undefined): void {
  if (next === undefined) return; // the supervisor closes this manager
  identity = next;
  manager?.setIdentity(next);
}

// Until the manager is up, which can take as long as a quorum is missing, it is simply ended: its log survives that.
const stopEarlyListener = channel.listen((message: ToChild) => {
  if (message.kind === "identity") setIdentity(message.identity);
  if (message.kind === "stop" || message.kind === "retire") process.exit(0);
});

channel.onRequest(async (op, body) => {
  switch (op) {
    case "leaveRaft":
      return ready().submit({ kind: "raft.leave", nodeId: identity.nodeId });
    case "renewOwnCertificate":
      // The supervisor's own request.
      return ready().renewOwnCertificate(body as OwnRenewal["request"]);
    case "closeManager":
      await manager?.stop();
      return {};
    default:
      throw new ApiError("Unimplemented", `the manager knows no request "${op}"`);
  }
});

function ready(): Manager {
  if (manager === undefined) throw new ApiError("Unavailable", "the manager is still starting");
  return manager;
}

/** The process stays, so that REST connections end in order: the supervisor learns the role and retires it. */
function tellRoleDoubt(reason: "removed" | "demoted", message: string): void {
  logger.warn({ nodeId: identity.nodeId, reason }, message);
  channel.send({ kind: "failed", reason, message });
}

function fail(error: unknown): never {
  if (error instanceof ManagerError) return channel.fail(error.reason, error.message);
  const message = error instanceof Error ? error.message : String(error);
  logger.error({ err: error instanceof Error ? error.stack : undefined }, "manager did not start");
  return channel.fail("crash", `the manager program did not start: ${message}`);
}

const cluster = await createManager({
  config,
  identity,
  ...start.manager,
  clock: new SystemClock(),
  random: new SystemRandom(),
  logger,
  onRemoved: () => {
    tellRoleDoubt("removed", "this node was removed from the swarm");
  },
  onDemoted: () => {
    tellRoleDoubt("demoted", "this node is no manager any more");
  },
  onFailed: (error) => {
    channel.fail(error.reason, error.message);
  },
}).catch(fail);
manager = cluster;
// What arrived while it started.
manager.setIdentity(identity);
await runFront(channel, start, logger, {
  cluster,
  onIdentity: setIdentity,
  close: () => cluster.stop(),
});
stopEarlyListener();
watchUnlockKey(cluster.store, (unlockKey) => {
  channel.send({ kind: "unlockKey", unlockKey });
});
channel.send({ kind: "ready" });
