import type { Change, Task } from "../../api/index.js";
import type { Clock, Logger } from "../../base/index.js";
import type { NetworkState } from "../../overlay-net/core/index.js";
import type { Store, StoreBatch } from "../../store/index.js";
import type { AgentSession } from "./agent-session.js";
import { EndpointPhases, type PhaseFacts } from "./core/endpoint-phases.js";
import { NetworkFeed } from "./core/network-feed.js";

/** Late nodes that a log line names. */
const NAMED_MAX = 10;
/** Phases that could not be written are decided anew after this. */
const RETRY_MS = 100;
/** A node whose session ended is expected back within this: its containers go on sending meanwhile. */
export const RETURN_WITHIN_MS = 1000;

type Parts = {
  readonly store: Store;
  readonly clock: Clock;
  readonly logger: Logger;
  /** By node id. */
  readonly sessions: ReadonlyMap<string, AgentSession>;
  /** The session has something to send. */
  readonly markDirty: (session: AgentSession) => void;
  /** Calls `distribute` soon. */
  readonly scheduleFlush: () => void;
  readonly write: (changes: readonly Change[]) => Promise<void>;
  /** So many nodes were waited for in vain. */
  readonly onLate: (nodeCount: number) => void;
};

/** Networks in one leadership term: what nodes are told, what they have confirmed, and what follows for tasks. */
export class TermNetworks {
  readonly #parts: Parts;
  readonly #feed: NetworkFeed;
  readonly #phases = new EndpointPhases();
  /**
   * When sessions ended, by node: undefined while one is there. Nodes that had none in this term are still expected, as long as they
   * are ready.
   */
  readonly #endedAtMs = new Map<string, number | undefined>();
  #ingressId: string | undefined;
  #isDecisionDue = false;
  #isClosed = false;
  #stopTimer: () => void = () => undefined;
  #timerAtMs: number | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#feed = new NetworkFeed(parts.store);
    this.#reset();
  }

  /** Called for each applied entry. */
  observe(batch: StoreBatch): void {
    const { scheduleFlush, clock } = this.#parts;
    if (batch.kind === "restored") {
      this.#feed.reset();
      this.#reset();
      scheduleFlush();
      return;
    }
    if (this.#feed.observe(batch.events)) scheduleFlush();
    for (const event of batch.events) {
      if (event.table === "task") {
        const old = event.kind === "created" ? undefined : event.old;
        const now = event.kind === "removed" ? undefined : event.object;
        if (isOnNone(old) && isOnNone(now)) continue;
        this.#phases.observe(old, now, batch.index, clock.nowMs());
        this.#decideSoon();
      } else if (event.table === "network") {
        this.#ingressId = this.#findIngress();
        this.#decideSoon();
      } else if (event.table === "node") {
        if (event.kind === "removed") this.#forget(event.old.id);
        this.#decideSoon();
      }
    }
  }

  /** Hands sessions what came since the last time; before any of them sends. */
  distribute(): void {
    const { sessions, markDirty } = this.#parts;
    const news = this.#feed.take();
    if (news.kind === "complete") {
      for (const session of sessions.values()) {
        session.networksChanged("complete");
        markDirty(session);
      }
      return;
    }
    for (const [nodeId, delta] of news.byNode) {
      const session = sessions.get(nodeId);
      if (session === undefined) continue;
      session.networksChanged(delta);
      markDirty(session);
    }
  }

  /** After `distribute`. */
  readonly stateOf = (nodeId: string): NetworkState => this.#feed.complete(nodeId);

  /** The node's session begins: its kernel's number comes anew. */
  sessionBegins(nodeId: string): void {
    this.#endedAtMs.set(nodeId, undefined);
    this.#phases.forget(nodeId);
  }

  /** The node is expected back for a moment; then nobody waits for it. */
  sessionEnded(nodeId: string): void {
    const { clock } = this.#parts;
    if (!this.#endedAtMs.has(nodeId)) return;
    this.#endedAtMs.set(nodeId, clock.nowMs());
    clock.setTimer(RETURN_WITHIN_MS, () => {
      this.#decideSoon();
    });
  }

  applied(nodeId: string, index: number): void {
    if (this.#phases.applied(nodeId, index)) this.#decideSoon();
  }

  close(): void {
    this.#isClosed = true;
    this.#stopTimer();
  }

  #reset(): void {
    const { store, clock } = this.#parts;
    this.#ingressId = this.#findIngress();
    this.#phases.reset(store.tasks(), clock.nowMs());
    this.#decideSoon();
  }

  #findIngress(): string | undefined {
    return this.#parts.store.networks().find(({ spec }) => spec.Ingress === true)?.id;
  }

  #forget(nodeId: string): void {
    this.#endedAtMs.delete(nodeId);
    this.#phases.forget(nodeId);
  }

  /** Once per turn of the event loop, and when the next node is late. */
  #decideSoon(): void {
    if (this.#isDecisionDue || this.#isClosed) return;
    this.#isDecisionDue = true;
    setImmediate(() => {
      this.#isDecisionDue = false;
      if (!this.#isClosed) this.#decide();
    });
  }

  #decide(): void {
    if (this.#phases.nextDeadlineMs() !== undefined)
      this.#write(this.#phases.decide(this.#facts()));
    this.#setTimer(this.#phases.nextDeadlineMs());
  }

  #write({ writes, lateNodeIds }: ReturnType<EndpointPhases["decide"]>): void {
    if (writes.length === 0) return;
    const { logger, clock, write, onLate } = this.#parts;
    if (lateNodeIds.length > 0) {
      onLate(lateNodeIds.length);
      logger.warn(
        {
          nodes: lateNodeIds.slice(0, NAMED_MAX),
          nodeCount: lateNodeIds.length,
          taskCount: writes.length,
        },
        "nodes did not confirm a change of their networks in time; it goes on without them",
      );
    }
    const changes = writes.map((one): Change => ({ kind: "taskNetworkPhase", ...one }));
    write(changes).catch(() => {
      // Refused, or leadership is being lost; in the latter case the next leader decides.
      clock.setTimer(RETRY_MS, () => {
        this.#phases.failed(writes.map(({ taskId }) => taskId));
        this.#decideSoon();
      });
    });
  }

  #facts(): PhaseFacts {
    const { store, clock } = this.#parts;
    const nowMs = clock.nowMs();
    const nodeIds = new Set<string>();
    for (const { id, state } of store.nodes()) {
      const endedAtMs = this.#endedAtMs.get(id);
      const isExpected = endedAtMs === undefined || nowMs - endedAtMs < RETURN_WITHIN_MS;
      if (state === "ready" && isExpected) nodeIds.add(id);
    }
    const reachOf = (networkId: string): "members" | "all" | "none" => {
      if ((store.network(networkId)?.vni ?? 0) === 0) return "none";
      return networkId === this.#ingressId ? "all" : "members";
    };
    return { nowMs, nodeIds, reachOf };
  }

  #setTimer(atMs: number | undefined): void {
    if (atMs === this.#timerAtMs) return;
    this.#stopTimer();
    this.#timerAtMs = atMs;
    if (atMs === undefined) return;
    const { clock } = this.#parts;
    this.#stopTimer = clock.setTimer(Math.max(0, atMs - clock.nowMs()), () => {
      this.#timerAtMs = undefined;
      this.#decideSoon();
    });
  }
}

function isOnNone(task: Task | undefined): boolean {
  return task === undefined || task.networks.length === 0;
}
