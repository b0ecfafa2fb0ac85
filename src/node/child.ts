/** One running child process: messages, pings, requests both ways, sockets on their way to it, and its end. */
import { type ChildProcess, fork } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import type { Socket } from "node:net";
import { setPriority } from "node:os";
import type { ExitReason, FromChild, ToChild } from "../api/index.js";
import { ApiError, type Clock, isApiErrorCode, type Logger } from "../base/index.js";
import { exitReasonOf } from "./core/child-policy.js";
import type { SupervisorLimits } from "./limits.js";

export type ProgramName = "net" | "worker" | "rest" | "manager";

export type ChildExit = {
  readonly reason: ExitReason;
  /** For people: what the child said, else code or signal. */
  readonly message: string;
  readonly uptimeMs: number;
};

/** What a child reports, besides what Child itself takes care of. */
export type ChildReport = Exclude<
  FromChild,
  { kind: "pong" | "socketAck" | "reply" | "replyError" | "request" }
>;
export type MembershipRequest = Extract<FromChild, { kind: "request" }>;

export type ChildParts = {
  readonly name: ProgramName;
  readonly modulePath: string;
  readonly start: Extract<ToChild, { kind: "start" }>;
  /** Inherited, so that the state directory stays locked while the child lives. */
  readonly lockFd: number | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly limits: SupervisorLimits;
  readonly onReport: (report: ChildReport) => void;
  /** It took a socket, or one was given up: there is room for another. */
  readonly onSocketRoom: () => void;
  readonly onRequest: (op: MembershipRequest["op"], body: unknown) => Promise<unknown>;
};

type Waiter = { readonly resolve: (result: unknown) => void; readonly reject: (e: Error) => void };
type Unacked = { readonly socket: Socket; readonly cancelTimer: () => void };

/**
 * Per half of V8's young generation (default 16): a daemon that is mostly idle keeps less garbage between collections. With it a
 * worker node of 10 tasks had 133 MiB (PSS) after a bench run, without it 173; one run each, other changes came in between.
 */
const YOUNG_SPACE_MIB = 2;
/** A manager's writes make garbage by the megabyte: with less room it is copied about more often than it is dropped. */
const MANAGER_YOUNG_SPACE_MIB = 16;
/**
 * The GNU C library gives up to eight heaps per processor to a process's threads, and frees little of each: `net` took 73 MiB beside 50
 * containers on a network, with two heaps 40. Others ignore the variable.
 */
const MALLOC_ARENAS = "2";
/** Nice value: heartbeats between managers go before whatever containers and image loads make of a node's processors. */
const MANAGER_NICE = -10;

export class Child {
  readonly name: ProgramName;
  /** Resolves when the process has ended; never rejects. */
  readonly exited: Promise<ChildExit>;
  readonly #process: ChildProcess;
  readonly #parts: ChildParts;
  readonly #startedAtMs: number;
  readonly #unacked = new Map<number, Unacked>();
  readonly #requests = new Map<number, Waiter>();
  #seq = 0;
  #unansweredPings = 0;
  #isReady = false;
  #hasExited = false;
  #failure: { readonly reason: ExitReason; readonly message: string } | undefined;
  #cancelPing: () => void = () => undefined;

  private constructor(parts: ChildParts) {
    this.name = parts.name;
    this.#parts = parts;
    this.#startedAtMs = parts.clock.nowMs();
    const isManager = parts.name === "manager";
    const youngSpaceMib = isManager ? MANAGER_YOUNG_SPACE_MIB : YOUNG_SPACE_MIB;
    this.#process = fork(parts.modulePath, [], {
      serialization: "advanced",
      // A session of its own is what the kernel's automatic grouping gives its share of the processors to.
      detached: isManager,
      execArgv: [
        ...process.execArgv,
        `--max-semi-space-size=${youngSpaceMib}`,
        // The others collect by themselves what they make while nothing happens; a manager's pause would be its cluster's.
        ...(isManager ? [] : ["--expose-gc"]),
      ],
      env: { MALLOC_ARENA_MAX: MALLOC_ARENAS, ...process.env },
      // What a child prints is log lines on stderr already: it writes to ours.
      stdio: ["ignore", 2, 2, "ipc", ...(parts.lockFd === undefined ? [] : [parts.lockFd])],
    });
    if (isManager) this.#raisePriority();
    this.#process.on("message", (raw) => {
      this.#receive(raw as FromChild);
    });
    this.exited = new Promise((resolve) => {
      this.#process.once("exit", (code, signal) => {
        resolve(this.#end(code, signal === null ? `code ${code}` : `signal ${signal}`));
      });
      this.#process.once("error", (error) => {
        // The program could not be started (or a message not be sent: then "exit" follows by itself).
        if (this.#process.pid === undefined) resolve(this.#end(null, error.message));
      });
    });
  }

  static start(parts: ChildParts): Child {
    const child = new Child(parts);
    child.send(parts.start);
    child.#ping();
    return child;
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  get isReady(): boolean {
    return this.#isReady;
  }

  get hasExited(): boolean {
    return this.#hasExited;
  }

  get unackedCount(): number {
    return this.#unacked.size;
  }

  /** What the child said went wrong, before its end. */
  get failure(): { readonly reason: ExitReason; readonly message: string } | undefined {
    return this.#failure;
  }

  send(message: ToChild): void {
    // The callback keeps a lost channel from becoming an uncaught error: "exit" is the signal to act on.
    if (this.#process.connected) this.#process.send(message, () => undefined);
  }

  /** Gives a connection away. False: the child takes no more now. It is destroyed here if the child ends or stays silent. */
  giveSocket(socket: Socket): boolean {
    if (this.#hasExited || !this.#process.connected) return false;
    if (this.#unacked.size >= this.#parts.limits.unackedSocketsMax) return false;
    const seq = ++this.#seq;
    const cancelTimer = this.#parts.clock.setTimer(this.#parts.limits.socketAckMs, () => {
      this.#parts.logger.warn({ child: this.name, pid: this.pid }, "child did not take a socket");
      // The child may hold a descriptor by now: shut the connection down, closing our half alone would not end it.
      socket.end(() => {
        this.#dropSocket(seq);
      });
    });
    this.#unacked.set(seq, { socket, cancelTimer });
    // keepOpen: our descriptor stays until the child has said that it holds its own.
    this.#process.send(
      { kind: "socket", seq } satisfies ToChild,
      socket,
      { keepOpen: true },
      (e) => {
        if (e !== null) this.#dropSocket(seq);
      },
    );
    return true;
  }

  /** Rejects with ApiError: the child's own, or Unavailable when it ends or stays silent. */
  request(op: string, body: unknown): Promise<unknown> {
    const seq = ++this.#seq;
    const { clock, limits } = this.#parts;
    return new Promise((resolve, reject) => {
      if (this.#hasExited) {
        reject(new ApiError("Unavailable", `${this.name} is not running`));
        return;
      }
      const cancelTimer = clock.setTimer(limits.childRequestMs, () => {
        this.#requests.delete(seq);
        reject(new ApiError("Unavailable", `${this.name} did not answer "${op}" in time`));
      });
      this.#requests.set(seq, {
        resolve: (result) => {
          cancelTimer();
          resolve(result);
        },
        reject: (error) => {
          cancelTimer();
          reject(error);
        },
      });
      this.send({ kind: "request", seq, op, body });
    });
  }

  /** Asks the child to end in order; SIGKILL after the limit. Resolves at its end. */
  async stop(limitMs: number, how: "stop" | "retire" = "stop"): Promise<ChildExit> {
    this.send({ kind: how });
    const cancel = this.#parts.clock.setTimer(limitMs, () => {
      this.#parts.logger.warn({ child: this.name, pid: this.pid }, "child did not end; killing it");
      this.kill();
    });
    const exit = await this.exited;
    cancel();
    return exit;
  }

  kill(): void {
    if (!this.#hasExited) this.#process.kill("SIGKILL");
  }

  /** Not allowed without CAP_SYS_NICE, and not needed on a host with time to spare. sched(7), "The autogroup feature". */
  #raisePriority(): void {
    const { pid } = this.#process;
    if (pid === undefined) return;
    const autogroup = `/proc/${pid}/autogroup`;
    try {
      setPriority(pid, MANAGER_NICE);
      if (existsSync(autogroup)) writeFileSync(autogroup, String(MANAGER_NICE));
    } catch (error) {
      this.#parts.logger.info({ error, pid }, "the manager runs at normal priority");
    }
  }

  #receive(message: FromChild): void {
    switch (message.kind) {
      case "pong":
        this.#unansweredPings = 0;
        return;
      case "socketAck":
        this.#dropSocket(message.seq);
        return;
      case "reply":
        this.#settle(message.seq)?.resolve(message.result);
        return;
      case "replyError": {
        const code = isApiErrorCode(message.code) ? message.code : "Internal";
        this.#settle(message.seq)?.reject(
          new ApiError(code, message.message, { http: message.http }),
        );
        return;
      }
      case "request":
        void this.#answer(message); // reports its own failures to the child
        return;
      case "failed":
        this.#failure = message;
        this.#parts.onReport(message);
        return;
      case "ready":
        this.#isReady = true;
        this.#parts.onReport(message);
        return;
      default:
        this.#parts.onReport(message);
    }
  }

  async #answer(request: MembershipRequest): Promise<void> {
    const { seq } = request;
    try {
      const result = await this.#parts.onRequest(request.op, request.body);
      this.send({ kind: "reply", seq, result });
    } catch (error) {
      const known = error instanceof ApiError ? error : undefined;
      if (known === undefined) {
        this.#parts.logger.error({ op: request.op, error: String(error) }, "request failed");
      }
      this.send({
        kind: "replyError",
        seq,
        code: known?.code ?? "Internal",
        message: error instanceof Error ? error.message : String(error),
        http: known?.http ?? 500,
      });
    }
  }

  #ping(): void {
    const { clock, limits, logger } = this.#parts;
    this.#cancelPing = clock.setTimer(limits.pingPeriodMs, () => {
      // Counted in pings, not in time: after a pause of this very process no child is killed for it.
      if (this.#unansweredPings >= limits.unansweredPingsMax) {
        logger.error({ child: this.name, pid: this.pid }, "child hangs; killing it");
        this.kill();
        return;
      }
      this.#unansweredPings += 1;
      this.send({ kind: "ping", seq: ++this.#seq });
      this.#ping();
    });
  }

  #settle(seq: number): Waiter | undefined {
    const waiter = this.#requests.get(seq);
    this.#requests.delete(seq);
    return waiter;
  }

  /** Ends our half: the connection lives on in a child that acknowledged it, and ends here if it did not. */
  #dropSocket(seq: number): void {
    const unacked = this.#unacked.get(seq);
    if (unacked === undefined) return;
    this.#unacked.delete(seq);
    unacked.cancelTimer();
    unacked.socket.destroy();
    this.#parts.onSocketRoom();
  }

  #end(code: number | null, how: string): ChildExit {
    this.#hasExited = true;
    this.#cancelPing();
    for (const seq of [...this.#unacked.keys()]) this.#dropSocket(seq);
    for (const seq of [...this.#requests.keys()])
      this.#settle(seq)?.reject(new ApiError("Unavailable", `${this.name} ended (${how})`));
    const reason = this.#failure?.reason ?? exitReasonOf(code);
    const message = this.#failure?.message ?? `the ${this.name} program ended (${how})`;
    return { reason, message, uptimeMs: this.#parts.clock.nowMs() - this.#startedAtMs };
  }
}
