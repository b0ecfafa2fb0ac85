/** Containers of one namespace. Every step can be repeated; what a failed step left is taken back at once. */
import { mkdir, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Logger } from "../../../base/index.js";
import {
  buildSpec,
  encodeSpec,
  type HostFacts,
  type OciSpec,
  resolveUser,
  resolveUserText,
} from "../../core/oci/index.js";
import { canonicalName, parseReference } from "../../images/index.js";
import type { KeyedQueue, Limiter } from "../limiter.js";
import {
  type ContainerRequest,
  type ContainerState,
  EngineError,
  type ExitStatus,
} from "../port.js";
import { signalNumber } from "../signals.js";
import { untilAborted } from "../until-aborted.js";
import type { Connection } from "./connection.js";
import {
  type ContainerRecord,
  decodeExit,
  decodeRecord,
  encodeRecord,
  RECORD_TYPE,
  toState,
  visibleLabels,
} from "./container-record.js";
import type { ExitWatch } from "./exit-watch.js";
import { makeFifo } from "./fifo.js";
import type { ImageRootfs } from "./image-rootfs.js";
import { type ImageService, missing } from "./image-service.js";
import { isDaemonAway, isRpc, orMissing, RPC } from "./rpc-error.js";
import { RUNTIME } from "./runtime-probe.js";
import type { SeccompPrograms } from "./seccomp-programs.js";
import { containersService, snapshotsService, tasksService } from "./services.js";
import { type Any, containerd, jsonAny } from "./wire.js";

const SPEC_TYPE = "types.containerd.io/opencontainers/runtime-spec/1/Spec";
/** Creating can hang on a pipe nobody opens; everything slower than this is broken. */
const CREATE_TIMEOUT_MS = 60_000;
const REMOVE_WAIT_MS = 20_000;
const SIGKILL = 9;
const { STOPPED, PAUSED, RUNNING } = containerd.v1.types.Status;

type Container = containerd.services.containers.v1.Container.$Properties;
type Process = containerd.v1.types.Process.$Properties;

export type ContainersParts = {
  readonly connection: Connection;
  readonly logger: Logger;
  readonly images: ImageService;
  readonly rootfs: ImageRootfs;
  readonly watch: ExitWatch;
  readonly queue: KeyedQueue;
  readonly limiter: Limiter;
  readonly host: HostFacts;
  readonly seccompPrograms: SeccompPrograms;
  readonly snapshotter: string;
  readonly cgroupParent: string;
  /** Runtime options for every container (the runtime's program); undefined = runc. */
  readonly runtimeOptions: () => Any | undefined;
};

export class Containers {
  readonly #parts: ContainersParts;
  readonly #connection: Connection;

  constructor(parts: ContainersParts) {
    this.#parts = parts;
    this.#connection = parts.connection;
  }

  create(request: ContainerRequest, signal: AbortSignal): Promise<void> {
    const { queue, limiter } = this.#parts;
    return queue.run(request.id, () => limiter.run(() => this.#create(request, signal), signal));
  }

  async #create(request: ContainerRequest, signal: AbortSignal): Promise<void> {
    const { id } = request;
    const found = await this.#parts.images.find(request.image);
    if (found === undefined) throw missing(request.image);
    const { image } = found;
    await this.#checkSources(request, image.chainId, signal);
    const accounts = await this.#accounts(image.chainId);
    const user = resolveUser(
      resolveUserText(request.spec, image.config.config),
      request.spec.Groups ?? [],
      accounts.passwd,
      accounts.group,
    );
    const placed =
      request.cgroupParent === ""
        ? { ...request, cgroupParent: this.#parts.cgroupParent }
        : request;
    const built = buildSpec(placed, image.config.config, user, this.#parts.host);
    const { seccompPrograms } = this.#parts;
    const spec = this.#isCrun()
      ? { ...built, annotations: seccompPrograms.annotations(built.linux.seccomp) }
      : built;
    const record = toRecord(request, spec);
    signal.throwIfAborted();
    // An earlier call may have got this far. Asking only when the name is taken saves a round trip for every container.
    if (await this.#isTaken(request, record, spec)) {
      const known = await this.#find(id);
      if (known?.task !== undefined) return; // Made by an earlier call whose answer was lost.
      await this.#removeAll(id);
      await this.#register(request, record, spec);
    }
    try {
      if (record.stdin !== "") await makeFifo(record.stdin);
      await this.#make(id, record, image.chainId);
    } catch (error) {
      await this.#removeAll(id).catch((cleanup: unknown) => {
        this.#parts.logger.warn({ id, error: cleanup }, "a failed container was not cleaned up");
      });
      throw error;
    }
    if (this.#isCrun()) await seccompPrograms.learn(id, spec.linux.seccomp);
    // Opened before the start, so that not even the shortest life is missed.
    void this.#parts.watch.watch(id); // Rejections are handled inside; callers of wait get their own.
  }

  /** With options the runtime's program is crun. */
  #isCrun(): boolean {
    return this.#parts.runtimeOptions() !== undefined;
  }

  /** True if a record of this name is there already; else it is made. */
  async #isTaken(
    request: ContainerRequest,
    record: ContainerRecord,
    spec: OciSpec,
  ): Promise<boolean> {
    try {
      await this.#register(request, record, spec);
      return false;
    } catch (error) {
      if (isRpc(error, RPC.ALREADY_EXISTS)) return true;
      throw error;
    }
  }

  /** The record comes first: it refers to the snapshot, which the collector would otherwise be free to take. */
  async #register(
    request: ContainerRequest,
    record: ContainerRecord,
    spec: OciSpec,
  ): Promise<void> {
    const { id } = request;
    await this.#connection.call(containersService.create, {
      container: {
        id,
        image: imageName(request.image),
        runtime: { name: RUNTIME },
        spec: jsonAny(SPEC_TYPE, encodeSpec(spec)),
        snapshotter: this.#parts.snapshotter,
        snapshotKey: id,
        labels: visibleLabels(request.labels),
        extensions: { [RECORD_TYPE]: encodeRecord(record) },
      },
    });
  }

  async #make(id: string, record: ContainerRecord, chainId: string): Promise<void> {
    const { snapshotter } = this.#parts;
    const options = this.#parts.runtimeOptions();
    const { mounts } = await this.#connection.call(snapshotsService.prepare, {
      snapshotter,
      key: id,
      parent: chainId,
    });
    await this.#connection.call(
      tasksService.create,
      {
        containerId: id,
        rootfs: mounts,
        stdin: record.stdin,
        stdout: record.stdout,
        stderr: record.stderr,
        terminal: record.isTty,
        ...(options === undefined ? {} : { options }),
      },
      { timeoutMs: CREATE_TIMEOUT_MS },
    );
  }

  async start(id: string, signal: AbortSignal): Promise<{ pid: number }> {
    const { queue, limiter } = this.#parts;
    return queue.run(id, () =>
      limiter.run(async () => {
        signal.throwIfAborted();
        try {
          const { pid } = await this.#connection.call(
            tasksService.start,
            { containerId: id },
            { timeoutMs: CREATE_TIMEOUT_MS },
          );
          return { pid };
        } catch (error) {
          // Started by an earlier call whose answer was lost.
          const task = await this.#task(id).catch(() => undefined);
          if (task?.status === RUNNING) return { pid: task.pid ?? 0 };
          throw error;
        }
      }, signal),
    );
  }

  async wait(id: string, signal: AbortSignal): Promise<ExitStatus> {
    return untilAborted(this.#parts.watch.watch(id), signal);
  }

  async kill(id: string, signalName: string): Promise<void> {
    if (!(await this.#signal(id, signalNumber(signalName))))
      throw new EngineError("NOT_FOUND", `container ${id} does not run any more`);
  }

  /** False if it has ended. The shim's refusals while it goes away have many texts: look instead of matching them. */
  async #signal(id: string, signal: number, all = false): Promise<boolean> {
    try {
      await this.#connection.call(tasksService.kill, { containerId: id, signal, all });
      return true;
    } catch (error) {
      if (isRpc(error, RPC.NOT_FOUND)) return false;
      if (isDaemonAway(error)) throw error;
      const state = (await this.inspect(id))?.state;
      if (state === undefined || state === "exited") return false;
      throw error;
    }
  }

  async stop(
    id: string,
    options: { readonly signalName: string; readonly graceMs: number },
    signal: AbortSignal,
  ): Promise<ExitStatus> {
    const number = signalNumber(options.signalName); // Refused before anything is done.
    const exit = this.wait(id, signal);
    exit.catch(() => undefined);
    const timer = new AbortController();
    const stop = AbortSignal.any([signal, timer.signal]);
    // From here on: its answer comes some time after the container has the signal.
    const grace = this.#connection.clock.sleep(options.graceMs, stop).then(
      () => true,
      () => false,
    );
    try {
      if (!(await this.#signal(id, number)) && (await this.inspect(id)) === undefined)
        throw noSuchContainer(id);
    } catch (error) {
      timer.abort();
      throw error;
    }
    const isOver = await Promise.race([exit.then(() => false), grace]);
    timer.abort();
    if (isOver) await this.#signal(id, SIGKILL);
    return exit;
  }

  remove(id: string): Promise<void> {
    const { queue, limiter } = this.#parts;
    return queue.run(id, () => limiter.run(() => this.#removeAll(id)));
  }

  /** Task, record, snapshot, in this order: whatever is left after a crash in between is found again by the record. */
  async #removeAll(id: string): Promise<void> {
    const found = await this.#find(id);
    const task = found?.task ?? (await this.#task(id));
    if (task !== undefined) {
      if (task.status !== STOPPED) await this.#end(id, task);
      await this.#parts.watch.deleteTask(id);
    }
    const { snapshotter } = this.#parts;
    await orMissing(this.#connection.call(containersService.delete, { id }));
    await orMissing(this.#connection.call(snapshotsService.remove, { snapshotter, key: id }));
    const stdin = found?.record?.stdin ?? "";
    if (stdin !== "") await rm(stdin, { force: true });
  }

  async #end(id: string, task: Process): Promise<void> {
    if (task.status === PAUSED)
      await orMissing(this.#connection.call(tasksService.resume, { containerId: id }));
    await this.#signal(id, SIGKILL, true);
    try {
      await this.#connection.call(
        tasksService.wait,
        { containerId: id },
        { timeoutMs: REMOVE_WAIT_MS },
      );
    } catch (error) {
      // The shim may go while we wait; the delete that follows finds out.
      if (!isRpc(error, RPC.NOT_FOUND) && !isRpc(error, RPC.UNKNOWN)) throw error;
    }
  }

  async list(): Promise<readonly ContainerState[]> {
    const tasks = new Map<string, Process>();
    for (const task of (await this.#connection.call(tasksService.list, {})).tasks)
      tasks.set(task.id ?? "", task);
    const states: ContainerState[] = [];
    for await (const { container } of this.#connection.stream(containersService.list, {})) {
      if (!container) continue;
      const record = decodeRecord(container);
      if (record !== undefined)
        states.push(toState(container, record, tasks.get(container.id ?? "")));
    }
    return states;
  }

  /** Ids of our containers whose end has not been kept yet: running, or ended while nobody looked. */
  async unsettled(): Promise<readonly string[]> {
    const ids: string[] = [];
    for await (const { container } of this.#connection.stream(containersService.list, {})) {
      if (!container || decodeRecord(container) === undefined) continue;
      if (decodeExit(container) === undefined) ids.push(container.id ?? "");
    }
    return ids;
  }

  async inspect(id: string): Promise<ContainerState | undefined> {
    const found = await this.#find(id);
    if (found?.record === undefined) return undefined;
    return toState(found.container, found.record, found.task);
  }

  async record(id: string): Promise<ContainerRecord> {
    const found = await this.#find(id);
    if (found?.record === undefined) throw noSuchContainer(id);
    return found.record;
  }

  async #find(id: string): Promise<
    | {
        readonly container: Container;
        readonly record: ContainerRecord | undefined;
        readonly task: Process | undefined;
      }
    | undefined
  > {
    const reply = await orMissing(this.#connection.call(containersService.get, { id }));
    const container = reply?.container ?? undefined;
    if (container === undefined) return undefined;
    return { container, record: decodeRecord(container), task: await this.#task(id) };
  }

  async #task(id: string): Promise<Process | undefined> {
    const reply = await orMissing(this.#connection.call(tasksService.get, { containerId: id }));
    return reply?.process ?? undefined;
  }

  async #accounts(chainId: string): Promise<{ readonly passwd: string; readonly group: string }> {
    if (chainId === "") return { passwd: "", group: "" };
    return this.#parts.rootfs.accounts(chainId);
  }

  /** containerd makes no bind source, and runc's message for a missing one names an inner path. */
  async #checkSources(
    request: ContainerRequest,
    chainId: string,
    signal: AbortSignal,
  ): Promise<void> {
    for (const mount of request.spec.Mounts ?? []) {
      if (mount.Type !== "bind" || mount.Source === undefined) continue;
      if (mount.BindOptions?.CreateMountpoint === true)
        await mkdir(mount.Source, { recursive: true });
      await mustExist(mount.Source);
    }
    for (const mount of request.extraMounts) {
      await mustExist(mount.source);
      if (mount.isCopyUp === true && chainId !== "")
        await this.#parts.rootfs.copyUp(chainId, mount.target, mount.source, signal);
    }
  }
}

async function mustExist(path: string): Promise<void> {
  if ((await stat(path).catch(() => undefined)) !== undefined) return;
  throw new EngineError(
    "INVALID_SPEC",
    `invalid mount config for type "bind": bind source path does not exist: ${path}`,
  );
}

function toRecord(request: ContainerRequest, spec: OciSpec): ContainerRecord {
  const isTty = request.spec.TTY === true;
  // A terminal keeps its input open by itself. Otherwise nobody writes to this pipe, so reading it waits for ever.
  const stdin =
    request.spec.OpenStdin === true && !isTty ? join(dirname(request.stdoutPath), "stdin") : "";
  return {
    name: request.name,
    image: request.image,
    labels: request.labels,
    stdin,
    stdout: request.stdoutPath,
    stderr: isTty ? "" : request.stderrPath,
    isTty,
    cgroupsPath: spec.linux.cgroupsPath,
    cwd: spec.process.cwd,
    env: spec.process.env,
    user: spec.process.user,
    capabilities: spec.process.capabilities.bounding,
    noNewPrivileges: spec.process.noNewPrivileges,
  };
}

/** What `ctr` shows and what image removal looks for; an id stays as it is. */
function imageName(text: string): string {
  try {
    return canonicalName(parseReference(text));
  } catch {
    return text;
  }
}

export function noSuchContainer(id: string): EngineError {
  return new EngineError("NOT_FOUND", `No such container: ${id}`);
}
