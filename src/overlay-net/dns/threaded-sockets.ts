import { Worker } from "node:worker_threads";
import {
  type NetnsSocketError as ErrorType,
  NetnsSocketError,
  type NetnsSockets,
  netnsSockets,
  type SocketRequest,
} from "./netns-sockets.js";
import type { ThreadReply, ThreadRequest } from "./netns-thread.js";

/** Requests that wait for the thread; each takes some 0.1 ms. */
const PENDING_MAX = 4_096;

type Waiting = {
  readonly netnsPath: string;
  readonly resolve: (fd: number) => void;
  readonly reject: (reason: ErrorType) => void;
};

/** The real sockets, made by a thread of their own. Needs CAP_SYS_ADMIN. */
export class ThreadedSockets {
  readonly sockets: NetnsSockets = netnsSockets((path, request) => this.#open(path, request));
  readonly #thread: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #serial = 0;
  #end: ErrorType | undefined;

  constructor() {
    this.#thread = new Worker(new URL("./netns-thread.js", import.meta.url), {
      name: "netns-sockets",
    });
    this.#thread.on("message", (reply: ThreadReply) => this.#settle(reply));
    this.#thread.on("error", (cause) => this.#fail(cause));
    this.#thread.on("exit", () => this.#fail(undefined));
    this.#thread.unref();
  }

  async close(): Promise<void> {
    await this.#thread.terminate();
  }

  #open(netnsPath: string, request: SocketRequest): Promise<number> {
    if (this.#end !== undefined) return Promise.reject(this.#end);
    if (this.#waiting.size >= PENDING_MAX) {
      return Promise.reject(
        new NetnsSocketError(`${PENDING_MAX} sockets are being opened already`),
      );
    }
    this.#serial += 1;
    const serial = this.#serial;
    return new Promise((resolve, reject) => {
      this.#waiting.set(serial, { netnsPath, resolve, reject });
      this.#thread.postMessage({ serial, netnsPath, request } satisfies ThreadRequest);
    });
  }

  #settle(reply: ThreadReply): void {
    const waiting = this.#waiting.get(reply.serial);
    this.#waiting.delete(reply.serial);
    if ("fd" in reply) waiting?.resolve(reply.fd);
    else waiting?.reject(new NetnsSocketError(`${waiting.netnsPath}: ${reply.error}`));
  }

  #fail(cause: unknown): void {
    this.#end ??= new NetnsSocketError("the thread that opens sockets has ended", { cause });
    for (const { reject } of this.#waiting.values()) reject(this.#end);
    this.#waiting.clear();
  }
}
