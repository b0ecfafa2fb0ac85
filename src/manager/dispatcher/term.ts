import { status } from "@grpc/grpc-js";
import {
  type Change,
  type ManagerAddr,
  type Node,
  readTaskStatus,
  safeUint,
  sameSpec,
  type swarm,
} from "../../api/index.js";
import { ApiError, newId } from "../../base/index.js";
import type { StoreBatch, StoreEvent } from "../../store/index.js";
import type { LeaderContext, NodeUsage } from "../port.js";
import { isDenied, type KnownCaller, serviceError } from "../rpc/index.js";
import { AgentSession, type SessionCall, type SessionSource } from "./agent-session.js";
import { CHECK_PERIOD_MS, NodeSessions } from "./core/sessions.js";
import { judgeStatus } from "./core/status-rules.js";
import { readDescription, redirectMessage, withKnownTunnel } from "./messages.js";
import { NodeUsages } from "./node-usages.js";
import { registrationChange } from "./registration.js";
import { StatusWriter } from "./status-writer.js";
import { TermNetworks } from "./term-networks.js";

/** Of the cluster setting, in ms; used until the cluster object says otherwise. */
export const HEARTBEAT_PERIOD_DEFAULT_MS = 1000;
/** Heartbeats spread by this share of the period, so that agents do not beat in step. */
export const HEARTBEAT_JITTER = 0.1;
/** Tunnels that agents were told of and have not come back about. */
const TUNNEL_ANSWER_MS = 5000;
const NS_PER_MS = 1_000_000;

type TermParts = LeaderContext & {
  readonly managers: () => readonly ManagerAddr[];
  readonly leaderAddr: () => string | undefined;
  /** A linearizable look: before a node is told that it was removed. */
  readonly readBarrier: (signal: AbortSignal) => Promise<unknown>;
  /** So many nodes did not confirm a change of their networks in time. */
  readonly onLate: (nodeCount: number) => void;
  /** What agents may lose by managers that are silent for good, before they come to this one. */
  readonly detourMs: number;
};

/** The dispatcher while this manager leads. Its knowledge of sessions lives and ends with the term. */
export class DispatcherTerm {
  readonly #parts: TermParts;
  readonly #sessions: NodeSessions;
  readonly #writer: StatusWriter;
  /** By node id: the stream of the node's present session. */
  readonly #streams = new Map<string, AgentSession>();
  readonly #tunnels = new Map<string, { nodeId: string; failed: (message: string) => void }>();
  readonly #dirty = new Set<AgentSession>();
  readonly #networks: TermNetworks;
  readonly #usages = new NodeUsages();
  readonly #source: SessionSource;
  #isFlushScheduled = false;

  constructor(parts: TermParts) {
    this.#parts = parts;
    this.#sessions = new NodeSessions(parts.clock.nowMs(), this.#periodMs());
    this.#writer = new StatusWriter(parts);
    this.#networks = new TermNetworks({
      ...parts,
      sessions: this.#streams,
      markDirty: (session) => {
        this.#markDirty(session);
      },
      scheduleFlush: () => {
        this.#scheduleFlush();
      },
      write: (changes) => this.#writer.write(changes),
    });
    this.#source = {
      view: parts.store,
      managers: parts.managers,
      networksOf: this.#networks.stateOf,
    };
  }

  async run(): Promise<void> {
    const { store, clock, signal } = this.#parts;
    const known = store.nodes().filter((node) => node.state !== "down");
    this.#sessions.expect(
      known.map((node) => node.id),
      clock.nowMs(),
      this.#parts.detourMs,
    );
    const unsubscribe = store.subscribe((batch) => {
      this.#onBatch(batch);
    });
    const onAbort = (): void => {
      this.#close();
    };
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      await Promise.all([this.#writer.run(signal), this.#watchDeadlines()]);
    } finally {
      unsubscribe();
      signal.removeEventListener("abort", onAbort);
      this.#close();
    }
  }

  /** A node's first message has come. Resolves with its session; the stream was ended otherwise. */
  async register(
    call: SessionCall,
    caller: KnownCaller,
    hello: swarm.dispatcher.IHello,
  ): Promise<AgentSession | undefined> {
    const { store, clock, random, logger, signal } = this.#parts;
    const { nodeId } = caller.peer;
    const node = await this.#knownNode(nodeId);
    if (signal.aborted) throw serviceError(status.UNAVAILABLE, "leadership was lost");
    if (node === undefined) {
      logger.info({ nodeId, from: caller.remoteIp }, "a removed node asked for a session");
      call.write({ removed: {} });
      call.end();
      return undefined;
    }
    const change = registrationChange(node, caller.remoteIp, hello);
    const session = new AgentSession(nodeId, newId(random), call);
    const outcome = this.#sessions.register(nodeId, session.sessionId, clock.nowMs());
    if (outcome.kind === "refused") throw serviceError(status.UNAVAILABLE, outcome.reason);
    this.#streams.get(nodeId)?.fail(serviceError(status.ABORTED, "replaced by a newer session"));
    this.#streams.set(nodeId, session);
    try {
      if (change !== undefined) await this.#writer.write([change]);
    } catch (error) {
      this.disconnected(session);
      throw serviceError(status.UNAVAILABLE, `registration was not committed: ${String(error)}`);
    }
    // Meanwhile the node may have come again, or gone.
    const now = store.node(nodeId);
    if (
      !this.#sessions.isCurrent(nodeId, session.sessionId) ||
      now === undefined ||
      call.cancelled
    ) {
      this.disconnected(session);
      return undefined;
    }
    this.#networks.sessionBegins(nodeId);
    this.#networks.distribute();
    session.welcome(this.#jitteredPeriodMs(), now, this.#source);
    logger.debug({ nodeId, sessionId: session.sessionId }, "session established");
    return session;
  }

  message(session: AgentSession, message: swarm.dispatcher.AgentMessage): void {
    if (message.heartbeat) this.#heartbeat(session, message.heartbeat);
    else if (message.statuses) this.#statuses(session, message.statuses);
    else if (message.description) this.#description(session, message.description);
    else if (message.leaving) this.#leaving(session);
    else if (message.networkApplied) this.#networkApplied(session, message.networkApplied);
    else if (message.tunnelFailed) {
      const { tunnelId, message: text } = message.tunnelFailed;
      const tunnel = this.#tunnels.get(tunnelId ?? "");
      if (tunnel?.nodeId === session.nodeId) tunnel.failed(text ?? "");
    }
  }

  /** The stream is gone. The node is judged by its heartbeats alone, so nothing else changes. */
  disconnected(session: AgentSession): void {
    if (this.#streams.get(session.nodeId) === session) {
      this.#streams.delete(session.nodeId);
      this.#networks.sessionEnded(session.nodeId);
    }
    this.#dirty.delete(session);
  }

  /**
   * Tells the node to dial `managerAddr`. Rejects with ApiError when it has no session or says that it cannot; resolves when it
   * had its time and said nothing (then it has dialled, or it hangs).
   */
  openTunnel(
    nodeId: string,
    tunnelId: string,
    managerAddr: string,
    signal: AbortSignal,
  ): Promise<void> {
    const session = this.#streams.get(nodeId);
    if (session === undefined) {
      return Promise.reject(
        new ApiError("Unavailable", `node ${nodeId} is not connected to the cluster's leader`),
      );
    }
    return new Promise<void>((resolve, reject) => {
      const failed = (message: string): void => {
        stopTimer();
        reject(new ApiError("Unavailable", `node ${nodeId} could not connect: ${message}`));
      };
      const stopTimer = this.#parts.clock.setTimer(TUNNEL_ANSWER_MS, resolve);
      signal.addEventListener("abort", () => resolve(), { once: true });
      this.#tunnels.set(tunnelId, { nodeId, failed });
      session.send({ openTunnel: { tunnelId, managerAddr } });
    }).finally(() => this.#tunnels.delete(tunnelId));
  }

  /** What containers use, by node, as far as it was told lately. */
  usages(): readonly NodeUsage[] {
    return this.#usages.recent(this.#parts.clock.wallMs());
  }

  #heartbeat(session: AgentSession, { seq, usage }: swarm.dispatcher.IHeartbeat): void {
    const { clock, logger } = this.#parts;
    const beat = this.#sessions.heartbeat(session.nodeId, session.sessionId, clock.nowMs());
    if (beat === "unknown") {
      session.fail(serviceError(status.ABORTED, "this session has ended; register again"));
      return;
    }
    if (beat === "revived") {
      logger.info({ nodeId: session.nodeId }, "node is back");
      this.#writeNode({ nodeId: session.nodeId, state: "ready", stateMessage: "" });
    }
    if (usage) this.#usages.put(session.nodeId, usage, clock.wallMs());
    session.send({ heartbeatAck: { seq: seq ?? 0, heartbeatPeriodMs: this.#jitteredPeriodMs() } });
  }

  #statuses(session: AgentSession, batch: swarm.dispatcher.IStatusBatch): void {
    if (this.#writer.isFull) {
      session.fail(serviceError(status.RESOURCE_EXHAUSTED, "too many statuses wait; send later"));
      return;
    }
    const { store, clock, logger } = this.#parts;
    const nowMs = clock.wallMs();
    const changes: Change[] = [];
    for (const message of batch.statuses ?? []) {
      const report = readTaskStatus(message);
      const verdict = judgeStatus(report, store.task(report.taskId), session.nodeId);
      if (verdict === "write") {
        // A node's clock may be ahead; no time in the store is later than its write.
        changes.push({ kind: "taskStatus", ...report, atMs: Math.min(report.atMs, nowMs) });
      } else if (verdict === "reject") {
        const { taskId, state } = report;
        logger.warn({ nodeId: session.nodeId, taskId, state }, "status of a foreign task rejected");
      }
    }
    session.ackWhen(this.#writer.write(changes), batch.seq ?? 0);
  }

  #description(session: AgentSession, message: swarm.dispatcher.IDescription): void {
    const read = readDescription(message.descriptionJson ?? new Uint8Array());
    const node = this.#parts.store.node(session.nodeId);
    const description = withKnownTunnel(read, node?.description);
    if (node === undefined || sameSpec(node.description, description)) return;
    this.#writeNode({ nodeId: session.nodeId, description });
  }

  #networkApplied(session: AgentSession, message: swarm.dispatcher.INetworkApplied): void {
    // A stream that was replaced tells of a kernel that may have been restarted since.
    if (this.#streams.get(session.nodeId) !== session) return;
    const index = safeUint(message.index ?? 0, "network_applied.index");
    this.#networks.applied(session.nodeId, index);
  }

  #leaving(session: AgentSession): void {
    const { logger } = this.#parts;
    logger.info({ nodeId: session.nodeId }, "node leaves");
    this.#sessions.forget(session.nodeId);
    const change: Change = {
      kind: "nodeStatus",
      nodeId: session.nodeId,
      state: "down",
      stateMessage: "node left the swarm",
    };
    // Either way the stream ends; a lost write is repeated by the deadline of the next leader.
    const end = (): void => session.end();
    this.#writer.write([change]).then(end, end);
  }

  async #watchDeadlines(): Promise<void> {
    const { store, clock, logger, signal } = this.#parts;
    while (!signal.aborted) {
      await clock.sleep(CHECK_PERIOD_MS, signal);
      this.#sessions.setPeriod(this.#periodMs());
      for (const nodeId of this.#sessions.expire(clock.nowMs())) {
        const node = store.node(nodeId);
        if (node === undefined) this.#sessions.forget(nodeId);
        else if (node.state !== "down") {
          logger.warn({ nodeId }, "node is down: its heartbeats stopped");
          this.#writeNode({ nodeId, state: "down", stateMessage: "heartbeat failure" });
        }
      }
    }
  }

  #writeNode(fields: Omit<Extract<Change, { kind: "nodeStatus" }>, "kind">): void {
    this.#writer.write([{ kind: "nodeStatus", ...fields }]).catch(() => {
      // Leadership is being lost: the next leader finds out by itself.
    });
  }

  #onBatch(batch: StoreBatch): void {
    this.#networks.observe(batch);
    if (batch.kind === "restored") {
      for (const session of this.#streams.values()) {
        session.nodeChanged();
        session.sendComplete(this.#parts.store);
        this.#markDirty(session);
      }
      return;
    }
    for (const event of batch.events) this.#onEvent(event);
  }

  #onEvent(event: StoreEvent): void {
    if (event.table === "task") {
      const task = event.kind === "removed" ? event.old : event.object;
      const session = this.#streams.get(task.nodeId);
      if (session === undefined) return;
      session.taskChanged(task.id);
      this.#markDirty(session);
    } else if (event.table === "node") this.#onNodeEvent(event);
    else if (event.table === "cluster") this.#allNodesChanged();
  }

  #onNodeEvent(event: Extract<StoreEvent, { table: "node" }>): void {
    if (event.kind === "removed") {
      this.#sessions.forget(event.old.id);
      this.#streams.get(event.old.id)?.end({ removed: {} });
      this.#streams.delete(event.old.id);
      this.#usages.forget(event.old.id);
    }
    const before = event.kind === "created" ? undefined : event.old.manager;
    const after = event.kind === "removed" ? undefined : event.object.manager;
    if (before?.addr !== after?.addr) this.#allNodesChanged();
    if (event.kind !== "updated") return;
    this.#contradict(event.object);
    const session = this.#streams.get(event.object.id);
    if (session === undefined) return;
    session.nodeChanged();
    this.#markDirty(session);
  }

  /** It came again while its end was on its way to the log: nothing else would ever say that it is back. */
  #contradict({ id: nodeId, state }: Node): void {
    if (state === "down" && this.#sessions.isLive(nodeId))
      this.#writeNode({ nodeId, state: "ready", stateMessage: "" });
  }

  #allNodesChanged(): void {
    for (const session of this.#streams.values()) {
      session.nodeChanged();
      this.#markDirty(session);
    }
  }

  /** Changes of one turn of the event loop go out together, at its end. */
  #markDirty(session: AgentSession): void {
    this.#dirty.add(session);
    this.#scheduleFlush();
  }

  #scheduleFlush(): void {
    if (this.#isFlushScheduled) return;
    this.#isFlushScheduled = true;
    setImmediate(() => {
      this.#networks.distribute();
      this.#isFlushScheduled = false;
      for (const dirty of this.#dirty) {
        this.#dirty.delete(dirty);
        dirty.flush(this.#source, () => this.#markDirty(dirty));
      }
    });
  }

  /** The node, if it belongs to the cluster. Asked twice: a deposed leader must not tell a new node that it was removed. */
  async #knownNode(nodeId: string): Promise<Node | undefined> {
    const { store, signal } = this.#parts;
    const look = (): Node | undefined => (isDenied(nodeId, store) ? undefined : store.node(nodeId));
    const node = look();
    if (node !== undefined) return node;
    try {
      await this.#parts.readBarrier(signal);
    } catch (error) {
      throw serviceError(status.UNAVAILABLE, `cannot look the node up now: ${String(error)}`);
    }
    return look();
  }

  #close(): void {
    const { leaderAddr, managers } = this.#parts;
    for (const session of this.#streams.values())
      session.end(redirectMessage(leaderAddr(), managers()));
    this.#streams.clear();
    this.#dirty.clear();
    this.#networks.close();
  }

  #periodMs(): number {
    const ns = this.#parts.store.cluster()?.spec.Dispatcher.HeartbeatPeriod ?? 0;
    return ns > 0 ? Math.max(1, ns / NS_PER_MS) : HEARTBEAT_PERIOD_DEFAULT_MS;
  }

  #jitteredPeriodMs(): number {
    const spread = (this.#parts.random.float() * 2 - 1) * HEARTBEAT_JITTER;
    return Math.round(this.#periodMs() * (1 + spread));
  }
}
