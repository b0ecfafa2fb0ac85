/** The `net` process: all kernel programming of this node. Keeps serving from its last state when everybody else restarts. */
import { rm } from "node:fs/promises";
import { ChildChannel, EXIT_CODE, nodePaths, type ToChild } from "../api/index.js";
import { createLogger } from "../base/index.js";
import { IpKernel } from "./kernel/ip-kernel.js";
import { SimulatedKernel } from "./kernel/simulated-kernel.js";
import { NetService } from "./net-service.js";
import { NetworkOwner } from "./network-owner.js";
import { openPlaneParts } from "./plane/plane-parts.js";

async function main(): Promise<void> {
  const { channel, start } = await ChildChannel.connect();
  const { logLevel, hostname, runDir, gwbridgePool, engine } = start.config;
  const isSimulated = engine === "simulated";
  const logger = createLogger(logLevel, { program: "net", node: hostname });
  const kernel = isSimulated ? new SimulatedKernel() : new IpKernel();
  const service = new NetService(kernel, logger);
  const paths = nodePaths(start.config);
  const owner = new NetworkOwner({
    kernel,
    planeParts: () => openPlaneParts(isSimulated, logger),
    service,
    runDir,
    gwbridgePool,
    logger,
    onKernelLost: (error) => {
      logger.error({ error }, "the kernel can no longer be programmed; starting anew");
      process.exit(EXIT_CODE.crash);
    },
  });
  channel.listen((message: ToChild) => {
    if (message.kind === "identity") void owner.follow(message.identity); // reports its own failures
    if (message.kind === "stop") process.exit(0);
  });
  await rm(paths.netSocket, { force: true });
  await owner.follow(start.identity);
  await service.listen(paths.netSocket);
  channel.send({ kind: "ready" });
}

await main();
