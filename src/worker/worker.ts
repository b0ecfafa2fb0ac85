/** The worker program put together: engine, tasks, logs, local HTTP and the agent, around what the supervisor tells. */
import { mkdir } from "node:fs/promises";
import { arch, availableParallelism } from "node:os";
import {
  type FromChild,
  type NodeConfig,
  type NodeDescription,
  type NodeIdentity,
  type NodeTunnel,
  nodePaths,
} from "../api/index.js";
import { type Clock, type Logger, type Random, TaskGroup } from "../base/index.js";
import {
  Agent,
  type DialDispatcher,
  describeNode,
  dockerArchitecture,
  grpcDialer,
  LiveIdentity,
  ManagerCalls,
  Tunnels,
  UsageMeter,
} from "./agent/index.js";
import { retryDelayMs } from "./core/task/outcome.js";
import type { Engine } from "./engine/index.js";
import { type HttpContext, serveLocal } from "./http/index.js";
import { Limiter } from "./limiter.js";
import { FallocatePuncher, LogService } from "./logs/index.js";
import { NetClient, type NetStatus, NetworkRelay } from "./net/index.js";
import { ImageSource, RecordStore, TaskManager } from "./tasks/index.js";
import { LocalVolumes } from "./volumes/index.js";

export type WorkerOptions = {
  readonly config: NodeConfig;
  readonly identity: NodeIdentity | undefined;
  readonly bootId: string;
  readonly engine: Engine;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** To the supervisor. */
  readonly tell: (message: FromChild) => void;
  /** Tests hand in a dispatcher of their own. */
  readonly dial?: DialDispatcher;
};

const DESCRIBE_EVERY_MS = 20_000;
/** While the bridge is still to be told of. */
const DESCRIBE_SOON_MS = 2_000;
/** Looks without a bridge before what net says of it is a problem and no beginning. */
const BRIDGELESS_MAX = 4;
/** Health probes at a time, all containers together. */
const PROBE_MAX = 4;
/** Leaving waits this long for tasks to stop; what is left then is removed as orphans by the next cluster's first set. */
const LEAVE_WITHIN_MS = 60_000;

export class Worker implements AsyncDisposable {
  readonly #options: WorkerOptions;
  readonly #identity: LiveIdentity;
  readonly #net: NetClient;
  readonly #relay: NetworkRelay;
  readonly #logs: LogService;
  readonly #store: RecordStore;
  readonly #tasks: TaskManager;
  readonly #tunnels: Tunnels;
  readonly #agent: Agent;
  readonly #meter: UsageMeter | undefined;
  readonly #group: TaskGroup;
  readonly #http: HttpContext;
  #server: AsyncDisposable | undefined;
  #description: NodeDescription | undefined;
  /** Looks in a row at a member of a cluster that had no bridge. */
  #bridgeless = 0;
  /** Of encrypted networks, as net told last. */
  #tunnel: NodeTunnel | undefined;
  #engineProblem = "the engine is being opened";

  constructor(options: WorkerOptions) {
    this.#options = options;
    const { config, engine, clock, random, logger } = options;
    const paths = nodePaths(config);
    this.#group = new TaskGroup((name, error) => {
      // Its loops end only with the worker; a fault in one is a bug, and a fresh process the remedy.
      logger.error({ error, name }, "worker loop failed");
      throw error;
    });
    this.#identity = new LiveIdentity(options.identity);
    this.#net = new NetClient({
      socketPath: paths.netSocket,
      wantedIds: () => this.#tasks.networkIds(),
      logger,
    });
    this.#relay = new NetworkRelay({ net: this.#net, clock, logger });
    this.#relay.onTunnel((tunnel) => {
      this.#tunnel = tunnel;
      if (this.#description === undefined) return;
      this.#description = { ...this.#description, Tunnel: tunnel };
      this.#agent.descriptionChanged();
    });
    this.#logs = new LogService({ clock, logger, puncher: new FallocatePuncher() });
    this.#store = new RecordStore(`${paths.workerDir}/tasks`, logger);
    const volumeRoot = `${paths.workerDir}/volumes`;
    const volumes = new LocalVolumes({ root: volumeRoot, random, wallMs: () => clock.wallMs() });
    const node = () => ({
      nodeId: this.#identity.current?.nodeId ?? "",
      hostname: config.hostname,
      os: "linux",
      architecture: dockerArchitecture(arch()),
    });
    const shared = { engine, net: this.#net, volumes, logs: this.#logs, store: this.#store };
    this.#tasks = new TaskManager({
      ...shared,
      images: new ImageSource({ engine, clock, logger }),
      clock,
      logger,
      // Measured: above twice the cores only latency grows.
      workLimiter: new Limiter(2 * availableParallelism()),
      probeLimiter: new Limiter(PROBE_MAX),
      node,
      cgroupParent: config.cgroupParent,
    });
    const credentials = () => this.#identity.credentials();
    this.#tunnels = new Tunnels({ socketPath: paths.workerSocket, credentials });
    // A simulated container uses nothing that could be measured.
    const cgroupParent = config.cgroupParent;
    if (engine.kind === "containerd")
      this.#meter = new UsageMeter({ clock, logger, root: "/sys/fs/cgroup", cgroupParent });
    this.#agent = new Agent({
      tasks: this.#tasks,
      networks: this.#relay,
      dial: options.dial ?? grpcDialer(credentials),
      clock,
      random,
      logger,
      bootId: options.bootId,
      description: () => this.#currentDescription(),
      usage: () => this.#meter?.latest,
      tell: options.tell,
      openTunnel: (tunnelId, addr) => this.#tunnels.open(tunnelId, addr),
    });
    this.#http = {
      ...shared,
      tasks: this.#tasks,
      connections: new ManagerCalls({
        addrs: () => this.#agent.managers,
        credentials,
        clock,
        random,
      }),
      random,
      volumeRoot,
      node,
      clock,
      logger,
      engineProblem: () => this.#engineProblem,
      isSessionUp: () => this.#agent.isUp,
    };
  }

  /** Resolves when the local socket listens. Engine and session come up behind it, however long they take. */
  async start(): Promise<void> {
    const paths = nodePaths(this.#options.config);
    await mkdir(paths.workerDir, { recursive: true, mode: 0o700 });
    await mkdir(this.#options.config.runDir, { recursive: true, mode: 0o755 });
    this.#server = await serveLocal(this.#http, paths.workerSocket);
    this.#logs.start();
    this.#agent.setIdentity(this.#options.identity);
    this.#group.run("engine", (signal) => this.#runEngine(signal));
  }

  setIdentity(identity: NodeIdentity | undefined): void {
    this.#identity.replace(identity);
    this.#agent.setIdentity(identity);
  }

  /** The node leaves its cluster: says so, stops and deletes all tasks. Volumes and images stay. */
  async leaveCluster(): Promise<void> {
    this.#agent.leave();
    await this.#tasks.removeAll(this.#options.clock.timeout(LEAVE_WITHIN_MS));
  }

  /** Ends all loops; containers run on. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#group[Symbol.asyncDispose]();
    this.#tunnels[Symbol.dispose]();
    await this.#server?.[Symbol.asyncDispose]();
    await this.#tasks[Symbol.asyncDispose]();
    await this.#logs[Symbol.asyncDispose]();
    this.#relay[Symbol.dispose]();
    this.#net[Symbol.dispose]();
    await this.#options.engine[Symbol.asyncDispose]();
  }

  /** Opens the engine, adopts what runs, then keeps the session and the node's description. */
  async #runEngine(signal: AbortSignal): Promise<void> {
    const { engine, clock, logger } = this.#options;
    for (let attempt = 0; ; attempt += 1) {
      try {
        await engine.open(signal);
        break;
      } catch (error) {
        signal.throwIfAborted();
        // A node that cannot run tasks does not register; `/info` says why.
        this.#engineProblem = error instanceof Error ? error.message : String(error);
        logger.warn({ error }, "cannot use the container engine yet");
        await clock.sleep(retryDelayMs(attempt), signal);
      }
    }
    this.#engineProblem = "";
    engine.subscribe((event) => {
      if (event.kind === "down") this.#engineProblem = "the container engine does not answer";
      if (event.kind === "up") this.#engineProblem = "";
    });
    await this.#describe();
    await this.#tasks.open();
    const meter = this.#meter;
    if (meter) this.#group.run("usage", (stop) => meter.run(stop));
    this.#group.run("agent", (stop) => this.#agent.run(stop));
    while (!signal.aborted) {
      const isWhole = this.#description?.Bridge !== undefined;
      await clock.sleep(isWhole ? DESCRIBE_EVERY_MS : DESCRIBE_SOON_MS, signal);
      if (await this.#describe()) this.#agent.descriptionChanged();
    }
  }

  /** True if the description changed. An engine that is away keeps the last one. */
  async #describe(): Promise<boolean> {
    const { engine, config, logger } = this.#options;
    let version = this.#description?.Engine.EngineVersion ?? "";
    try {
      version = `${engine.kind} ${(await engine.info()).version}`;
    } catch (error) {
      logger.debug({ error }, "engine version unknown");
    }
    const net = await this.#describeNet();
    const described = await describeNode(
      config.hostname,
      engine,
      version,
      config.genericResources,
      net,
    );
    const description: NodeDescription =
      this.#tunnel === undefined ? described : { ...described, Tunnel: this.#tunnel };
    const hasChanged = JSON.stringify(description) !== JSON.stringify(this.#description);
    this.#description = description;
    return hasChanged;
  }

  /** Net that is away just now says nothing new; one that has no bridge yet is given time. */
  async #describeNet(): Promise<Pick<NetStatus, "subnet" | "problems" | "proxied" | "wireGuard">> {
    const known = this.#description;
    try {
      const status = await this.#net.status();
      // Its keys change now and then, without a word of the managers.
      this.#tunnel = status.tunnel ?? this.#tunnel;
      if (status.subnet !== "") return status;
      const isMember = this.#identity.current !== undefined;
      this.#bridgeless = isMember ? this.#bridgeless + 1 : 0;
      return this.#bridgeless > BRIDGELESS_MAX ? status : { subnet: "", problems: [] };
    } catch (error) {
      this.#options.logger.debug({ error }, "state of the networks unknown");
      return {
        ...{ subnet: known?.Bridge ?? "", problems: known?.NetworkProblems ?? [] },
        proxied: known?.Proxied6 ?? [],
        ...(known?.WireGuard !== undefined && { wireGuard: known.WireGuard }),
      };
    }
  }

  #currentDescription(): NodeDescription {
    if (this.#description === undefined) throw new Error("the node is not described yet");
    const dataPathAddr = this.#identity.current?.dataPathAddr ?? "";
    // Of the membership, which may have begun after the last look at this machine.
    return { ...this.#description, ...(dataPathAddr !== "" && { DataPathAddr: dataPathAddr }) };
  }
}
