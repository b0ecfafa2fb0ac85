/**
 * What the worker needs from a container engine. Two implementations: `containerd/` and `simulated/`; both pass
 * `engine-conformance.ts`. All calls are idempotent by container id unless noted.
 */
import type { ContainerSpec, ResourceRequirements } from "../../api/index.js";

export type EngineErrorCode =
  /** Image missing locally and not to be had (registry says 404, or cannot be reached). */
  | "IMAGE_NOT_FOUND"
  /** The registry refused our credentials, or wants some. */
  | "AUTH_FAILED"
  | "REGISTRY_UNREACHABLE"
  /** The spec cannot run here (command not found, bad mount, limit above ours…): no retry helps. */
  | "INVALID_SPEC"
  | "NOT_FOUND"
  /** containerd is away. Nothing is known to have changed; the caller waits and looks again. */
  | "ENGINE_DOWN"
  | "NO_SPACE"
  | "FAILED";

export class EngineError extends Error {
  override readonly name = "EngineError";
  readonly code: EngineErrorCode;
  constructor(code: EngineErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

export type RegistryAuth = {
  readonly username?: string;
  readonly password?: string;
  readonly identityToken?: string;
  readonly registryToken?: string;
};

export type PullProgress = {
  readonly layer: string;
  readonly status: "waiting" | "downloading" | "extracting" | "exists" | "done";
  readonly currentBytes: number;
  readonly totalBytes: number;
};

export type ImageInfo = {
  /** Config digest, `sha256:…`: what docker shows as image id. */
  readonly id: string;
  readonly tags: readonly string[];
  readonly digests: readonly string[];
  readonly sizeBytes: number;
  readonly createdAtMs: number;
  readonly architecture: string;
  readonly os: string;
  /** OCI image config `config` object (Env, Cmd, Entrypoint, User, WorkingDir, Labels, StopSignal, Healthcheck, ExposedPorts, Volumes). */
  readonly config: ImageConfig;
};

export type ImageConfig = {
  readonly Env?: readonly string[];
  readonly Cmd?: readonly string[];
  readonly Entrypoint?: readonly string[];
  readonly User?: string;
  readonly WorkingDir?: string;
  readonly Labels?: Readonly<Record<string, string>>;
  readonly StopSignal?: string;
  readonly ExposedPorts?: Readonly<Record<string, unknown>>;
  readonly Volumes?: Readonly<Record<string, unknown>>;
  readonly Healthcheck?: {
    readonly Test?: readonly string[];
    readonly Interval?: number;
    readonly Timeout?: number;
    readonly Retries?: number;
    readonly StartPeriod?: number;
    readonly StartInterval?: number;
  };
};

/** Everything that makes one container. Templates are already expanded. */
export type ContainerRequest = {
  /** containerd container id; unique per task (we use the task id). */
  readonly id: string;
  /** Shown name: `<service>.<slot>.<taskId>`. */
  readonly name: string;
  readonly image: string;
  readonly spec: ContainerSpec;
  readonly resources: ResourceRequirements;
  /** All labels of the container (task labels win over user labels). Kept with the record, for re-adoption. */
  readonly labels: Readonly<Record<string, string>>;
  readonly hostname: string;
  /** Path of the network namespace to join. */
  readonly netnsPath: string;
  /** True: host network (no hostname/hosts magic beyond the host's). */
  readonly isHostNetwork: boolean;
  /** Agent-written files, bind-mounted over /etc/hosts, /etc/hostname, /etc/resolv.conf. */
  readonly hostsPath: string;
  readonly hostnamePath: string;
  readonly resolvConfPath: string;
  /** Further bind mounts made by the agent (secrets, configs, volumes resolved to host paths). */
  readonly extraMounts: readonly {
    readonly source: string;
    readonly target: string;
    readonly isReadOnly: boolean;
    /**
     * Fills `source`, if it is an empty directory, with the image's files at `target`, and gives it that directory's owner and
     * mode: how a new volume starts. INVALID_SPEC where the image has a file there, or too much.
     */
    readonly isCopyUp?: boolean;
  }[];
  /** Plain files, existing, that the shim appends stdout and stderr to. With a TTY, stdout only. */
  readonly stdoutPath: string;
  readonly stderrPath: string;
  readonly cgroupParent: string;
};

export type ExitStatus = {
  /** 0–255; 128 + n for signal n. */
  readonly exitCode: number;
  readonly finishedAtMs: number;
  readonly isOomKilled: boolean;
};

export type ContainerState = {
  readonly id: string;
  readonly name: string;
  readonly image: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly createdAtMs: number;
  readonly state: "created" | "running" | "paused" | "exited";
  /** 0 unless running. */
  readonly pid: number;
  readonly exit: ExitStatus | undefined;
};

export type EngineEvent =
  | { readonly kind: "exit"; readonly id: string; readonly exit: ExitStatus }
  | { readonly kind: "oom"; readonly id: string }
  /** Connection to the engine lost / back again: after "up", look at everything anew. */
  | { readonly kind: "down" }
  | { readonly kind: "up" };

/** exitCode −1: stopped because its time was over; 126, 127: the command could not be run (the output says why). */
export type ExecResult = { readonly exitCode: number; readonly output: string };

export interface Engine extends AsyncDisposable {
  readonly kind: "containerd" | "simulated";

  /** Connects, probes version and abilities. Rejects ENGINE_DOWN with a message that names the socket and the remedy. */
  open(signal: AbortSignal): Promise<void>;
  info(): Promise<{
    readonly version: string;
    /** The program that runs new containers: `runc`, `crun`, `simulated`; "" until the engine was opened and knows it. */
    readonly runtime: string;
    readonly snapshotter: string;
  }>;

  // ---- images; references may be short (`busybox`), tagged or with digest; normalised as Docker does
  pull(
    reference: string,
    options: {
      readonly auth: RegistryAuth | undefined;
      readonly onProgress?: (progress: PullProgress) => void;
      readonly signal: AbortSignal;
    },
  ): Promise<ImageInfo>;
  /** OCI layout or docker-archive tar (plain or gzip). Returns the references it made. At most 256 KiB are buffered. */
  load(tar: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<readonly string[]>;
  images(): Promise<readonly ImageInfo[]>;
  /** undefined if not on this node. */
  image(reference: string): Promise<ImageInfo | undefined>;
  /** Digest, media type and platforms as the registry says now (for `/distribution`). */
  resolve(
    reference: string,
    options: { readonly auth: RegistryAuth | undefined; readonly signal: AbortSignal },
  ): Promise<{
    readonly mediaType: string;
    readonly digest: string;
    readonly sizeBytes: number;
    readonly platforms: readonly {
      readonly architecture: string;
      readonly os: string;
      readonly variant?: string;
    }[];
  }>;
  removeImage(reference: string): Promise<readonly string[]>;
  tagImage(source: string, target: string): Promise<void>;

  // ---- containers
  create(request: ContainerRequest, signal: AbortSignal): Promise<void>;
  start(id: string, signal: AbortSignal): Promise<{ readonly pid: number }>;
  /** Resolves when the container's first process has ended (at once if it has). */
  wait(id: string, signal: AbortSignal): Promise<ExitStatus>;
  /** Sends a signal by name or number. NOT_FOUND once it has ended. */
  kill(id: string, signalName: string): Promise<void>;
  /** stop signal → graceMs → SIGKILL. Resolves with the exit. */
  stop(
    id: string,
    options: { readonly signalName: string; readonly graceMs: number },
    signal: AbortSignal,
  ): Promise<ExitStatus>;
  /** Removes task, record and snapshot; nothing there is success. */
  remove(id: string): Promise<void>;
  /** All containers of our namespace. */
  list(): Promise<readonly ContainerState[]>;
  inspect(id: string): Promise<ContainerState | undefined>;
  /** Runs a command inside and gathers at most 4 KiB of output (health checks). */
  exec(
    id: string,
    command: readonly string[],
    options: { readonly timeoutMs: number; readonly signal: AbortSignal },
  ): Promise<ExecResult>;
  /** Hints, never the truth: after each, look with inspect/list. */
  subscribe(listener: (event: EngineEvent) => void): () => void;
}
