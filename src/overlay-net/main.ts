/** The `net` process: all kernel programming of this node. Keeps serving from its last state when everybody else restarts. */
import { rm } from "node:fs/promises";
import { ChildChannel, EXIT_CODE, nodePaths, type ToChild } from "../api/index.js";
import { ApiError, createLogger, keepHeapSmall, SystemClock } from "../base/index.js";
import { IpKernel } from "./kernel/ip-kernel.js";
import { SimulatedKernel } from "./kernel/simulated-kernel.js";
import { NetService } from "./net-service.js";
import { NetworkOwner } from "./network-owner.js";
import { openPlaneParts } from "./plane/plane-parts.js";
import { WireGuardProbe } from "./wireguard/wireguard-probe.js";

/** The thread that speaks to the kernel ends what it does; longer than this nobody waits for it. */
const STOP_LIMIT_MS = 2_000;

async function main(): Promise<void> {
  const { channel, start } = await ChildChannel.connect();
  const { logLevel, hostname, runDir, gwbridgePool, engine } = start.config;
  const isSimulated = engine === "simulated";
  const logger = createLogger(logLevel, { program: "net", node: hostname });
  const tools = new IpKernel();
  const kernel = isSimulated ? new SimulatedKernel() : tools;
  const probe = isSimulated ? undefined : new WireGuardProbe({ clock: new SystemClock(), logger });
  // Known before the node says for the first time what it is.
  void probe?.look(); // reports its own failures
  const service = new NetService(kernel, logger, probe);
  const paths = nodePaths(start.config);
  let isStopping = false;
  const owner = new NetworkOwner({
    kernel,
    planeParts: async () => {
      const parts = await openPlaneParts(isSimulated, runDir, logger);
      // Its thread is there from now on, whatever becomes of the networks.
      if (parts.kernel?.kind === "netlink") tools.makeEndpointsBy(parts.kernel);
      return parts;
    },
    service,
    runDir,
    gwbridgePool,
    logger,
    onKernelLost: (error) => {
      if (isStopping) return;
      logger.error({ error }, "the kernel can no longer be programmed; starting anew");
      process.exit(EXIT_CODE.crash);
    },
  });
  /** A process that exits while its thread polls the kernel is ended by the library that polls, with a report of a crash. */
  const stop = (): void => {
    isStopping = true;
    const exit = (): never => process.exit(0);
    setTimeout(exit, STOP_LIMIT_MS);
    void owner.closeKernel().then(exit, exit);
  };
  channel.onRequest(async (op) => {
    if (op !== "removeNetworks") throw new ApiError("Unimplemented", `net: no request "${op}"`);
    await owner.settled();
    return {};
  });
  channel.listen((message: ToChild) => {
    if (message.kind === "identity") void owner.follow(message.identity); // reports its own failures
    if (message.kind === "stop") stop();
  });
  await rm(paths.netSocket, { force: true });
  await owner.follow(start.identity);
  await service.listen(paths.netSocket);
  channel.send({ kind: "ready" });
  keepHeapSmall();
}

await main();
