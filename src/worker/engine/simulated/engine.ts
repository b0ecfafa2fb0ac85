import type { ResourceRequirements } from "../../../api/index.js";
import type { Clock, Logger, Random } from "../../../base/index.js";
import { parseReference } from "../../images/index.js";
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
import { signalName, signalNumber } from "../signals.js";
import { toEngineError } from "../to-engine-error.js";
import { untilAborted } from "../until-aborted.js";
import { SimulatedContainer } from "./container.js";
import { missing, SimulatedImages } from "./images.js";
import { checkAccess, digestOf, simulatedImage } from "./registry.js";
import { compile } from "./script.js";
import { StateFiles } from "./state-files.js";

const FIRST_PID = 200_000;
const EXEC_OUTPUT_MAX = 4096;
/** `SIM_HEALTH=unhealthy` in the container's environment makes every health command fail. */
const UNHEALTHY = "SIM_HEALTH=unhealthy";

export type SimulatedEngineOptions = {
  readonly stateDir: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** How long a pull, a create and a start take. 0 by default. */
  readonly pullDelayMs?: number;
  readonly createDelayMs?: number;
  readonly startDelayMs?: number;
};

export interface SimulatedEngine extends Engine {
  /** The engine goes away for downMs and comes back; containers go on meanwhile. */
  simulateRestart(downMs: number): void;
  limitsOf(id: string): ResourceRequirements | undefined;
}

/** Nothing is read or written before `open`. The command vocabulary is in README.md. */
export function createSimulatedEngine(options: SimulatedEngineOptions): SimulatedEngine {
  return new Simulation(options);
}

class Simulation implements SimulatedEngine {
  readonly kind = "simulated";
  readonly #options: SimulatedEngineOptions;
  readonly #files: StateFiles;
  readonly #images: SimulatedImages;
  readonly #containers = new Map<string, SimulatedContainer>();
  readonly #listeners = new Set<(event: EngineEvent) => void>();
  #isUp = false;
  #nextPid = FIRST_PID;

  constructor(options: SimulatedEngineOptions) {
    const { clock, random, stateDir, pullDelayMs } = options;
    this.#options = options;
    this.#files = new StateFiles(stateDir);
    this.#images = new SimulatedImages(this.#files, clock, random, pullDelayMs ?? 0);
  }

  open(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const { containers, images } = this.#files.open();
    this.#images.adopt(images);
    for (const saved of containers) {
      const container = new SimulatedContainer(saved, this.#hooks());
      this.#containers.set(saved.id, container);
      this.#nextPid = Math.max(this.#nextPid, saved.pid + 1);
      if (saved.isStarted) container.run();
    }
    this.#isUp = true;
    return Promise.resolve();
  }

  info(): Promise<{ version: string; runtime: string; snapshotter: string }> {
    return Promise.resolve({ version: "1", runtime: "simulated", snapshotter: "simulated" });
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
    return this.#guard(() => this.#images.find(reference));
  }

  resolve(
    text: string,
    options: { readonly auth: RegistryAuth | undefined; readonly signal: AbortSignal },
  ): ReturnType<Engine["resolve"]> {
    return this.#guard(() => {
      const reference = parseReference(text);
      checkAccess(reference, options.auth);
      const { architecture, os } = simulatedImage(reference);
      return {
        mediaType: "application/vnd.oci.image.manifest.v1+json",
        digest: digestOf(reference),
        sizeBytes: 1000,
        platforms: [{ architecture, os }],
      };
    });
  }

  removeImage(reference: string): Promise<readonly string[]> {
    return this.#guard(() => this.#images.remove(reference));
  }

  tagImage(source: string, target: string): Promise<void> {
    return this.#guard(() => this.#images.tag(source, target));
  }

  create(request: ContainerRequest, signal: AbortSignal): Promise<void> {
    return this.#guard(async () => {
      if (this.#containers.has(request.id)) return;
      await this.#options.clock.sleep(this.#options.createDelayMs ?? 0, signal);
      const image = this.#images.find(request.image);
      if (image === undefined) throw missing(request.image);
      const { Command = [], Args = [] } = request.spec;
      const { Entrypoint = [], Cmd = [] } = image.config;
      const words =
        Command.length > 0
          ? [...Command, ...Args]
          : [...Entrypoint, ...(Args.length > 0 ? Args : Cmd)];
      if (compile(words) === undefined) {
        throw new EngineError(
          "INVALID_SPEC",
          `exec: "${words[0] ?? ""}": executable file not found in $PATH`,
        );
      }
      const container = new SimulatedContainer(
        {
          id: request.id,
          name: request.name,
          image: request.image,
          labels: request.labels,
          createdAtMs: this.#options.clock.wallMs(),
          words,
          env: request.spec.Env ?? [],
          resources: request.resources,
          stdoutPath: request.stdoutPath,
          stderrPath: request.spec.TTY === true ? request.stdoutPath : request.stderrPath,
          pid: this.#nextPid++,
          isStarted: false,
          cursor: 0,
          sinceMs: 0,
          traps: {},
          exit: undefined,
        },
        this.#hooks(),
      );
      this.#containers.set(request.id, container);
      this.#files.saveContainer(container.saved);
    });
  }

  start(id: string, signal: AbortSignal): Promise<{ readonly pid: number }> {
    return this.#guard(async () => {
      const container = this.#get(id);
      await this.#options.clock.sleep(this.#options.startDelayMs ?? 0, signal);
      container.run();
      return { pid: container.saved.pid };
    });
  }

  wait(id: string, signal: AbortSignal): Promise<ExitStatus> {
    // Like the real engine's: goes on while the engine is away.
    return this.#guard(() => untilAborted(this.#get(id).ended, signal), { evenDown: true });
  }

  kill(id: string, signal: string): Promise<void> {
    return this.#guard(() => {
      if (!this.#get(id).signal(signalNumber(signal), signalName(signal)))
        throw new EngineError("NOT_FOUND", `container ${id} has already ended`);
    });
  }

  stop(
    id: string,
    options: { readonly signalName: string; readonly graceMs: number },
    signal: AbortSignal,
  ): Promise<ExitStatus> {
    return this.#guard(async () => {
      const container = this.#get(id);
      container.signal(signalNumber(options.signalName), signalName(options.signalName));
      const done = new AbortController();
      const over = this.#options.clock
        .sleep(options.graceMs, AbortSignal.any([signal, done.signal]))
        .then(
          () => container.signal(signalNumber("KILL"), "KILL"),
          () => false,
        );
      try {
        return await untilAborted(container.ended, signal);
      } finally {
        done.abort();
        await over;
      }
    });
  }

  remove(id: string): Promise<void> {
    return this.#guard(() => {
      this.#containers.get(id)?.signal(signalNumber("KILL"), "KILL");
      this.#containers.delete(id);
      this.#files.removeContainer(id);
    });
  }

  list(): Promise<readonly ContainerState[]> {
    return this.#guard(() => [...this.#containers.values()].map(toState));
  }

  inspect(id: string): Promise<ContainerState | undefined> {
    return this.#guard(() => {
      const container = this.#containers.get(id);
      return container === undefined ? undefined : toState(container);
    });
  }

  /** Runs a script of the same vocabulary. A program that would serve succeeds at once, for it stands for a probe. */
  exec(
    id: string,
    command: readonly string[],
    options: { readonly timeoutMs: number; readonly signal: AbortSignal },
  ): Promise<ExecResult> {
    return this.#guard(async () => {
      const { saved } = this.#get(id);
      if (!saved.isStarted || saved.exit !== undefined)
        throw new EngineError("FAILED", `container ${id} is not running`);
      const program = compile(command);
      if (program === undefined)
        return { exitCode: 127, output: `exec: "${command[0] ?? ""}": executable file not found` };
      if (saved.env.includes(UNHEALTHY)) return { exitCode: 1, output: "unhealthy\n" };
      let output = "";
      let leftMs = options.timeoutMs;
      for (const instruction of program.instructions) {
        if (instruction.kind === "print") output += instruction.text;
        if (instruction.kind === "exit")
          return { exitCode: instruction.code, output: output.slice(0, EXEC_OUTPUT_MAX) };
        if (instruction.kind !== "sleep") continue;
        await this.#options.clock.sleep(Math.min(instruction.ms, leftMs), options.signal);
        leftMs -= instruction.ms;
        if (leftMs <= 0)
          return { exitCode: -1, output: `${output}timed out after ${options.timeoutMs} ms` };
      }
      return { exitCode: 0, output: output.slice(0, EXEC_OUTPUT_MAX) };
    });
  }

  subscribe(listener: (event: EngineEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  simulateRestart(downMs: number): void {
    this.#isUp = false;
    this.#emit({ kind: "down" });
    this.#options.clock.setTimer(downMs, () => {
      this.#isUp = true;
      this.#emit({ kind: "up" });
    });
  }

  limitsOf(id: string): ResourceRequirements | undefined {
    return this.#containers.get(id)?.saved.resources;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isUp = false;
    for (const container of this.#containers.values()) await container.detach();
  }

  #get(id: string): SimulatedContainer {
    const container = this.#containers.get(id);
    if (container === undefined) throw new EngineError("NOT_FOUND", `No such container: ${id}`);
    return container;
  }

  #hooks(): ConstructorParameters<typeof SimulatedContainer>[1] {
    return {
      clock: this.#options.clock,
      save: (container) => {
        if (this.#containers.has(container.id)) this.#files.saveContainer(container);
      },
      onExit: (id, exit) => this.#emit({ kind: "exit", id, exit }),
      onOom: (id) => this.#emit({ kind: "oom", id }),
    };
  }

  #emit(event: EngineEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  async #guard<T>(
    work: () => T | Promise<T>,
    { evenDown = false }: { readonly evenDown?: boolean } = {},
  ): Promise<T> {
    if (!this.#isUp && !evenDown)
      throw new EngineError("ENGINE_DOWN", "the simulated engine is away; wait until it is back");
    try {
      return await work();
    } catch (error) {
      throw toEngineError(error);
    }
  }
}

function toState({ saved }: SimulatedContainer): ContainerState {
  const isRunning = saved.isStarted && saved.exit === undefined;
  return {
    id: saved.id,
    name: saved.name,
    image: saved.image,
    labels: saved.labels,
    createdAtMs: saved.createdAtMs,
    state: saved.exit !== undefined ? "exited" : isRunning ? "running" : "created",
    pid: isRunning ? saved.pid : 0,
    exit: saved.exit,
  };
}
