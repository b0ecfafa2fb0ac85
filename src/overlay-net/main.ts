/** The `net` process: all kernel programming of this node. Keeps serving from its last state when everybody else restarts. */
import { rm } from "node:fs/promises";
import { ChildChannel, type NodeIdentity, nodePaths, type ToChild } from "../api/index.js";
import { createLogger, type Logger, SystemClock } from "../base/index.js";
import { IpKernel } from "./kernel/ip-kernel.js";
import type { Kernel } from "./kernel/port.js";
import { SimulatedKernel } from "./kernel/simulated-kernel.js";
import { NetService } from "./net-service.js";
import { NodeNetwork } from "./node-network.js";
import { readStateFile } from "./state-file.js";

/** How long to wait before the network is tried again after it could not be made. */
const REOPEN_DELAY_MS = 5_000;

/** Follows the node's identity: a network while the node belongs to a cluster, none otherwise. */
class NetworkOwner {
  readonly #kernel: Kernel;
  readonly #service: NetService;
  readonly #stateFile: string;
  readonly #pool: string;
  readonly #logger: Logger;
  readonly #clock = new SystemClock();
  #network: NodeNetwork | undefined;
  #nodeId: string | undefined;
  #turn: Promise<void> = Promise.resolve();

  constructor(
    kernel: Kernel,
    service: NetService,
    stateFile: string,
    pool: string,
    logger: Logger,
  ) {
    this.#kernel = kernel;
    this.#service = service;
    this.#stateFile = stateFile;
    this.#pool = pool;
    this.#logger = logger;
  }

  /** Changes are carried out one after the other, in the order they came. */
  follow(identity: NodeIdentity | undefined): Promise<void> {
    this.#turn = this.#turn.then(() => this.#change(identity?.nodeId));
    return this.#turn;
  }

  async #change(nodeId: string | undefined): Promise<void> {
    if (nodeId !== undefined && nodeId === this.#nodeId && this.#network !== undefined) return;
    try {
      const stored = (await readStateFile(this.#stateFile))?.nodeId;
      if (stored !== undefined && stored !== nodeId) await this.#removeStored(stored);
      this.#nodeId = nodeId;
      if (nodeId === undefined) return;
      this.#network = await this.#open(nodeId);
      this.#service.setNetwork(this.#network);
      this.#logger.info(
        { bridge: this.#network.bridge, subnet: this.#network.subnet },
        "network is up",
      );
    } catch (error) {
      this.#logger.error({ error }, "the node's network could not be made");
      this.#service.setNetwork(undefined, error instanceof Error ? error.message : String(error));
      setTimeout(() => {
        this.#turn = this.#turn.then(() => this.#change(this.#nodeId));
      }, REOPEN_DELAY_MS).unref();
    }
  }

  #open(nodeId: string): Promise<NodeNetwork> {
    return NodeNetwork.open(this.#kernel, {
      nodeId,
      gwbridgePool: this.#pool,
      stateFile: this.#stateFile,
      logger: this.#logger,
      clock: this.#clock,
    });
  }

  /** The node left that cluster, perhaps while this process was away. */
  async #removeStored(nodeId: string): Promise<void> {
    const network = this.#network ?? (await this.#open(nodeId));
    this.#network = undefined;
    this.#service.setNetwork(undefined);
    await network.removeAll();
    await rm(this.#stateFile, { force: true });
    this.#logger.info({ nodeId }, "network of the former cluster is removed");
  }
}

async function main(): Promise<void> {
  const { channel, start } = await ChildChannel.connect();
  const { logLevel, hostname } = start.config;
  const logger = createLogger(logLevel, { program: "net", node: hostname });
  const kernel = start.config.engine === "simulated" ? new SimulatedKernel() : new IpKernel();
  const service = new NetService(kernel, logger);
  const paths = nodePaths(start.config);
  const owner = new NetworkOwner(
    kernel,
    service,
    `${start.config.runDir}/net-state.json`,
    start.config.gwbridgePool,
    logger,
  );
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
