/** Keeps a session with the cluster: dials, follows redirects, changes manager, tells the supervisor what it hears. */
import type { FromChild, NodeDescription, NodeIdentity } from "../../api/index.js";
import type { Clock, Logger, Random } from "../../base/index.js";
import {
  type Dial,
  initialReconnect,
  type ReconnectEvent,
  type ReconnectState,
  stepReconnect,
} from "../core/session/reconnect.js";
import { StatusQueue } from "../core/status/status-queue.js";
import type { NetworkRelay } from "../net/index.js";
import type { TaskManager } from "../tasks/index.js";
import type { DialDispatcher } from "./dispatcher-stream.js";
import { type NodeUpdate, Session, type SessionEnd, type SessionHost } from "./session.js";
import type { Usage } from "./usage-meter.js";

export type AgentDeps = {
  readonly tasks: TaskManager;
  readonly networks: Pick<NetworkRelay, "receive" | "forget" | "appliedIndex" | "onApplied">;
  readonly dial: DialDispatcher;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly bootId: string;
  readonly description: () => NodeDescription;
  /** What containers use; undefined while that is not known. */
  readonly usage: () => Usage | undefined;
  /** To the supervisor. */
  readonly tell: (message: FromChild) => void;
  readonly openTunnel: (tunnelId: string, managerAddr: string) => Promise<void>;
};

/** How long an agent without any known manager waits before it looks again. */
const IDLE_MS = 1_000;

export class Agent {
  readonly #deps: AgentDeps;
  readonly #queue = new StatusQueue();
  #identity: NodeIdentity | undefined;
  #reconnect: ReconnectState = initialReconnect([]);
  #session: Session | undefined;
  #wasUp = false;
  #wake: () => void = () => undefined;
  /** The cluster said that this node is gone: nothing is dialled until the identity changes. */
  #isRemoved = false;
  #isLeaving = false;

  constructor(deps: AgentDeps) {
    this.#deps = deps;
    deps.tasks.onStatus((status) => {
      this.#queue.put(status);
      this.#session?.statusQueued(status);
    });
    deps.networks.onApplied(() => this.#session?.networksApplied());
    deps.tasks.onErased((taskId) => this.#queue.forget(taskId));
  }

  get isUp(): boolean {
    return this.#session?.isUp ?? false;
  }

  /** `ip:port` of the managers it knows of, the one of its session first. */
  get managers(): readonly string[] {
    const { last, managers } = this.#reconnect;
    const first = this.#session !== undefined && last !== "" ? [last] : [];
    return [...new Set([...first, ...managers])];
  }

  /** New certificate of the same node: only new connections use it. Another node or cluster: a new session. */
  setIdentity(identity: NodeIdentity | undefined): void {
    const isSame =
      identity?.nodeId === this.#identity?.nodeId &&
      identity?.clusterId === this.#identity?.clusterId;
    this.#identity = identity;
    this.#isLeaving = false;
    const addrs = (identity?.managers ?? []).map((manager) => manager.addr);
    if (isSame) {
      this.#step({ kind: "managers", addrs });
    } else {
      this.#isRemoved = false;
      this.#deps.tasks.forgetIndex();
      this.#deps.networks.forget();
      this.#reconnect = initialReconnect(addrs);
      this.#session?.close();
    }
    this.#wake();
  }

  descriptionChanged(): void {
    this.#session?.sendDescription(this.#deps.description());
  }

  /** Leaves the cluster on purpose: the manager marks the node down at once, and no session is opened any more. */
  leave(): void {
    this.#isLeaving = true;
    this.#session?.leave();
  }

  /** Until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    signal.addEventListener("abort", () => this.#session?.close(), { once: true });
    let dial: Dial | undefined;
    while (!signal.aborted) {
      if (this.#identity === undefined || this.#isRemoved || this.#isLeaving) {
        dial = undefined;
        await this.#idle(undefined, signal);
        continue;
      }
      dial ??= this.#step({ kind: "lost" });
      if (dial === undefined) {
        await this.#idle(IDLE_MS, signal);
        continue;
      }
      const identity = this.#identity;
      if (dial.delayMs > 0)
        await this.#deps.clock.sleep(dial.delayMs, signal).catch(() => undefined);
      if (signal.aborted || identity !== this.#identity) {
        if (identity?.nodeId !== this.#identity?.nodeId) dial = undefined;
        if (signal.aborted || dial === undefined) continue;
      }
      dial = await this.#runSession(dial.addr);
    }
  }

  /** The next dial; undefined: ask again (or be idle). */
  async #runSession(addr: string): Promise<Dial | undefined> {
    const logger = this.#deps.logger.child({ manager: addr });
    const { dial, clock } = this.#deps;
    const session = new Session({ addr, dial, host: this.#host(), clock, logger });
    this.#session = session;
    const end = await session.ended;
    this.#session = undefined;
    if (this.#wasUp) this.#deps.tell({ kind: "session", isUp: false });
    this.#wasUp = false;
    return this.#afterSession(end, logger);
  }

  async #afterSession(end: SessionEnd, logger: Logger): Promise<Dial | undefined> {
    switch (end.kind) {
      case "redirect":
        return this.#step(end);
      case "lost":
        logger.info({ reason: end.reason }, "session lost");
        return this.#step({ kind: "lost" });
      case "removed":
        logger.warn({}, "this node was removed from the cluster; its tasks are stopped");
        this.#isRemoved = true;
        this.#deps.tell({ kind: "removed" });
        await this.#deps.tasks.removeAll(this.#deps.clock.timeout(REMOVE_WITHIN_MS));
        return undefined;
      case "closed":
        return undefined;
    }
  }

  #host(): SessionHost {
    const { tasks, networks } = this.#deps;
    return {
      hello: () => ({
        description: this.#deps.description(),
        bootId: this.#deps.bootId,
        assignmentsIndex: tasks.index,
        advertiseAddr: this.#identity?.advertiseAddr ?? "",
      }),
      statuses: this.#queue,
      allStatuses: () => tasks.statuses(),
      onUp: () => {
        this.#step({ kind: "welcome" });
        this.#wasUp = true;
        this.#deps.tell({ kind: "session", isUp: true });
      },
      onAssignments: (message) => tasks.apply(message),
      onNetworks: (message) => networks.receive(message),
      networkApplied: () => networks.appliedIndex,
      usage: this.#deps.usage,
      onNodeUpdate: (update) => this.#nodeUpdate(update),
      onOpenTunnel: (tunnelId, addr) => this.#tunnel(tunnelId, addr),
    };
  }

  #nodeUpdate(update: NodeUpdate): void {
    this.#step({ kind: "managers", addrs: update.managers.map((manager) => manager.addr) });
    this.#deps.tell({ kind: "nodeUpdate", ...update });
  }

  #tunnel(tunnelId: string, managerAddr: string): void {
    this.#deps.openTunnel(tunnelId, managerAddr).catch((error: unknown) => {
      const text = error instanceof Error ? error.message : String(error);
      this.#deps.logger.warn({ error, managerAddr }, "cannot open a tunnel");
      this.#session?.tunnelFailed(tunnelId, text);
    });
  }

  #step(event: ReconnectEvent): Dial | undefined {
    const { next, dial } = stepReconnect(this.#reconnect, event, this.#deps.random.float());
    this.#reconnect = next;
    return dial;
  }

  /** Until `#wake`, the signal, or for `delayMs`. */
  #idle(delayMs: number | undefined, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const cancel =
        delayMs === undefined
          ? () => undefined
          : this.#deps.clock.setTimer(delayMs, () => finish());
      const finish = (): void => {
        cancel();
        signal.removeEventListener("abort", finish);
        this.#wake = () => undefined;
        resolve();
      };
      this.#wake = finish;
      signal.addEventListener("abort", finish, { once: true });
      if (signal.aborted) finish();
    });
  }
}

/** Longest wait for tasks to stop before the agent is ready for a new identity; they are stopped on after it. */
const REMOVE_WITHIN_MS = 60_000;
