/** The worker process: a child of the supervisor. */
import { ChildChannel, EXIT_CODE } from "../api/index.js";
import { ApiError, createLogger, keepHeapSmall, SystemClock, SystemRandom } from "../base/index.js";
import { chooseEngine } from "./engine-choice.js";
import { Worker } from "./worker.js";

/** A stop that takes longer is cut short; containers do not depend on it. */
const STOP_WITHIN_MS = 5_000;

const { channel, start } = await ChildChannel.connect();
const { config } = start;
const logger = createLogger(config.logLevel, { program: "worker", node: config.hostname });
process.on("uncaughtException", (error) => {
  logger.error({ error }, "worker fails");
  channel.fail("crash", error.message);
});

const clock = new SystemClock();
const random = new SystemRandom();
const worker = new Worker({
  config,
  identity: start.identity,
  bootId: start.bootId,
  engine: chooseEngine(config, { clock, random, logger }),
  clock,
  random,
  logger,
  tell: (message) => channel.send(message),
});

channel.onRequest(async (op) => {
  if (op !== "leaveCluster") throw new ApiError("Unimplemented", `worker: no request "${op}"`);
  await worker.leaveCluster();
  return {};
});
channel.listen((message) => {
  if (message.kind === "identity") worker.setIdentity(message.identity);
  if (message.kind !== "stop") return;
  setTimeout(() => process.exit(EXIT_CODE.ok), STOP_WITHIN_MS).unref();
  worker[Symbol.asyncDispose]().then(
    () => process.exit(EXIT_CODE.ok),
    (error: unknown) => {
      logger.error({ error }, "stop was not clean; containers run on");
      process.exit(EXIT_CODE.ok);
    },
  );
});

await worker.start();
channel.send({ kind: "ready" });
keepHeapSmall();
logger.info({}, "worker is up");
