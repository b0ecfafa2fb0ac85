/** The child's end of the supervisor's IPC: start message, pings, requests both ways, and a quick death when the supervisor dies. */
import type { Socket } from "node:net";
import { ApiError, isApiErrorCode } from "../base/index.js";
import { EXIT_CODE, type ExitReason, type FromChild, type ToChild } from "./ipc.js";

type StartMessage = Extract<ToChild, { kind: "start" }>;
type Listener = (message: ToChild, handle: Socket | undefined) => void;

/** What holds until the next of its kind comes, or the process ends. */
const LASTING: readonly ToChild["kind"][] = ["identity", "localState", "retire", "stop"];

/** Most requests to the supervisor that wait for an answer. */
const PENDING_MAX = 64;

export class ChildChannel {
  readonly #listeners = new Set<Listener>();
  /** The last message of each lasting kind. */
  readonly #lasting = new Map<ToChild["kind"], ToChild>();
  readonly #pending = new Map<
    number,
    { resolve: (result: unknown) => void; reject: (error: Error) => void }
  >();
  #seq = 0;
  #onRequest: ((op: string, body: unknown) => Promise<unknown>) | undefined;

  /**
   * Attaches to the parent process and waits for its start message. From here on the process exits by itself within a second
   * of losing the parent, so that no child outlives its supervisor.
   */
  static async connect(): Promise<{ channel: ChildChannel; start: StartMessage }> {
    if (process.send === undefined) {
      throw new Error("this program is started by swarmd, not by hand; run `swarmd --help`");
    }
    const channel = new ChildChannel();
    const start = await new Promise<StartMessage>((resolve) => {
      const stop = channel.listen((message) => {
        if (message.kind !== "start") return;
        stop();
        resolve(message);
      });
      channel.#attach();
    });
    return { channel, start };
  }

  send(message: FromChild): void {
    // The callback keeps a lost channel from becoming an uncaught error: "disconnect" is the signal to end.
    if (process.connected) process.send?.(message, undefined, {}, () => undefined);
  }

  /**
   * Every message but pings and replies; `handle` comes with kind "socket". What came before and still holds is told first: a program
   * takes a while from its start to its first listener. Returns the way to stop listening.
   */
  listen(listener: Listener): () => void {
    this.#listeners.add(listener);
    for (const message of this.#lasting.values()) listener(message, undefined);
    return () => this.#listeners.delete(listener);
  }

  /** Answers the supervisor's requests. */
  onRequest(handler: (op: string, body: unknown) => Promise<unknown>): void {
    this.#onRequest = handler;
  }

  /** Asks the supervisor; rejects with the ApiError it answers. */
  request(op: "init" | "join" | "leave" | "unlock", body: unknown): Promise<unknown> {
    if (this.#pending.size >= PENDING_MAX) {
      return Promise.reject(
        new ApiError("ResourceExhausted", "too many membership requests at once; try again"),
      );
    }
    const seq = ++this.#seq;
    return new Promise((resolve, reject) => {
      this.#pending.set(seq, { resolve, reject });
      this.send({ kind: "request", seq, op, body });
    });
  }

  /** Tells why, then ends the process with the reason's exit code. */
  fail(reason: ExitReason, message: string): never {
    this.send({ kind: "failed", reason, message });
    process.exit(EXIT_CODE[reason]);
  }

  #attach(): void {
    process.on("message", (raw: unknown, handle: unknown) => {
      this.#receive(raw as ToChild, handle as Socket | undefined);
    });
    process.on("disconnect", () => {
      // Loops get a moment to finish a write; nothing that matters depends on it.
      setTimeout(() => process.exit(EXIT_CODE.ok), 500).unref();
    });
    // A terminal's Ctrl-C reaches the whole process group; only the supervisor decides when children end.
    process.on("SIGINT", () => undefined);
    process.on("SIGTERM", () => undefined);
  }

  #receive(message: ToChild, handle: Socket | undefined): void {
    switch (message.kind) {
      case "ping":
        this.send({ kind: "pong", seq: message.seq });
        return;
      case "reply":
        this.#settle(message.seq)?.resolve(message.result);
        return;
      case "replyError": {
        const code = isApiErrorCode(message.code) ? message.code : "Internal";
        this.#settle(message.seq)?.reject(
          new ApiError(code, message.message, { origin: "door", http: message.http }),
        );
        return;
      }
      case "request":
        void this.#answer(message.seq, message.op, message.body); // reports its own failures to the supervisor
        return;
      default:
        if (LASTING.includes(message.kind)) this.#lasting.set(message.kind, message);
        for (const listener of this.#listeners) listener(message, handle);
    }
  }

  #settle(
    seq: number,
  ): { resolve: (result: unknown) => void; reject: (error: Error) => void } | undefined {
    const waiter = this.#pending.get(seq);
    this.#pending.delete(seq);
    return waiter;
  }

  async #answer(seq: number, op: string, body: unknown): Promise<void> {
    try {
      if (this.#onRequest === undefined)
        throw new ApiError("Unimplemented", `no handler for ${op}`);
      this.send({ kind: "reply", seq, result: await this.#onRequest(op, body) });
    } catch (error) {
      const known = error instanceof ApiError ? error : undefined;
      this.send({
        kind: "replyError",
        seq,
        code: known?.code ?? "Internal",
        message: error instanceof Error ? error.message : String(error),
        http: known?.http ?? 500,
      });
    }
  }
}
