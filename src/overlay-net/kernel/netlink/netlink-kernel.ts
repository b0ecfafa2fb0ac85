import { Worker } from "node:worker_threads";
import type { NetnsOperations, NetnsState } from "../../core/kernel-model.js";
import { KernelError, type NetnsKernel } from "../netns-kernel.js";
import { packOperations } from "./packed-entries.js";
import type { Call, FromThread, ThreadData, ToThread } from "./protocol.js";

/** Calls that wait for the thread; more are refused with BUSY. */
const OUTSTANDING_MAX = 1024;

type Waiting = {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: KernelError) => void;
};

/** The kernel by netlink and libnftables, in a thread of its own: the caller's event loop never waits for the kernel. */
export class NetlinkKernel implements NetnsKernel {
  readonly kind = "netlink";
  readonly #thread: Worker;
  readonly #waiting = new Map<number, Waiting>();
  readonly #watchers = new Map<string, Set<(netns: string) => void>>();
  #lastId = 0;
  /** Why no call is taken any more. */
  #closed: KernelError | undefined;

  /** `contentsPath`: file that keeps what is in our tables over a restart, "" for none. `threadUrl`: the compiled worker. Rejects KernelError MISSING when koffi or libnftables cannot be loaded. */
  static open(
    contentsPath = "",
    threadUrl = new URL("./worker.js", import.meta.url),
  ): Promise<NetlinkKernel> {
    const workerData: ThreadData = { contentsPath };
    const thread = new Worker(threadUrl, { workerData });
    return new Promise((resolve, reject) => {
      const onFailure = (cause: Error): void => {
        reject(new KernelError("FAILED", `the kernel thread: ${cause.message}`, { cause }));
      };
      thread.once("error", onFailure);
      thread.once("message", (first: FromThread) => {
        thread.off("error", onFailure);
        if (first.kind !== "unavailable") {
          resolve(new NetlinkKernel(thread));
          return;
        }
        void thread.terminate(); // it has nothing to close
        reject(new KernelError("MISSING", first.reason));
      });
    });
  }

  private constructor(thread: Worker) {
    this.#thread = thread;
    thread.on("message", (message: FromThread) => {
      this.#receive(message);
    });
    thread.on("error", (cause) => {
      this.#end(new KernelError("CLOSED", `the kernel thread ended: ${cause.message}`, { cause }));
    });
    thread.on("exit", (code) => {
      this.#end(new KernelError("CLOSED", `the kernel thread ended with ${code}`));
    });
  }

  async observe(netns: string, tablePrefix: string): Promise<NetnsState | undefined> {
    return (await this.#call({ kind: "observe", netns, tablePrefix })) as NetnsState | undefined;
  }

  async execute(batch: readonly NetnsOperations[]): Promise<void> {
    const isNothing = batch.length === 0 && this.#closed === undefined;
    if (!isNothing) await this.#call({ kind: "execute", batch: packOperations(batch) });
  }

  async list(prefix: string): Promise<readonly string[]> {
    return (await this.#call({ kind: "list", prefix })) as readonly string[];
  }

  async nftGeneration(netns: string): Promise<number> {
    return (await this.#call({ kind: "nftGeneration", netns })) as number;
  }

  async openFlows(netns: string, addresses: readonly string[]): Promise<number> {
    return (await this.#call({ kind: "openFlows", netns, addresses })) as number;
  }

  async watch(netns: string, onChange: (netns: string) => void): Promise<() => void> {
    const watchers = this.#watchers.get(netns) ?? new Set();
    this.#watchers.set(netns, watchers);
    // One of its own: the same function may watch twice.
    const watcher = (changed: string): void => {
      onChange(changed);
    };
    watchers.add(watcher);
    const stop = (): void => {
      watchers.delete(watcher);
      if (watchers.size > 0 || this.#watchers.get(netns) !== watchers) return;
      this.#watchers.delete(netns);
      // Fails only when the thread has ended, and its watches with it.
      this.#call({ kind: "unwatch", netns }).catch(() => undefined);
    };
    try {
      await this.#call({ kind: "watch", netns });
    } catch (error) {
      stop();
      throw error;
    }
    return stop;
  }

  async close(): Promise<void> {
    if (this.#closed !== undefined) return;
    const closing = this.#call({ kind: "close" });
    this.#closed = new KernelError("CLOSED", "the kernel port is closed");
    await closing;
    await this.#thread.terminate();
  }

  #call(call: Call): Promise<unknown> {
    if (this.#closed !== undefined) return Promise.reject(this.#closed);
    if (this.#waiting.size >= OUTSTANDING_MAX)
      return Promise.reject(
        new KernelError("BUSY", `${OUTSTANDING_MAX} calls wait for the kernel thread, the most`),
      );
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#thread.postMessage({ id, call } satisfies ToThread);
    });
  }

  #receive(message: FromThread): void {
    if (message.kind === "changed") {
      for (const watcher of this.#watchers.get(message.netns) ?? []) watcher(message.netns);
      return;
    }
    if (message.kind !== "done" && message.kind !== "failed") return;
    const waiting = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if (message.kind === "done") waiting?.resolve(message.value);
    else waiting?.reject(new KernelError(message.code, message.message));
  }

  #end(reason: KernelError): void {
    this.#closed ??= reason;
    for (const { reject } of this.#waiting.values()) reject(reason);
    this.#waiting.clear();
  }
}
