/**
 * Waits for the end of every container and settles it once: asks for the exit, looks whether memory was the reason, keeps
 * both with the record, frees the shim (12 MB each). A broken wait proves nothing: look at the task, then decide.
 */
import { setMaxListeners } from "node:events";
import { readFile } from "node:fs/promises";
import type { Logger } from "../../../base/index.js";
import type { KeyedQueue } from "../limiter.js";
import { EngineError, type ExitStatus } from "../port.js";
import type { Connection } from "./connection.js";
import { decodeExit, decodeRecord, EXIT_LABEL, encodeExit, lostExit } from "./container-record.js";
import { isDaemonAway, isRpc, orMissing, RPC, RpcError } from "./rpc-error.js";
import { containersService, tasksService } from "./services.js";
import { containerd, timestampMs } from "./wire.js";

const RETRY_FIRST_MS = 100;
const RETRY_MAX_MS = 1000;
/** The shim waits up to 2 s for the last output. */
const DELETE_TIMEOUT_MS = 30_000;
const DELETE_RETRIES_MAX = 5;
/** What has ended makes room for what is started in its place: its clean-up takes as much of the processors as a start. */
const CLEAN_UP_DELAY_MS = 120;
const SIGKILL_EXIT_CODE = 137;
const OOM_NOTES_MAX = 1000;

export class ExitWatch implements AsyncDisposable {
  readonly #connection: Connection;
  readonly #logger: Logger;
  readonly #queue: KeyedQueue;
  readonly #cgroupVersion: 1 | 2;
  readonly #onExit: (id: string, exit: ExitStatus) => void;
  readonly #watching = new Map<string, Promise<ExitStatus>>();
  readonly #oomNotes = new Set<string>();
  readonly #closing = new AbortController();
  readonly #cleanups = new Set<Promise<void>>();

  constructor(
    connection: Connection,
    logger: Logger,
    queue: KeyedQueue,
    cgroupVersion: 1 | 2,
    onExit: (id: string, exit: ExitStatus) => void,
  ) {
    this.#connection = connection;
    this.#logger = logger;
    this.#queue = queue;
    this.#cgroupVersion = cgroupVersion;
    this.#onExit = onExit;
    // One listener per container.
    setMaxListeners(0, this.#closing.signal);
  }

  /** The end of `id`; one watch serves all callers. Rejects NOT_FOUND if the container goes without having ended. */
  watch(id: string): Promise<ExitStatus> {
    const known = this.#watching.get(id);
    if (known !== undefined) return known;
    const watching = this.#run(id).finally(() => this.#watching.delete(id));
    // Often nobody but us is waiting; a caller gets the rejection from the promise itself.
    watching.catch((error: unknown) => {
      if (!this.#closing.signal.aborted) this.#logger.debug({ id, error }, "exit watch ended");
    });
    this.#watching.set(id, watching);
    return watching;
  }

  noteOom(id: string): void {
    if (this.#oomNotes.size < OOM_NOTES_MAX) this.#oomNotes.add(id);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(new EngineError("ENGINE_DOWN", "the engine is being closed"));
    await Promise.allSettled([...this.#watching.values(), ...this.#cleanups]);
  }

  async #run(id: string): Promise<ExitStatus> {
    const { signal } = this.#closing;
    for (let delayMs = RETRY_FIRST_MS; ; delayMs = Math.min(RETRY_MAX_MS, delayMs * 2)) {
      try {
        await this.#connection.call(
          tasksService.wait,
          { containerId: id },
          { timeoutMs: Number.POSITIVE_INFINITY, signal },
        );
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof RpcError)) throw error;
        if (isDaemonAway(error)) {
          await this.#connection.clock.sleep(delayMs, signal);
          continue;
        }
      }
      try {
        const exit = await this.#look(id);
        if (exit !== undefined) return exit;
      } catch (error) {
        signal.throwIfAborted();
        if (!isDaemonAway(error)) throw error;
      }
      await this.#connection.clock.sleep(delayMs, signal);
    }
  }

  /** undefined: still there. */
  async #look(id: string): Promise<ExitStatus | undefined> {
    const [found, reply] = await Promise.all([
      orMissing(this.#connection.call(containersService.get, { id })),
      orMissing(this.#connection.call(tasksService.get, { containerId: id })),
    ]);
    const container = found?.container ?? undefined;
    if (container === undefined) throw new EngineError("NOT_FOUND", `No such container: ${id}`);
    const settled = decodeExit(container);
    if (settled !== undefined) return settled;
    const process = reply?.process ?? undefined;
    if (process === undefined) {
      return this.#settle(id, lostExit(this.#connection.clock.wallMs()));
    }
    if (process.status !== containerd.v1.types.Status.STOPPED) return undefined;
    const exitCode = process.exitStatus ?? 0;
    const cgroupsPath = decodeRecord(container)?.cgroupsPath ?? "";
    return this.#settle(id, {
      exitCode,
      finishedAtMs: timestampMs(process.exitedAt) ?? this.#connection.clock.wallMs(),
      isOomKilled: exitCode === SIGKILL_EXIT_CODE && (await this.#wasOomKilled(id, cgroupsPath)),
    });
  }

  async #settle(id: string, exit: ExitStatus): Promise<ExitStatus> {
    this.#oomNotes.delete(id);
    await orMissing(
      this.#connection.call(containersService.update, {
        container: { id, labels: { [EXIT_LABEL]: encodeExit(exit) } },
        updateMask: { paths: [`labels.${EXIT_LABEL}`] },
      }),
    );
    this.#onExit(id, exit);
    const cleanup = this.#connection.clock
      .sleep(CLEAN_UP_DELAY_MS, this.#closing.signal)
      .catch(() => undefined)
      .then(() => this.#queue.run(id, () => this.deleteTask(id)))
      .catch((error: unknown) => {
        this.#logger.warn({ id, error }, "the task of an ended container could not be deleted");
      })
      .finally(() => this.#cleanups.delete(cleanup));
    this.#cleanups.add(cleanup);
    return exit;
  }

  /** Frees the shim of an ended task. Nothing there is success. */
  async deleteTask(id: string): Promise<void> {
    for (let retry = 0; ; retry++) {
      try {
        await orMissing(
          this.#connection.call(
            tasksService.delete,
            { containerId: id },
            { timeoutMs: DELETE_TIMEOUT_MS },
          ),
        );
        return;
      } catch (error) {
        // The shim was killed: containerd is still cleaning up after it, and then the task is gone.
        const isShimGone = isRpc(error, RPC.UNKNOWN) && error.message.includes("ttrpc: closed");
        if (!isShimGone || retry >= DELETE_RETRIES_MAX) throw error;
        await this.#connection.clock.sleep(RETRY_FIRST_MS * 2 ** retry, this.#closing.signal);
      }
    }
  }

  /**
   * The kernel counts kills in the container's cgroup, which stays until the task is deleted; unlike containerd's event
   * this is neither early nor late and survives a restart of ours. The event decides where the file cannot be read.
   */
  async #wasOomKilled(id: string, cgroupsPath: string): Promise<boolean> {
    const path =
      this.#cgroupVersion === 2
        ? `/sys/fs/cgroup${cgroupsPath}/memory.events`
        : `/sys/fs/cgroup/memory${cgroupsPath}/memory.oom_control`;
    const text = await readFile(path, "utf8").catch(() => "");
    const count = /^oom_kill (\d+)$/m.exec(text)?.[1];
    return count === undefined ? this.#oomNotes.has(id) : Number(count) > 0;
  }
}
