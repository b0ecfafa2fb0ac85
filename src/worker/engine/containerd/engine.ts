import { mkdir } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { type Clock, type Logger, type Random, TaskGroup } from "../../../base/index.js";
import { platformOf, resolveDistribution } from "../../images/index.js";
import { KeyedQueue, Limiter } from "../limiter.js";
import {
  type ContainerRequest,
  type ContainerState,
  type Engine,
  EngineError,
  type EngineEvent,
  type ExecResult,
  type ExitStatus,
  type ImageInfo,
  type PullProgress,
  type RegistryAuth,
} from "../port.js";
import { Connection } from "./connection.js";
import { Containers } from "./containers.js";
import { engineDown, fromContainerd } from "./errors.js";
import { runEventFeed } from "./event-feed.js";
import { execCommand } from "./exec.js";
import { ExitWatch } from "./exit-watch.js";
import { gatherHostFacts } from "./host-facts.js";
import { ImageRootfs } from "./image-rootfs.js";
import { ImageService } from "./image-service.js";
import { isInstalled, probeRuntime, runtimeOptions } from "./runtime-probe.js";
import { SeccompPrograms } from "./seccomp-programs.js";
import { introspectionService, versionService } from "./services.js";

const PROBE_TIMEOUT_MS = 5000;
const VERSION_MIN = { major: 1, minor: 6 };

export type ContainerdEngineOptions = {
  /** Path of containerd's socket, with or without `unix://`. */
  readonly address: string;
  readonly namespace: string;
  /** For requests that name none. */
  readonly cgroupParent: string;
  readonly snapshotter: "overlayfs";
  /** Default runc. `auto`: crun where it is installed and a probe shows that it runs, else runc. */
  readonly runtime?: "auto" | "runc" | "crun";
  /** For fifos and short-lived mounts; made if absent. */
  readonly tempDir?: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
};

/** Nothing is connected before `open`. */
export function createContainerdEngine(options: ContainerdEngineOptions): Engine {
  return new ContainerdEngine(options);
}

class ContainerdEngine implements Engine {
  readonly kind = "containerd";
  readonly #options: ContainerdEngineOptions;
  readonly #tempDir: string;
  readonly #connection: Connection;
  readonly #images: ImageService;
  readonly #rootfs: ImageRootfs;
  readonly #watch: ExitWatch;
  readonly #containers: Containers;
  readonly #execLimiter: Limiter;
  readonly #listeners = new Set<(event: EngineEvent) => void>();
  readonly #loops: TaskGroup;
  #version = "";
  /** undefined until `open` has found out what `auto` comes to. */
  #runtime: "runc" | "crun" | undefined;

  constructor(options: ContainerdEngineOptions) {
    const { address, namespace, clock, random, logger, snapshotter } = options;
    const host = gatherHostFacts();
    // Measured on 2 cores: above 2 × cores only the latency grows. Execs have their own share, so that health checks of
    // running containers do not wait behind a rollout.
    const width = 2 * availableParallelism();
    const queue = new KeyedQueue();
    this.#options = options;
    this.#runtime = options.runtime === "auto" ? undefined : (options.runtime ?? "runc");
    this.#tempDir = options.tempDir ?? join(tmpdir(), `swarm-engine-${namespace}`);
    this.#connection = new Connection(address, namespace, clock);
    this.#images = new ImageService(
      this.#connection,
      snapshotter,
      platformOf(process.arch),
      random,
    );
    this.#rootfs = new ImageRootfs(this.#connection, snapshotter, this.#tempDir, () =>
      this.#token(),
    );
    this.#watch = new ExitWatch(this.#connection, logger, queue, host.cgroupVersion, (id, exit) =>
      this.#emit({ kind: "exit", id, exit }),
    );
    this.#containers = new Containers({
      connection: this.#connection,
      logger,
      images: this.#images,
      rootfs: this.#rootfs,
      watch: this.#watch,
      queue,
      limiter: new Limiter(width),
      host,
      seccompPrograms: new SeccompPrograms(options.namespace),
      snapshotter,
      cgroupParent: options.cgroupParent,
      runtimeOptions: () => (this.#runtime === "crun" ? runtimeOptions(this.#runtime) : undefined),
    });
    this.#execLimiter = new Limiter(width);
    this.#loops = new TaskGroup((name, error) =>
      logger.error({ name, error }, "engine loop failed"),
    );
  }

  async open(signal: AbortSignal): Promise<void> {
    await this.#guard(async () => {
      const { version } = await this.#connection
        .call(versionService.version, {}, { timeoutMs: PROBE_TIMEOUT_MS, signal })
        .catch((error: unknown) => {
          signal.throwIfAborted();
          throw engineDown(
            this.#connection.socketPath,
            error instanceof Error ? error.message : String(error),
            { cause: error },
          );
        });
      checkVersion(version);
      this.#version = version;
      await this.#checkSnapshotter();
      await mkdir(this.#tempDir, { recursive: true, mode: 0o700 });
      await this.#rootfs.sweep();
      await this.#chooseRuntime();
      // After a restart of ours this is the re-adoption. Rejections are handled inside the watch.
      for (const id of await this.#containers.unsettled()) void this.#watch.watch(id);
    });
    const { namespace, logger } = this.#options;
    this.#loops.run("containerd events", (stop) =>
      runEventFeed(this.#connection, namespace, logger, (event) => this.#onFeed(event), stop),
    );
  }

  info(): Promise<{ version: string; runtime: string; snapshotter: string }> {
    const { snapshotter } = this.#options;
    const runtime = this.#runtime ?? "";
    return Promise.resolve({ version: this.#version, runtime, snapshotter });
  }

  /** Containers keep the runtime they were made with: their shims remember it. */
  async #chooseRuntime(): Promise<void> {
    const { runtime, cgroupParent, logger } = this.#options;
    if (runtime !== "auto") return;
    if (!isInstalled("crun")) {
      this.#runtime = "runc";
      return;
    }
    try {
      await probeRuntime(this.#connection, "crun", { tempDir: this.#tempDir, cgroupParent });
      this.#runtime = "crun";
    } catch (error) {
      this.#runtime = "runc";
      logger.info({ error }, "crun is installed but runs no container here: using runc");
    }
  }

  pull(
    reference: string,
    options: {
      readonly auth: RegistryAuth | undefined;
      readonly onProgress?: (progress: PullProgress) => void;
      readonly signal: AbortSignal;
    },
  ): Promise<ImageInfo> {
    const report = options.onProgress ?? (() => undefined);
    return this.#guard(() => this.#images.pull(reference, options.auth, report, options.signal));
  }

  load(tar: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<readonly string[]> {
    return this.#guard(() => this.#images.load(tar, signal));
  }

  images(): Promise<readonly ImageInfo[]> {
    return this.#guard(() => this.#images.list());
  }

  image(reference: string): Promise<ImageInfo | undefined> {
    return this.#guard(() => this.#images.inspect(reference));
  }

  resolve(
    reference: string,
    options: { readonly auth: RegistryAuth | undefined; readonly signal: AbortSignal },
  ): ReturnType<Engine["resolve"]> {
    const { clock, random } = this.#options;
    return this.#guard(() =>
      resolveDistribution(reference, options.auth, options.signal, { fetch, clock, random }),
    );
  }

  removeImage(reference: string): Promise<readonly string[]> {
    return this.#guard(() => this.#images.remove(reference));
  }

  tagImage(source: string, target: string): Promise<void> {
    return this.#guard(() => this.#images.tag(source, target));
  }

  create(request: ContainerRequest, signal: AbortSignal): Promise<void> {
    return this.#guard(() => this.#containers.create(request, signal));
  }

  start(id: string, signal: AbortSignal): Promise<{ readonly pid: number }> {
    return this.#guard(() => this.#containers.start(id, signal));
  }

  wait(id: string, signal: AbortSignal): Promise<ExitStatus> {
    return this.#guard(() => this.#containers.wait(id, signal));
  }

  kill(id: string, signalName: string): Promise<void> {
    return this.#guard(() => this.#containers.kill(id, signalName));
  }

  stop(
    id: string,
    options: { readonly signalName: string; readonly graceMs: number },
    signal: AbortSignal,
  ): Promise<ExitStatus> {
    return this.#guard(() => this.#containers.stop(id, options, signal));
  }

  remove(id: string): Promise<void> {
    return this.#guard(() => this.#containers.remove(id));
  }

  list(): Promise<readonly ContainerState[]> {
    return this.#guard(() => this.#containers.list());
  }

  inspect(id: string): Promise<ContainerState | undefined> {
    return this.#guard(() => this.#containers.inspect(id));
  }

  exec(
    id: string,
    command: readonly string[],
    options: { readonly timeoutMs: number; readonly signal: AbortSignal },
  ): Promise<ExecResult> {
    const { timeoutMs, signal } = options;
    return this.#guard(async () => {
      const record = await this.#containers.record(id);
      return this.#execLimiter.run(
        () =>
          execCommand(this.#connection, {
            id,
            execId: `exec-${this.#token()}`,
            record,
            command,
            timeoutMs,
            tempDir: this.#tempDir,
            signal,
          }),
        signal,
      );
    });
  }

  subscribe(listener: (event: EngineEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#loops[Symbol.asyncDispose]();
    await this.#watch[Symbol.asyncDispose]();
    await this.#connection[Symbol.asyncDispose]();
  }

  async #guard<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw fromContainerd(error, this.#connection.socketPath);
    }
  }

  #onFeed(event: EngineEvent): void {
    if (event.kind === "oom") this.#watch.noteOom(event.id);
    this.#emit(event);
  }

  #emit(event: EngineEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  async #checkSnapshotter(): Promise<void> {
    const { snapshotter } = this.#options;
    const filters = [`type==io.containerd.snapshotter.v1,id==${snapshotter}`];
    const { plugins } = await this.#connection.call(introspectionService.plugins, { filters });
    const plugin = plugins[0];
    if (plugin !== undefined && !plugin.initErr) return;
    throw new EngineError(
      "FAILED",
      `containerd at ${this.#connection.socketPath} cannot use its snapshotter ${snapshotter}: ${plugin?.initErr?.message ?? "it is not built in"}; put containerd's root on ext4 or xfs`,
    );
  }

  #token(): string {
    return Buffer.from(this.#options.random.bytes(8)).toString("hex");
  }
}

function checkVersion(text: string): void {
  const [major = 0, minor = 0] = text.replace(/^v/, "").split(".").map(Number);
  if (major > VERSION_MIN.major || (major === VERSION_MIN.major && minor >= VERSION_MIN.minor))
    return;
  throw new EngineError("FAILED", `containerd ${text} is too old; install version 1.6 or later`);
}
