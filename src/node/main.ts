#!/usr/bin/env node
/** swarmd: the node daemon. Flags, lock, supervisor, signals; everything else is in supervisor.ts and the children. */
import { fileURLToPath } from "node:url";
import { nodePaths } from "../api/index.js";
import { createLogger, packageVersion, SystemClock, SystemRandom } from "../base/index.js";
import { caClient } from "./ca-client.js";
import { makePrivateDirectory } from "./durable-file.js";
import { parseFlags } from "./flags.js";
import { LIMITS } from "./limits.js";
import { lockStateDirectory } from "./lock-file.js";
import { Supervisor } from "./supervisor.js";

/** A planned stop takes this long at most; then children die with their parent (contracts §4). */
const STOP_LIMIT_MS = 10_000;

const config = parseFlags(process.argv.slice(2), packageVersion());
const logger = createLogger(config.logLevel, { program: "swarmd", node: config.hostname });

function program(path: string): string {
  return fileURLToPath(new URL(path, import.meta.url));
}

async function run(): Promise<void> {
  await makePrivateDirectory(config.stateDir);
  const programs = {
    net: program("../overlay-net/main.js"),
    worker: program("../worker/main.js"),
    rest: program("./front-rest.js"),
    manager: program("./front-manager.js"),
  };
  const lock = await lockStateDirectory(nodePaths(config).lockFile, {
    programs: Object.values(programs),
    onOrphans: (pids) => {
      logger.warn({ pids }, "children of a killed swarmd do not end; killing them");
    },
  });
  const supervisor = await Supervisor.start({
    config,
    programs,
    lockFd: lock.fd,
    ca: caClient,
    clock: new SystemClock(),
    random: new SystemRandom(),
    logger,
    limits: LIMITS,
  });
  logger.info({ socket: config.socket, stateDir: config.stateDir }, "swarmd is up");

  let isStopping = false;
  const stop = (signal: NodeJS.Signals): void => {
    if (isStopping) return;
    isStopping = true;
    logger.info({ signal }, "stopping; containers keep running");
    setTimeout(() => {
      logger.warn({}, "children did not end in time");
      process.exit(1);
    }, STOP_LIMIT_MS).unref();
    supervisor.stop().then(
      () => process.exit(0),
      (error: unknown) => {
        fail(error);
      },
    );
  };
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
}

function fail(error: unknown): never {
  const message = error instanceof Error ? error.message : String(error);
  logger.error({ err: error instanceof Error ? error.stack : undefined }, message);
  process.stderr.write(`swarmd: ${message}\n`);
  process.exit(1);
}

run().catch(fail);
