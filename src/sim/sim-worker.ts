/**
 * A node: its agent speaks the dispatcher's messages over a link that can be cut, its containers run whatever happens to the agent, and
 * its kernel holds the networks that it was told of a moment later.
 */
import {
  NETWORK_PHASE,
  type NodeDescription,
  TASK_STATE,
  type TaskNetwork,
  type TaskSpec,
  type TaskStateName,
} from "../api/index.js";
import type { Random } from "../base/index.js";
import type { Dispatcher } from "../manager/dispatcher/index.js";
import { applyDelta, type NetworkDelta, type NetworkState } from "../overlay-net/core/index.js";
import type { FakeClock } from "./fake-clock.js";
import { SimLink, type ToAgent } from "./sim-link.js";

const STEPS: readonly TaskStateName[] = ["accepted", "preparing", "ready", "starting", "running"];
/** As agents do: silence of this length ends a stream, and a task with networks waits no longer for its announcement. */
const SILENCE_MAX_MS = 5_000;
const ANNOUNCE_MAX_MS = 2_000;
const DIAL_BACKOFF_MS = 1_000;
const LINK_DELAY_MS = 20;
const KERNEL_MS = 20;

/** What the node knows of a task, kept on its disk. */
export type KnownTask = {
  readonly id: string;
  readonly networks: readonly TaskNetwork[];
  /** Of an attachment: the task whose container it is for. */
  readonly containerTaskId: string | undefined;
  desired: number;
  phase: number;
  state: number;
  readyAtMs: number;
};

export type WorkerParts = {
  readonly nodeId: string;
  readonly clock: FakeClock;
  readonly random: Random;
  readonly dispatcher: Dispatcher;
  /** Containers fail now and then. */
  readonly isFaulty: () => boolean;
  readonly onStart: (worker: SimWorker, task: KnownTask) => void;
  /** A container is stopped because a manager said so. */
  readonly onStop: (worker: SimWorker, task: KnownTask) => void;
};

type Assignment = NonNullable<NonNullable<ToAgent["assignments"]>["tasks"]>[number];

export class SimWorker {
  readonly nodeId: string;
  readonly violations: string[] = [];
  readonly containers = new Map<string, KnownTask>();
  /** What its kernel holds. */
  networks: NetworkState | undefined;
  linkDelayMs = LINK_DELAY_MS;
  kernelMs = KERNEL_MS;
  /** The last fault of this node. */
  disturbedAtMs = 0;
  isRemoved = false;
  readonly #parts: WorkerParts;
  readonly #known = new Map<string, KnownTask>();
  /** Told, not yet in the kernel. */
  #told: NetworkState | undefined;
  /** Tasks that managers do not know the state of. */
  readonly #unsent = new Set<string>();
  #inFlight: { readonly seq: number; readonly states: ReadonlyMap<string, number> } | undefined;
  /** Superseded while the node was away: nothing starts before they are stopped. */
  #stopFirst = new Set<string>();
  /** While frozen: what happens when it thaws. */
  readonly #held: (() => void)[] = [];
  #link: SimLink | undefined;
  #isWelcome = false;
  #isCutOff = false;
  #isFrozen = false;
  #boots = 1;
  #seq = 0;
  #dialAtMs = 0;
  #heardAtMs = 0;
  #beatAtMs = 0;

  constructor(parts: WorkerParts) {
    this.#parts = parts;
    this.nodeId = parts.nodeId;
  }

  get isReachable(): boolean {
    return !this.#isCutOff && !this.#isFrozen;
  }

  /** No fault came near it for `ms`, and it is no slow one. */
  isSteady(ms: number): boolean {
    const isQuick = this.kernelMs === KERNEL_MS && this.linkDelayMs === LINK_DELAY_MS;
    return this.isReachable && isQuick && this.#parts.clock.nowMs() - this.disturbedAtMs > ms;
  }

  step(): void {
    if (this.#isFrozen) return;
    if (this.isRemoved) {
      this.containers.clear();
      this.#known.clear();
      return;
    }
    this.#keepSession();
    for (const task of this.#known.values()) this.#work(task);
    this.#report();
  }

  /** From here on nothing reaches it, and nothing of it anybody. */
  cutOff(noticedMs: number): void {
    this.disturb();
    this.#isCutOff = true;
    this.#link?.cut(noticedMs);
  }

  rejoin(): void {
    this.disturb();
    this.#isCutOff = false;
  }

  freeze(): void {
    this.disturb();
    this.#isFrozen = true;
  }

  thaw(): void {
    this.disturb();
    this.#isFrozen = false;
    for (const action of this.#held.splice(0)) action();
  }

  /** Containers and what is on disk stay; what only the process knew is gone. */
  restartAgent(): void {
    this.disturb();
    this.#endSession();
    for (const id of this.#known.keys()) this.#unsent.add(id);
  }

  /** Containers are gone, and the kernel's networks. */
  reboot(): void {
    this.restartAgent();
    this.#boots++;
    this.containers.clear();
    this.networks = undefined;
    for (const task of this.#known.values())
      if (task.state >= TASK_STATE.starting && task.state <= TASK_STATE.running)
        this.#reach(task, TASK_STATE.failed);
  }

  /** A container ends with an error. */
  kill(taskId: string): void {
    const task = this.containers.get(taskId);
    if (!task) return;
    this.containers.delete(taskId);
    this.#reach(task, TASK_STATE.failed);
  }

  disturb(): void {
    this.disturbedAtMs = this.#parts.clock.nowMs();
  }

  #keepSession(): void {
    const { clock, dispatcher, random } = this.#parts;
    const nowMs = clock.nowMs();
    if (this.#link === undefined) {
      if (this.#isCutOff || nowMs < this.#dialAtMs) return;
      this.#heardAtMs = nowMs;
      const link: SimLink = new SimLink({
        clock,
        random,
        dispatcher,
        nodeId: this.nodeId,
        delayMaxMs: () => this.linkDelayMs,
        onMessage: (message) => this.#whenAwake(() => this.#link === link && this.#take(message)),
        onEnd: () => this.#whenAwake(() => this.#link === link && this.#endSession()),
      });
      this.#link = link;
      const description = Buffer.from(JSON.stringify(descriptionOf(this.nodeId)));
      link.send({ hello: { descriptionJson: description, bootId: `boot${this.#boots}` } });
    } else if (nowMs - this.#heardAtMs > SILENCE_MAX_MS) this.#endSession();
    else if (this.#isWelcome && nowMs >= this.#beatAtMs) {
      this.#beatAtMs = nowMs + 1_000;
      this.#link.send({ heartbeat: { seq: ++this.#seq } });
    }
  }

  #endSession(): void {
    const { clock, random } = this.#parts;
    this.#link?.break();
    this.#link = undefined;
    this.#isWelcome = false;
    this.#inFlight = undefined;
    this.#told = undefined;
    this.#dialAtMs = clock.nowMs() + Math.floor(random.float() * DIAL_BACKOFF_MS);
  }

  #whenAwake(action: () => void): void {
    if (this.#isFrozen) this.#held.push(action);
    else action();
  }

  #take(message: ToAgent): void {
    this.#heardAtMs = this.#parts.clock.nowMs();
    if (message.welcome) this.#isWelcome = true;
    else if (message.removed) this.isRemoved = true;
    else if (message.redirect) this.#endSession();
    else if (message.assignments) this.#assign(message.assignments);
    else if (message.networks) this.#network(message.networks);
    else if (message.statusAck) this.#acknowledge(message.statusAck.seq ?? 0);
  }

  /** What has changed meanwhile is still to be sent. */
  #acknowledge(seq: number): void {
    if (this.#inFlight?.seq !== seq) return;
    for (const [id, state] of this.#inFlight.states)
      if ((this.#known.get(id)?.state ?? state) === state) this.#unsent.delete(id);
    this.#inFlight = undefined;
  }

  #assign(message: NonNullable<ToAgent["assignments"]>): void {
    const { complete, tasks, removedTaskIds, specs } = message;
    const told = tasks ?? [];
    if (complete) {
      const ids = new Set(told.map(({ taskId }) => taskId));
      for (const id of [...this.#known.keys()]) if (!ids.has(id)) this.#forget(id);
    }
    for (const id of removedTaskIds ?? []) this.#forget(id);
    for (const assignment of told)
      this.#assignOne(assignment, specs?.[(assignment.specRef ?? 0) - 1]);
    if (!complete) return;
    this.#stopFirst = new Set([...this.containers.values()].filter(isToStop).map(({ id }) => id));
  }

  #assignOne(assignment: Assignment, specJson: Uint8Array | undefined): void {
    const id = assignment.taskId ?? "";
    const networks: readonly TaskNetwork[] = assignment.networksJson
      ? (JSON.parse(Buffer.from(assignment.networksJson).toString()) as TaskNetwork[])
      : [];
    const known = this.#known.get(id);
    const task = known ?? {
      id,
      networks,
      containerTaskId: containerTaskIn(specJson),
      desired: 0,
      phase: 0,
      state: TASK_STATE.assigned,
      readyAtMs: 0,
    };
    this.#known.set(id, task);
    // An agent never goes back.
    task.desired = Math.max(task.desired, assignment.desiredState ?? 0);
    task.phase = Math.max(task.phase, assignment.networkPhase ?? 0);
  }

  #forget(id: string): void {
    this.#known.delete(id);
    this.#unsent.delete(id);
    this.containers.delete(id);
  }

  #network(message: NonNullable<ToAgent["networks"]>): void {
    const body: unknown = JSON.parse(Buffer.from(message.bodyJson ?? []).toString());
    const before = this.#told;
    if (message.complete) this.#told = body as NetworkState;
    else if (before !== undefined && before.index === message.appliesTo)
      this.#told = applyDelta(before, body as NetworkDelta);
    else {
      this.violations.push(
        `${this.nodeId}: a difference to ${message.appliesTo} came on ${before?.index}`,
      );
      return;
    }
    const state = this.#told;
    const link = this.#link;
    const boots = this.#boots;
    const { clock } = this.#parts;
    clock.setTimer(this.kernelMs, () =>
      this.#whenAwake(() => {
        if (this.#boots !== boots || state === undefined) return;
        if (state.index >= (this.networks?.index ?? 0)) this.networks = state;
        if (this.#link === link) link?.send({ networkApplied: { index: state.index } });
      }),
    );
  }

  #work(task: KnownTask): void {
    const { random, isFaulty, clock } = this.#parts;
    if (task.state > TASK_STATE.running || random.float() < 0.3) return;
    if (isToStop(task)) {
      if (random.float() < 0.7) this.#stop(task);
      return;
    }
    const container = task.containerTaskId;
    if (container !== undefined && !this.containers.has(container)) {
      this.containers.delete(task.id);
      this.#reach(
        task,
        task.state < TASK_STATE.starting ? TASK_STATE.rejected : TASK_STATE.complete,
      );
      return;
    }
    if (isFaulty() && random.float() < 0.004) {
      this.containers.delete(task.id);
      this.#reach(task, task.state < TASK_STATE.starting ? TASK_STATE.rejected : TASK_STATE.failed);
      return;
    }
    if (task.state === TASK_STATE.running) {
      if (task.desired === TASK_STATE.complete && random.float() < 0.3) {
        this.containers.delete(task.id);
        this.#reach(task, TASK_STATE.complete);
      }
      return;
    }
    const next = STEPS.find((name) => TASK_STATE[name] > task.state);
    if (next === undefined || TASK_STATE[next] > task.desired) return;
    if (next === "starting" && (this.#stopFirst.size > 0 || !this.#isAnnounced(task))) return;
    if (next === "ready") task.readyAtMs = clock.nowMs();
    if (next === "starting") {
      this.containers.set(task.id, task);
      this.#parts.onStart(this, task);
    }
    this.#reach(task, TASK_STATE[next]);
  }

  #isAnnounced(task: KnownTask): boolean {
    if (task.networks.length === 0 || task.phase >= NETWORK_PHASE.announced) return true;
    return this.#parts.clock.nowMs() - task.readyAtMs >= ANNOUNCE_MAX_MS;
  }

  #stop(task: KnownTask): void {
    if (this.containers.delete(task.id)) this.#parts.onStop(this, task);
    this.#stopFirst.delete(task.id);
    this.#reach(task, TASK_STATE.shutdown);
  }

  #reach(task: KnownTask, state: number): void {
    task.state = state;
    if (state > TASK_STATE.running) this.#stopFirst.delete(task.id);
    this.#unsent.add(task.id);
  }

  /** One batch at a time; now and then it is sent twice, as after a stream that broke before its acknowledgement. */
  #report(): void {
    if (!this.#isWelcome || this.#inFlight !== undefined || this.#unsent.size === 0) return;
    const { clock, random, isFaulty } = this.#parts;
    const states = new Map<string, number>();
    for (const id of this.#unsent) {
      const task = this.#known.get(id);
      if (task !== undefined && task.state > TASK_STATE.assigned) states.set(id, task.state);
      else this.#unsent.delete(id);
    }
    if (states.size === 0) return;
    this.#inFlight = { seq: ++this.#seq, states };
    const atMs = clock.wallMs();
    const statuses = [...states].map(([taskId, state]) => ({
      taskId,
      state,
      atMs,
      message: "",
      err: state === TASK_STATE.failed ? "task: non-zero exit (1)" : "",
      containerId: state >= TASK_STATE.starting ? taskId : "",
      pid: 1,
      exitCode: state === TASK_STATE.failed ? 1 : 0,
      portStatus: [],
    }));
    const batch = { statuses: { seq: this.#inFlight.seq, statuses } };
    this.#link?.send(batch);
    if (isFaulty() && random.float() < 0.1) this.#link?.send(batch);
  }
}

function containerTaskIn(specJson: Uint8Array | undefined): string | undefined {
  if (specJson === undefined) return undefined;
  const spec = JSON.parse(Buffer.from(specJson).toString()) as TaskSpec;
  return spec.NetworkAttachmentSpec?.TaskID;
}

function isToStop(task: KnownTask): boolean {
  return task.desired > TASK_STATE.complete;
}

function descriptionOf(nodeId: string): NodeDescription {
  return {
    Hostname: nodeId,
    Platform: { Architecture: "x86_64", OS: "linux" },
    Resources: { NanoCPUs: 8e9, MemoryBytes: 2 ** 34 },
    Engine: { EngineVersion: "1", Plugins: [] },
    EngineKind: "simulated",
    Routes: [],
  };
}
