import type { SnapshotMeta } from "../core/entry.js";
import { voterIds } from "../core/membership.js";
import type { CoreMessage, Message } from "../core/message.js";
import type { ProposeOutcome, RaftCore, Ready } from "../core/raft-core.js";
import { RaftError } from "../errors.js";
import type {
  LogIndex,
  MemberId,
  MembershipChange,
  RaftEvent,
  RaftNode,
  RaftOptions,
  RaftStatus,
  SnapshotPolicy,
} from "../types.js";
import type { SnapshotReader } from "../wal/snapshot-file.js";
import type { SnapshotStore } from "../wal/snapshot-store.js";
import type { Wal } from "../wal/wal.js";
import { decodeMessage, encodeMessage } from "../wire/message-codec.js";
import { AddressBook } from "./address-book.js";
import { Applier } from "./applier.js";
import { LeadershipWatch } from "./leadership-watch.js";
import { COMMIT_FLUSH_TICKS, LogWriter } from "./log-writer.js";
import type { RaftPorts } from "./ports.js";
import { type ProposalResult, Proposals } from "./proposals.js";
import { ReadBarriers } from "./read-barriers.js";
import {
  DISCONNECT_WAIT_MAX_MS,
  INBOX_MAX,
  INFLIGHT_BYTES_MAX,
  LEADERLESS_TIMEOUTS,
  LOG_MAX_BYTES,
  type Settings,
  snapshotPolicyOf,
} from "./settings.js";
import { SnapshotReceiver } from "./snapshot-receiver.js";
import { SnapshotSender } from "./snapshot-sender.js";
import { Snapshotter } from "./snapshotter.js";
import { TransferWaits } from "./transfer-waits.js";

export type NodeParts = {
  readonly options: RaftOptions;
  readonly settings: Settings;
  readonly ports: RaftPorts;
  readonly core: RaftCore;
  readonly wal: Wal;
  readonly store: SnapshotStore;
  /** What the state machine holds already. */
  readonly restored: SnapshotMeta;
};

type Life =
  | { readonly kind: "running" }
  | { readonly kind: "stopped" }
  | { readonly kind: "failed"; readonly error: RaftError };

/**
 * The loop around the core: collect events, take what is ready, send, persist, apply. Events that arrive in
 * one turn of the event loop share a batch; several batches may be on their way to the disk at once.
 */
export class RaftNodeLoop implements RaftNode {
  readonly #p: NodeParts;
  readonly #core: RaftCore;
  readonly #writer: LogWriter;
  readonly #applier: Applier;
  readonly #proposals = new Proposals();
  readonly #reads: ReadBarriers;
  readonly #transfers = new TransferWaits();
  readonly #snapshotter: Snapshotter;
  readonly #sender: SnapshotSender;
  readonly #receiver: SnapshotReceiver;
  readonly #watch: LeadershipWatch;
  readonly #addresses = new AddressBook();
  readonly #listeners = new Set<(event: RaftEvent) => void>();
  #life: Life = { kind: "running" };
  #inbox: Message[] = [];
  #events: (() => void)[] = [];
  #isTurnPlanned = false;
  #isInTurn = false;
  #tick = 0;
  #cancelTick: (() => void) | undefined;
  #cancelCampaign: (() => void) | undefined;
  #snapshotIndex: number;
  #snapshotPolicy: Pick<Settings, "snapshotEntries" | "keepEntries">;
  #ledTerm: number | undefined;
  #isRemovedTold = false;

  constructor(parts: NodeParts) {
    this.#p = parts;
    this.#core = parts.core;
    this.#snapshotIndex = parts.restored.index;
    this.#snapshotPolicy = parts.settings;
    const { options, store, wal, ports } = parts;
    const { stateMachine: machine, clock, logger } = options;
    const onFailed = (cause: unknown): void => this.#fail("DISK_FAILED", cause);
    this.#writer = new LogWriter(wal, (saved, isAsync) => this.#onSaved(saved, isAsync), onFailed);
    this.#applier = new Applier(machine, clock, parts.restored, {
      onApplied: (entry, result) => this.#proposals.applied(entry.index, entry.term, result),
      onProgress: () => this.#onApplied(),
      onFailed: (cause) => this.#fail("STOPPED", cause),
      defer: ports.defer,
    });
    this.#reads = new ReadBarriers(randomRequestId(options.random.bytes(6)));
    this.#watch = new LeadershipWatch(clock.nowMs());
    this.#snapshotter = new Snapshotter({
      machine,
      store,
      wal,
      logger,
      onSaved: (meta) => this.#core.snapshotSaved(meta, this.#snapshotPolicy.keepEntries),
    });
    this.#sender = new SnapshotSender({
      open: (meta) => store.open(meta.index),
      send: (to, chunk) =>
        this.#send({ ...chunk, ...this.#envelope(to), context: this.#ownContext() }),
      onDone: (to, isInstalled) => {
        this.#core.snapshotSent(to, isInstalled);
        this.#plan();
      },
      onError: (cause) => logger.warn({ cause }, "snapshot transfer failed"),
    });
    this.#receiver = new SnapshotReceiver(store, {
      commit: () => this.#core.commit,
      ack: (to, index, nextOffset, refused) =>
        void this.#send({ ...this.#envelope(to), kind: "snapshotAck", index, nextOffset, refused }),
      onComplete: (meta) => this.#install(meta),
      onError: (cause) => logger.warn({ cause }, "snapshot reception failed"),
    });
  }

  /** Starts ticking and handles what the stored state makes ready. */
  start(): void {
    this.#armTick();
    // Alone there is nobody whose leadership a wait would protect.
    const [first, ...others] = voterIds(this.#core.membership);
    this.#turn(() => {
      if (first === this.#core.id && others.length === 0) this.#core.campaign();
    });
  }

  // ---- what the embedder calls ----

  async propose(data: Uint8Array, signal?: AbortSignal): Promise<ProposalResult> {
    this.#requireRunning();
    const { proposalMaxBytes, inflightMax } = this.#p.settings;
    if (data.length > proposalMaxBytes) {
      throw new RaftError(
        "TOO_LARGE",
        `a proposal of ${data.length} bytes exceeds ${proposalMaxBytes}`,
      );
    }
    if (signal?.aborted)
      throw new RaftError("TIMEOUT", "the caller gave up", { cause: signal.reason });
    const { count, sizeBytes } = this.#proposals;
    if (count >= inflightMax || sizeBytes + data.length > INFLIGHT_BYTES_MAX) {
      throw new RaftError("OVERLOADED", `${count} proposals of ${sizeBytes} bytes are in flight`);
    }
    return this.#await(this.#core.propose(data), data.length, signal);
  }

  async changeMembership(change: MembershipChange, signal?: AbortSignal): Promise<LogIndex> {
    this.#requireRunning();
    if (signal?.aborted)
      throw new RaftError("TIMEOUT", "the caller gave up", { cause: signal.reason });
    return (await this.#await(this.#core.proposeChange(change), 0, signal)).index;
  }

  async readBarrier(signal?: AbortSignal): Promise<LogIndex> {
    this.#requireRunning();
    if (signal?.aborted)
      throw new RaftError("TIMEOUT", "the reader gave up", { cause: signal.reason });
    if (this.#isLeaderlessTooLong()) throw this.#notLeader("no leader is known");
    const barrier = this.#reads.wait(this.#tick, signal);
    this.#plan();
    return barrier;
  }

  async transferLeadership(to?: MemberId, signal?: AbortSignal): Promise<void> {
    this.#requireRunning();
    if (signal?.aborted)
      throw new RaftError("TIMEOUT", "the caller gave up", { cause: signal.reason });
    if (this.#core.role !== "leader") throw this.#notLeader("only the leader can hand over");
    const successor = this.#core.transferLeadership(to);
    if (successor === undefined) {
      throw new RaftError(
        "MEMBERSHIP_REFUSED",
        `${to ?? "nobody"} cannot take over: no reachable voter`,
      );
    }
    this.#p.options.logger.info(
      { to: successor, term: this.#core.term },
      "handing over leadership",
    );
    const handedOver = this.#transfers.wait(signal);
    this.#plan();
    return handedOver;
  }

  receive(from: MemberId, bytes: Uint8Array): void {
    if (this.#life.kind !== "running") return;
    if (this.#inbox.length >= INBOX_MAX) return; // Raft repeats what matters.
    let message: Message;
    try {
      message = decodeMessage(from, bytes);
    } catch (cause) {
      this.#p.options.logger.warn({ from, cause }, "undecodable message dropped");
      return;
    }
    if (message.to !== this.#p.options.id) return;
    this.#inbox.push(message);
    this.#plan();
  }

  peerDisconnected(peer: MemberId): void {
    if (this.#life.kind !== "running") return;
    this.#turn(() => {
      // What arrived before the connection broke was drained first.
      if (this.#core.peerLost(peer)) this.#planCampaign();
    });
  }

  status(): RaftStatus {
    const core = this.#core;
    const id = this.#p.options.id;
    const isVoter = voterIds(core.membership).includes(id);
    const role = core.isRemoved ? "removed" : isVoter ? core.role : "learner";
    return {
      id,
      role,
      term: core.term,
      leader: core.leader,
      commit: core.commit,
      applied: this.#applier.applied,
      members: core.membership.members,
      progress: core.progress(),
      leaderlessMs: this.#watch.leaderlessMs(this.#p.options.clock.nowMs()),
      keyIds: [...new Set([...this.#p.wal.keyIds, ...this.#p.store.keyIds])],
    };
  }

  subscribe(listener: (event: RaftEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  async snapshotNow(): Promise<LogIndex> {
    this.#requireRunning();
    const meta = this.#applier.position();
    if (meta === undefined || this.#snapshotter.isRunning) {
      throw new RaftError("OVERLOADED", "a snapshot is being taken or restored");
    }
    if (meta.index <= this.#snapshotIndex) return meta.index;
    this.#snapshotIndex = meta.index;
    return this.#snapshotter.start(meta);
  }

  setSnapshotPolicy(policy: SnapshotPolicy): void {
    this.#snapshotPolicy = snapshotPolicyOf(policy);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#life.kind === "running") this.#stopLoop({ kind: "stopped" }, "the node stopped");
    await Promise.allSettled([
      this.#snapshotter.stop(),
      this.#receiver.stop(),
      this.#applier.stop(),
    ]);
    await this.#writer.stop();
    await this.#p.wal.close();
  }

  // ---- the loop ----

  /** Handles events after those waiting now, all in one batch. */
  #plan(): void {
    if (this.#isTurnPlanned) return;
    this.#isTurnPlanned = true;
    this.#p.ports.defer(() => {
      this.#isTurnPlanned = false;
      this.#turn();
    });
  }

  /** One turn: inbox, then `event`, then everything that became ready. Called within a turn, it waits for the next. */
  #turn(event?: () => void): void {
    if (this.#life.kind !== "running") return;
    if (event !== undefined) this.#events.push(event);
    if (this.#isInTurn) return this.#plan();
    this.#isInTurn = true;
    try {
      this.#drainInbox();
      for (const next of this.#events.splice(0)) next();
      this.#work();
    } catch (cause) {
      this.#fail("STOPPED", cause);
    } finally {
      this.#isInTurn = false;
    }
  }

  #work(): void {
    for (;;) {
      this.#reads.flush(this.#tick, (requestId) => this.#core.requestRead(requestId));
      if (!this.#core.hasReady()) break;
      this.#handle(this.#core.ready());
      if (this.#life.kind !== "running") return;
    }
    this.#observe();
  }

  #handle(ready: Ready): void {
    for (const message of ready.messages) this.#sendCore(message);
    if (ready.membership !== undefined) this.#membershipChanged();
    this.#writer.submit(ready);
    if (ready.snapshot !== undefined) this.#restore(ready.snapshot);
    this.#applier.apply(ready.committedEntries);
    for (const { requestId, index } of ready.readStates) this.#reads.answered(requestId, index);
    for (const requestId of ready.readsRefused) this.#reads.retry(requestId);
    this.#reads.applied(this.#applier.applied);
    // Errors end the transfer inside.
    for (const { to, meta } of ready.snapshotSends) void this.#sender.start(to, meta);
  }

  #onSaved(saved: readonly Ready[], isAsync: boolean): void {
    const advance = (): void => {
      for (const ready of saved) {
        for (const message of ready.messagesAfterSave) {
          if (message.to !== this.#p.options.id) this.#sendCore(message);
        }
        this.#core.advance(ready);
      }
    };
    // A flush that completed within submit() is inside a turn already.
    if (isAsync && !this.#isInTurn) this.#turn(advance);
    else advance();
  }

  #onApplied(): void {
    this.#reads.applied(this.#applier.applied);
    if (this.#isInTurn) return;
    this.#turn();
  }

  #drainInbox(): void {
    const messages = this.#inbox;
    if (messages.length === 0) return;
    this.#inbox = [];
    for (const message of messages) this.#step(message);
  }

  #step(message: Message): void {
    if (message.kind === "snapshotAck") {
      void this.#sender.acknowledged(message); // Errors end the transfer inside.
      return;
    }
    if ("context" in message) this.#addresses.introduce(message.from, message.context);
    if (message.kind === "snapshotChunk") this.#receiver.receive(message);
    else this.#core.step(message);
  }

  // ---- time ----

  #armTick(): void {
    const { clock } = this.#p.options;
    const dueMs = clock.nowMs() + this.#p.settings.tickMs;
    this.#cancelTick = clock.setTimer(this.#p.settings.tickMs, () => {
      this.#armTick();
      // After a stall Node runs timers before the messages that waited: let those in first.
      const isLate = clock.nowMs() - dueMs > this.#p.settings.tickMs / 2;
      const deliver = (): void => {
        this.#p.options.onTick?.(Math.max(0, clock.nowMs() - dueMs));
        this.#turn(() => this.#onTick());
      };
      this.#p.ports.defer(isLate ? () => this.#p.ports.defer(deliver) : deliver);
    });
  }

  #onTick(): void {
    this.#tick++;
    this.#core.tick();
    if (this.#tick % COMMIT_FLUSH_TICKS === 0) this.#writer.flushCommit();
    this.#sender.tick();
    this.#reads.tick(this.#tick);
    if (!this.#reads.isEmpty && this.#isLeaderlessTooLong()) {
      this.#reads.failWaiting(this.#notLeader("no leader is known"));
    }
    this.#maybeSnapshot();
  }

  /** Random, so that two followers that lost the same leader do not split the vote. */
  #planCampaign(): void {
    const waitMs = this.#p.options.random.float() * DISCONNECT_WAIT_MAX_MS;
    this.#cancelCampaign?.();
    this.#cancelCampaign = this.#p.options.clock.setTimer(waitMs, () => {
      this.#cancelCampaign = undefined;
      this.#p.ports.defer(() => this.#turn(() => this.#core.campaign()));
    });
  }

  #isLeaderlessTooLong(): boolean {
    const { electionTicks, tickMs } = this.#p.settings;
    const limitMs = LEADERLESS_TIMEOUTS * electionTicks * tickMs;
    return this.#watch.leaderlessMs(this.#p.options.clock.nowMs()) >= limitMs;
  }

  // ---- snapshots ----

  #maybeSnapshot(): void {
    const since = this.#applier.applied - this.#snapshotIndex;
    if (since < this.#snapshotPolicy.snapshotEntries && this.#core.logSizeBytes < LOG_MAX_BYTES)
      return;
    const meta = this.#applier.position();
    if (since <= 0 || meta === undefined || this.#snapshotter.isRunning) return;
    this.#snapshotIndex = meta.index;
    this.#snapshotter.start(meta).catch((cause: unknown) => {
      // Not fatal: the log is still complete. The next one is tried after as many entries again.
      this.#p.options.logger.error({ cause, index: meta.index }, "snapshot failed");
    });
  }

  /** A leader's snapshot is on disk. */
  #install(meta: SnapshotMeta): void {
    this.#turn(() => {
      const isReplacing = this.#core.installSnapshot(meta);
      this.#p.options.logger.info({ index: meta.index, isReplacing }, "snapshot received");
    });
  }

  #restore(meta: SnapshotMeta): void {
    this.#snapshotIndex = Math.max(this.#snapshotIndex, meta.index);
    this.#applier.restore(meta, async () => {
      const reader: SnapshotReader = await this.#p.store.open(meta.index);
      try {
        await this.#p.options.stateMachine.restore(reader.chunks());
      } finally {
        await reader.close();
      }
      await this.#snapshotter.prune();
    });
  }

  // ---- sending ----

  #sendCore(message: CoreMessage): void {
    if (!this.#send(message)) this.#core.peerUnreachable(message.to);
  }

  #send(message: Message): boolean {
    if (this.#life.kind !== "running") return false;
    const member = this.#addresses.find(message.to, this.#core.membership);
    return this.#p.options.transport.send(member, encodeMessage(message));
  }

  #envelope(to: MemberId): Pick<Message, "from" | "to" | "term"> {
    return { from: this.#p.options.id, to, term: this.#core.term };
  }

  #ownContext(): Uint8Array {
    const id = this.#p.options.id;
    return this.#addresses.find(id, this.#core.membership).context;
  }

  // ---- consequences ----

  #membershipChanged(): void {
    const { members } = this.#core.membership;
    if (members.length > 0) {
      const id = this.#p.options.id;
      this.#p.options.transport.setPeers(members.filter((member) => member.id !== id));
      this.#publish({ kind: "membership", members });
    }
    if (!this.#core.isRemoved || this.#isRemovedTold) return;
    this.#isRemovedTold = true;
    this.#p.options.logger.info({ id: this.#p.options.id }, "removed from the group");
    this.#reads.failAll(new RaftError("REMOVED", "this member was removed from the group"));
    this.#publish({ kind: "removed" });
  }

  /** After each turn: what changed in leadership, and who must be told. */
  #observe(): void {
    const core = this.#core;
    const ledTerm = core.role === "leader" ? core.term : undefined;
    if (this.#ledTerm !== undefined && ledTerm !== this.#ledTerm) {
      this.#proposals.failAll("leadership was lost", core.leader);
      this.#sender.abortAll();
    }
    this.#ledTerm = ledTerm;
    const { logger, clock } = this.#p.options;
    const event = this.#watch.observe(core, this.#applier.applied, clock.nowMs());
    this.#transfers.observe(core);
    if (event === undefined) return;
    logger.info({ ...event, id: core.id }, "leadership");
    this.#reads.retry(); // The one asked may be gone.
    this.#plan();
    this.#publish(event);
  }

  #publish(event: RaftEvent): void {
    for (const listener of [...this.#listeners]) listener(event);
  }

  #await(
    outcome: ProposeOutcome,
    sizeBytes: number,
    signal?: AbortSignal,
  ): Promise<ProposalResult> {
    switch (outcome.kind) {
      case "notLeader":
        throw this.#notLeader("this member does not lead");
      case "refused":
        throw new RaftError("MEMBERSHIP_REFUSED", outcome.why);
      case "appended":
        this.#plan();
        return this.#proposals.wait(outcome.index, outcome.term, sizeBytes, signal);
    }
  }

  #notLeader(why: string): RaftError {
    const { leader, id } = this.#core;
    return new RaftError("NOT_LEADER", why, { leader: leader === id ? undefined : leader });
  }

  #requireRunning(): void {
    if (this.#life.kind === "failed") throw this.#life.error;
    if (this.#life.kind === "stopped") throw new RaftError("STOPPED", "the node is stopped");
    if (this.#core.isRemoved)
      throw new RaftError("REMOVED", "this member was removed from the group");
  }

  #fail(code: "DISK_FAILED" | "STOPPED", cause: unknown): void {
    if (this.#life.kind !== "running") return;
    const what = cause instanceof Error ? cause.message : String(cause);
    const why = code === "DISK_FAILED" ? `the log cannot be written: ${what}` : what;
    const isDamage = cause instanceof RaftError && cause.code === "DAMAGED";
    const error = isDamage ? cause : new RaftError(code, why, { cause });
    this.#p.options.logger.error({ cause, id: this.#core.id }, "raft stopped by a failure");
    this.#writer.abandon();
    this.#stopLoop({ kind: "failed", error }, why);
    this.#publish({ kind: "failed", error });
  }

  #stopLoop(life: Life, why: string): void {
    this.#life = life;
    this.#cancelTick?.();
    this.#cancelCampaign?.();
    const cause = life.kind === "failed" ? life.error : undefined;
    this.#proposals.failAll(why, undefined, cause);
    this.#reads.failAll(cause ?? new RaftError("STOPPED", why));
    this.#transfers.failAll(cause ?? new RaftError("STOPPED", why));
    this.#sender.abortAll();
  }
}

function randomRequestId(bytes: Uint8Array): number {
  let id = 0;
  for (const byte of bytes.subarray(0, 6)) id = id * 256 + byte;
  return id;
}
