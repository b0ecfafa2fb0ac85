/** One session with one dispatcher: hello, heartbeats, statuses up, assignments down. Ends with the reason to dial again. */
import { type NodeDescription, type NodeRole, TASK_STATE } from "../../api/index.js";
import type { Clock, Logger } from "../../base/index.js";
import type { NetworkMessage } from "../core/network/network-queue.js";
import type { StatusQueue } from "../core/status/status-queue.js";
import type { AssignmentMessage } from "../core/task/assignment-set.js";
import type { TaskStatus } from "../core/task/types.js";
import type { DialDispatcher, DispatcherMessage, DispatcherStream } from "./dispatcher-stream.js";
import type { Usage } from "./usage-meter.js";
import { fromTaskStatus, toAssignmentMessage, toNetworkMessage } from "./wire-assignments.js";

export type NodeUpdate = {
  readonly role: NodeRole;
  readonly rootBundlePem: string;
  readonly managers: readonly { readonly nodeId: string; readonly addr: string }[];
  readonly forceRenew: boolean;
};

export type SessionEnd =
  | { readonly kind: "lost"; readonly reason: string }
  | { readonly kind: "redirect"; readonly leaderAddr: string; readonly addrs: readonly string[] }
  /** The cluster no longer knows this node. */
  | { readonly kind: "removed" }
  /** We ended it (leaving, stopping, other identity). */
  | { readonly kind: "closed" };

/** What a session asks of its agent. */
export type SessionHost = {
  readonly hello: () => {
    readonly description: NodeDescription;
    readonly bootId: string;
    readonly assignmentsIndex: number;
    readonly advertiseAddr: string;
  };
  readonly statuses: StatusQueue;
  readonly allStatuses: () => readonly TaskStatus[];
  readonly onUp: () => void;
  /** False on a gap. */
  readonly onAssignments: (message: AssignmentMessage) => boolean;
  /** False on a gap. */
  readonly onNetworks: (message: NetworkMessage) => boolean;
  /** Store index up to which the kernel holds the node's networks; 0: none. */
  readonly networkApplied: () => number;
  /** The latest that was measured; the same object until the next. */
  readonly usage: () => Usage | undefined;
  readonly onNodeUpdate: (update: NodeUpdate) => void;
  readonly onOpenTunnel: (tunnelId: string, managerAddr: string) => void;
};

/** For the first answer, connecting included. */
const WELCOME_WITHIN_MS = 3_000;
/** Heartbeats without an answer before a leader counts as silent. */
const UNANSWERED_MAX = 3;
const DEFAULT_PERIOD_MS = 1_000;
const PERIOD_MIN_MS = 100;
/** Status changes within this time travel together. */
const STATUS_QUIET_MS = 5;
/**
 * Steps on the way to running decide nothing at the managers, and each batch costs every manager a disk write: they wait for the next
 * status that does, or as long as this.
 */
const PROGRESS_QUIET_MS = 100;

export class Session {
  readonly #host: SessionHost;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #stream: DispatcherStream;
  #finish: (end: SessionEnd) => void = () => undefined;
  /** Resolves with why the session is over; never rejects. */
  readonly ended: Promise<SessionEnd>;
  #isUp = false;
  #isOver = false;
  #periodMs = DEFAULT_PERIOD_MS;
  #heartbeatSeq = 0;
  #answeredSeq = 0;
  #cancelTimer: () => void = () => undefined;
  #cancelFlush: (() => void) | undefined;
  #flushDueMs = 0;
  #cancelApplied: (() => void) | undefined;
  #toldApplied = 0;
  #toldUsage: Usage | undefined;

  constructor(options: {
    readonly addr: string;
    readonly dial: DialDispatcher;
    readonly host: SessionHost;
    readonly clock: Clock;
    readonly logger: Logger;
  }) {
    this.#host = options.host;
    this.#clock = options.clock;
    this.#logger = options.logger;
    this.ended = new Promise((resolve) => {
      this.#finish = resolve;
    });
    this.#stream = options.dial(options.addr, {
      onMessage: (message) => this.#receive(message),
      onEnd: (reason) => this.#end({ kind: "lost", reason }),
    });
    const hello = options.host.hello();
    this.#stream.send({
      hello: {
        descriptionJson: Buffer.from(JSON.stringify(hello.description)),
        bootId: hello.bootId,
        assignmentsIndex: hello.assignmentsIndex,
        advertiseAddr: hello.advertiseAddr,
      },
    });
    this.#cancelTimer = this.#clock.setTimer(WELCOME_WITHIN_MS, () => {
      this.#end({ kind: "lost", reason: `no answer within ${WELCOME_WITHIN_MS} ms` });
    });
  }

  get isUp(): boolean {
    return this.#isUp && !this.#isOver;
  }

  /** A status was queued: sends it soon, with all others. */
  statusQueued({ state }: Pick<TaskStatus, "state">): void {
    if (!this.isUp) return;
    const waitMs = state < TASK_STATE.running ? PROGRESS_QUIET_MS : STATUS_QUIET_MS;
    const dueMs = this.#clock.nowMs() + waitMs;
    if (this.#cancelFlush !== undefined && this.#flushDueMs <= dueMs) return;
    this.#cancelFlush?.();
    this.#flushDueMs = dueMs;
    this.#cancelFlush = this.#clock.setTimer(waitMs, () => {
      this.#cancelFlush = undefined;
      this.#flush();
    });
  }

  /** The kernel holds more of the networks than before: told soon, the highest number alone. */
  networksApplied(): void {
    if (!this.isUp || this.#cancelApplied !== undefined) return;
    this.#cancelApplied = this.#clock.setTimer(STATUS_QUIET_MS, () => {
      this.#cancelApplied = undefined;
      this.#tellApplied();
    });
  }

  sendDescription(description: NodeDescription): void {
    if (!this.isUp) return;
    this.#stream.send({
      description: { descriptionJson: Buffer.from(JSON.stringify(description)) },
    });
  }

  tunnelFailed(tunnelId: string, message: string): void {
    if (this.isUp) this.#stream.send({ tunnelFailed: { tunnelId, message } });
  }

  /** Tells the manager that the node leaves on purpose, and ends. */
  leave(): void {
    if (this.isUp) this.#stream.send({ leaving: {} });
    this.close();
  }

  close(): void {
    this.#end({ kind: "closed" });
  }

  #end(end: SessionEnd): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#cancelTimer();
    this.#cancelFlush?.();
    this.#cancelApplied?.();
    this.#stream.close();
    this.#finish(end);
  }

  #receive(message: DispatcherMessage): void {
    if (this.#isOver) return;
    try {
      this.#handle(message);
    } catch (error) {
      this.#logger.error({ error }, "cannot use a message of the dispatcher");
      this.#end({ kind: "lost", reason: error instanceof Error ? error.message : String(error) });
    }
  }

  #handle(message: DispatcherMessage): void {
    if (message.welcome) return this.#welcome(message.welcome.heartbeatPeriodMs ?? 0);
    if (message.redirect) {
      const { leaderAddr, managers } = message.redirect;
      const addrs = (managers ?? []).map((manager) => manager.addr ?? "");
      return this.#end({ kind: "redirect", leaderAddr: leaderAddr ?? "", addrs });
    }
    if (message.removed) return this.#end({ kind: "removed" });
    if (message.heartbeatAck) {
      this.#answeredSeq = message.heartbeatAck.seq ?? 0;
      this.#setPeriod(message.heartbeatAck.heartbeatPeriodMs ?? 0);
      return;
    }
    if (message.statusAck) {
      this.#host.statuses.acknowledge(message.statusAck.seq ?? 0);
      // What waits for a moment goes then; what found too many batches under way goes now.
      if (this.#cancelFlush === undefined) this.#flush();
      return;
    }
    if (message.assignments) {
      if (this.#host.onAssignments(toAssignmentMessage(message.assignments))) return;
      return this.#end({ kind: "lost", reason: "a change of assignments was lost on the way" });
    }
    if (message.networks) {
      if (this.#host.onNetworks(toNetworkMessage(message.networks))) return;
      return this.#end({ kind: "lost", reason: "a change of networks was lost on the way" });
    }
    if (message.nodeUpdate) return this.#nodeUpdate(message.nodeUpdate);
    if (message.openTunnel) {
      const { tunnelId, managerAddr } = message.openTunnel;
      return this.#host.onOpenTunnel(tunnelId ?? "", managerAddr ?? "");
    }
    // A newer manager may say more than we know.
    this.#logger.debug({ message: Object.keys(message) }, "unknown dispatcher message ignored");
  }

  #welcome(periodMs: number): void {
    if (this.#isUp) return;
    this.#isUp = true;
    this.#cancelTimer();
    this.#setPeriod(periodMs);
    this.#host.statuses.restart(this.#host.allStatuses());
    this.#host.onUp();
    this.#flush();
    this.#tellApplied();
    this.#beatLater();
  }

  #nodeUpdate(raw: NonNullable<DispatcherMessage["nodeUpdate"]>): void {
    const role = raw.role;
    if (role !== "worker" && role !== "manager") throw new RangeError(`unknown role ${role}`);
    this.#host.onNodeUpdate({
      role,
      rootBundlePem: raw.rootBundlePem ?? "",
      managers: (raw.managers ?? []).map((manager) => ({
        nodeId: manager.nodeId ?? "",
        addr: manager.addr ?? "",
      })),
      forceRenew: raw.forceRenew ?? false,
    });
  }

  #setPeriod(periodMs: number): void {
    if (periodMs > 0) this.#periodMs = Math.max(PERIOD_MIN_MS, periodMs);
  }

  #beatLater(): void {
    this.#cancelTimer = this.#clock.setTimer(this.#periodMs, () => this.#beat());
  }

  #beat(): void {
    if (this.#heartbeatSeq - this.#answeredSeq >= UNANSWERED_MAX) {
      const reason = `${UNANSWERED_MAX} heartbeats without an answer`;
      return this.#end({ kind: "lost", reason });
    }
    this.#heartbeatSeq += 1;
    const usage = this.#host.usage();
    const isNews = usage !== undefined && usage !== this.#toldUsage;
    this.#toldUsage = usage;
    this.#stream.send({ heartbeat: { seq: this.#heartbeatSeq, ...(isNews && { usage }) } });
    this.#beatLater();
  }

  #tellApplied(): void {
    const index = this.#host.networkApplied();
    if (!this.isUp || index <= this.#toldApplied) return;
    this.#toldApplied = index;
    this.#stream.send({ networkApplied: { index } });
  }

  #flush(): void {
    if (!this.isUp) return;
    for (const batch of this.#host.statuses.take()) {
      this.#stream.send({
        statuses: { seq: batch.seq, statuses: batch.statuses.map(fromTaskStatus) },
      });
    }
  }
}
