/** An engine in memory for unit tests: containers do what the test says. */
import { appendFile } from "node:fs/promises";
import {
  type ContainerRequest,
  type ContainerState,
  type Engine,
  EngineError,
  type EngineEvent,
  type ExecResult,
  type ExitStatus,
  type ImageInfo,
} from "../engine/index.js";

type Fake = {
  request: ContainerRequest;
  state: ContainerState["state"];
  pid: number;
  exit: ExitStatus | undefined;
  waiters: ((exit: ExitStatus) => void)[];
};

export function fakeImage(tag: string, config: ImageInfo["config"] = {}): ImageInfo {
  return {
    id: `sha256:${Buffer.from(tag).toString("hex").padEnd(64, "0").slice(0, 64)}`,
    tags: [tag],
    digests: [],
    sizeBytes: 1000,
    createdAtMs: 1_600_000_000_000,
    architecture: "amd64",
    os: "linux",
    config,
  };
}

export class FakeEngine implements Engine {
  readonly kind = "simulated";
  readonly containers = new Map<string, Fake>();
  /** By tag and by id. */
  readonly local = new Map<string, ImageInfo>();
  readonly registry = new Map<string, ImageInfo>();
  /** What happened, in order: `create x`, `start x`, `stop x SIGTERM`… */
  readonly calls: string[] = [];
  isDown = false;
  /** A container ignores its stop signal until the test ends it. */
  isStopHeld = false;
  createError: EngineError | undefined;
  execResult: ExecResult = { exitCode: 0, output: "" };
  readonly #listeners = new Set<(event: EngineEvent) => void>();
  #pid = 1000;

  async open(): Promise<void> {}

  async info(): Promise<{ version: string; runtime: string; snapshotter: string }> {
    return { version: "1.0-fake", runtime: "fake", snapshotter: "fake" };
  }

  addLocal(image: ImageInfo): void {
    for (const name of [...image.tags, ...image.digests, image.id]) this.local.set(name, image);
  }

  async pull(
    reference: string,
    _options?: Partial<Parameters<Engine["pull"]>[1]>,
  ): Promise<ImageInfo> {
    this.#check();
    this.calls.push(`pull ${reference}`);
    const image = this.registry.get(reference);
    if (image === undefined) throw new EngineError("IMAGE_NOT_FOUND", "manifest unknown");
    this.addLocal(image);
    return image;
  }

  async load(tar: AsyncIterable<Uint8Array>): Promise<readonly string[]> {
    let sizeBytes = 0;
    for await (const chunk of tar) sizeBytes += chunk.length;
    this.addLocal({ ...fakeImage("loaded:latest"), sizeBytes });
    return ["loaded:latest"];
  }

  async images(): Promise<readonly ImageInfo[]> {
    return [...new Set(this.local.values())];
  }

  async image(reference: string): Promise<ImageInfo | undefined> {
    this.#check();
    return this.local.get(reference);
  }

  resolve(): ReturnType<Engine["resolve"]> {
    return Promise.reject(new EngineError("REGISTRY_UNREACHABLE", "no registry"));
  }

  async removeImage(reference: string): Promise<readonly string[]> {
    const image = this.local.get(reference);
    if (image === undefined) throw new EngineError("NOT_FOUND", `No such image: ${reference}`);
    for (const [name, other] of this.local) if (other === image) this.local.delete(name);
    return [image.id];
  }

  async tagImage(source: string, target: string): Promise<void> {
    const image = this.local.get(source);
    if (image === undefined) throw new EngineError("NOT_FOUND", `No such image: ${source}`);
    for (const [name, other] of this.local) if (other === image) this.local.delete(name);
    this.addLocal({ ...image, tags: [...image.tags, target] });
  }

  async create(request: ContainerRequest): Promise<void> {
    this.#check();
    if (this.createError !== undefined) throw this.createError;
    if (this.containers.has(request.id)) return;
    this.calls.push(`create ${request.id}`);
    this.containers.set(request.id, {
      request,
      state: "created",
      pid: 0,
      exit: undefined,
      waiters: [],
    });
  }

  async start(id: string): Promise<{ pid: number }> {
    this.#check();
    const container = this.#get(id);
    if (container.state === "running") return { pid: container.pid };
    this.calls.push(`start ${id}`);
    this.#pid += 1;
    container.state = "running";
    container.pid = this.#pid;
    return { pid: container.pid };
  }

  wait(id: string, signal: AbortSignal): Promise<ExitStatus> {
    return new Promise((resolve, reject) => {
      this.#check();
      const container = this.#get(id);
      if (container.exit !== undefined) return resolve(container.exit);
      container.waiters.push(resolve);
      signal.addEventListener("abort", () => reject(signal.reason));
    });
  }

  async kill(id: string): Promise<void> {
    this.exit(id, 137);
  }

  async stop(id: string, options: { signalName: string }): Promise<ExitStatus> {
    this.#check();
    this.calls.push(`stop ${id} ${options.signalName}`);
    const container = this.#get(id);
    if (container.exit === undefined && !this.isStopHeld) this.exit(id, 143);
    return container.exit ?? (await new Promise((resolve) => container.waiters.push(resolve)));
  }

  async remove(id: string): Promise<void> {
    this.#check();
    if (this.containers.delete(id)) this.calls.push(`remove ${id}`);
  }

  async list(): Promise<readonly ContainerState[]> {
    this.#check();
    return [...this.containers.values()].map(toState);
  }

  async inspect(id: string): Promise<ContainerState | undefined> {
    this.#check();
    const container = this.containers.get(id);
    return container === undefined ? undefined : toState(container);
  }

  async exec(id: string, command: readonly string[]): Promise<ExecResult> {
    this.#check();
    this.calls.push(`exec ${id} ${command.join(" ")}`);
    return this.execResult;
  }

  subscribe(listener: (event: EngineEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  // ---- for tests

  exit(id: string, exitCode: number, isOomKilled = false): void {
    const container = this.#get(id);
    container.state = "exited";
    container.pid = 0;
    container.exit = { exitCode, finishedAtMs: 1_700_000_001_000, isOomKilled };
    for (const waiter of container.waiters.splice(0)) waiter(container.exit);
  }

  print(id: string, text: string, stream: "stdout" | "stderr" = "stdout"): Promise<void> {
    const { request } = this.#get(id);
    return appendFile(stream === "stdout" ? request.stdoutPath : request.stderrPath, text);
  }

  setDown(isDown: boolean): void {
    this.isDown = isDown;
    for (const listener of this.#listeners) listener({ kind: isDown ? "down" : "up" });
  }

  #check(): void {
    if (this.isDown) throw new EngineError("ENGINE_DOWN", "engine is away");
  }

  #get(id: string): Fake {
    const container = this.containers.get(id);
    if (container === undefined) throw new EngineError("NOT_FOUND", `no container ${id}`);
    return container;
  }
}

function toState(container: Fake): ContainerState {
  const { id, name, image, labels } = container.request;
  const { state, pid, exit } = container;
  return { id, name, image, labels, createdAtMs: 1_700_000_000_000, state, pid, exit };
}
