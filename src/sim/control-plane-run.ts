/**
 * One seeded run of the whole control plane: users' operations through control, leader loops and the dispatcher of one leader after the
 * other, agents on links, kernels and containers of their own, and faults of all of them.
 */
import { type Change, type Network, type Node, TASK_STATE } from "../api/index.js";
import { type Random, SeededRandom, silentLogger } from "../base/index.js";
import { Dispatcher } from "../manager/dispatcher/index.js";
import { leaderLoops } from "../manager/orchestrator/index.js";
import { ClusterStore } from "../store/index.js";
import { sampleCluster } from "../store/testing/samples.js";
import { differencesOf } from "./differences.js";
import { FakeClock } from "./fake-clock.js";
import { NetworkChecks } from "./network-checks.js";
import { RolloutChecks } from "./rollout-checks.js";
import { COMMIT_MAX_MS, SimLeadership } from "./sim-leadership.js";
import { ipOf } from "./sim-link.js";
import { simNode } from "./sim-objects.js";
import { SimUser } from "./sim-user.js";
import { SimWorker } from "./sim-worker.js";
import { SlotChecks } from "./slot-checks.js";
import { TaskChecks } from "./task-checks.js";

const NODE_COUNT = 4;
const TICK_MS = 100;
const LOOK_MS = 1_000;
const CALM_MS = 12_000;
/** A node that comes back has this long to stop what was replaced meanwhile. */
const RECOVERY_MS = 10_000;
const SLOW_DISK_MS = 1_500;
const SLOW_FOR_MS = 5_000;
/** Longer than all that a slow disk or a step of the clock changes in the order of things. */
const LOOSE_MS = 8_000;
const ACTION_CHANCE = 0.06;
/** Beside those: networks of running containers. */
const CONNECT_CHANCE = 0.02;
const FAULT_CHANCE = 0.025;

/** Faults that a run may have, each with how often it happened. */
export const FAULTS = [
  "leader lost",
  "node cut off",
  "node frozen",
  "agent restarted",
  "node rebooted",
  "node removed",
  "slow link",
  "slow kernel",
  "slow disk",
  "clock step",
] as const;
export type Fault = (typeof FAULTS)[number];

export class ControlPlaneRun {
  readonly clock = new FakeClock();
  readonly store: ClusterStore;
  readonly user: SimUser;
  readonly leadership: SimLeadership;
  readonly workers = new Map<string, SimWorker>();
  readonly faults = new Map<Fault, number>();
  readonly #random: Random;
  readonly #dispatcher: Dispatcher;
  readonly #checks: { readonly violations: readonly string[] }[] = [];
  readonly #tasks: TaskChecks;
  readonly #slots: SlotChecks;
  readonly #networks: NetworkChecks;
  /** Users connect containers to networks in every other run: known seeds without it stay what they were. */
  readonly #connects: boolean;
  #isFaulty = false;
  #madeNodes = 0;
  #electAtMs = 0;
  /** Until then transactions and clocks may be late by more than usual. */
  #looseUntilMs = 0;
  /** Since when a leader works and commits as usual. */
  #leadsSinceMs = 0;

  constructor(seed: number) {
    const { clock } = this;
    const random = new SeededRandom(seed);
    this.#random = random;
    this.#connects = seed % 2 === 1;
    this.store = new ClusterStore({
      yieldToLoop: () => Promise.resolve(),
      nowMs: () => clock.nowMs(),
    });
    const { store } = this;
    this.#dispatcher = new Dispatcher({
      clock,
      logger: silentLogger,
      managers: () => [{ nodeId: "m1", addr: "m1:2377" }],
      leaderAddr: () => (this.leadership.isLeading ? "m1:2377" : undefined),
      readBarrier: () => Promise.resolve(),
    });
    this.leadership = new SimLeadership({
      clock,
      store,
      random,
      loops: [...leaderLoops, { name: "dispatcher", run: this.#dispatcher.lead }],
      isFaulty: () => this.#isFaulty,
    });
    this.user = new SimUser({ clock, random, store, proposer: this.leadership.userProposer });
    this.#tasks = new TaskChecks(store, {
      isSteady: (id) => this.workers.get(id)?.isSteady(RECOVERY_MS) === true,
      hasContainer: (nodeId, taskId) => this.workers.get(nodeId)?.containers.has(taskId) === true,
    });
    const inFlightMs = (): number =>
      clock.nowMs() < this.#looseUntilMs ? LOOSE_MS : COMMIT_MAX_MS + 5;
    this.#slots = new SlotChecks(store, this.#tasks, {
      wallMs: () => clock.wallMs(),
      leadsForMs: () => this.#leadsForMs(),
      inFlightMs,
    });
    this.#networks = new NetworkChecks(store, this.workers);
    const rollouts = new RolloutChecks(store, () => clock.wallMs(), inFlightMs);
    this.#checks.push(this.#tasks, this.#slots, this.#networks, rollouts);
    this.#checks.push(this.leadership, this.user);
  }

  /** What was seen to be wrong. */
  get violations(): readonly string[] {
    const all = [...this.#checks, ...this.workers.values()];
    return all.flatMap(({ violations }) => violations);
  }

  async start(): Promise<void> {
    this.leadership.start();
    this.commit({ kind: "putCluster", cluster: sampleCluster() });
    this.commit({ kind: "putNetwork", network: INGRESS });
    for (let i = 0; i < NODE_COUNT; i++) this.addNode();
    await this.run(5_000);
  }

  async stop(): Promise<void> {
    await this.leadership.stop(() => true);
  }

  /** From here on users act and faults happen, until `heal`. */
  disturb(): void {
    this.#isFaulty = true;
  }

  async run(forMs: number): Promise<void> {
    for (let passedMs = 0; passedMs < forMs; passedMs += TICK_MS) {
      if (this.#isFaulty) await this.#disturb();
      if (!this.leadership.isLeading && this.clock.nowMs() >= this.#electAtMs) this.#elect();
      for (const worker of this.workers.values()) worker.step();
      await this.clock.advanceAsync(TICK_MS);
      this.#slots.look();
      this.#networks.look(this.clock.wallMs(), this.#leadsForMs());
    }
  }

  /** No more faults: all nodes are up and active, nothing begins by itself any more. */
  heal(): void {
    this.#isFaulty = false;
    this.leadership.commitMaxMs = COMMIT_MAX_MS;
    for (const worker of this.workers.values()) {
      if (!worker.isReachable) {
        worker.rejoin();
        worker.thaw();
      }
      this.#makeQuick(worker);
    }
  }

  /** Lets time pass until all has been as it is to be for a while, `boundMs` at most; returns what is not. */
  async settle(boundMs: number): Promise<string[]> {
    let goodMs = 0;
    let found: string[] = [];
    for (let passedMs = 0; passedMs < boundMs && goodMs < CALM_MS; passedMs += LOOK_MS) {
      this.#tidy();
      await this.run(LOOK_MS);
      found = this.differences();
      goodMs = found.length > 0 ? 0 : goodMs + LOOK_MS;
    }
    return found;
  }

  differences(): string[] {
    const found = differencesOf(this.store, this.#tasks);
    for (const { state, spec, id } of this.store.nodes())
      if (state !== "ready" || spec.Availability !== "active")
        found.push(`${id} is ${state} and ${spec.Availability}`);
    for (const worker of this.workers.values())
      for (const id of worker.containers.keys())
        if ((this.store.task(id)?.desiredState ?? TASK_STATE.remove) > TASK_STATE.complete)
          found.push(`${worker.nodeId} runs ${id}, which nobody wants`);
    if (!this.user.isIdle) found.push("an operation has not ended");
    return found;
  }

  /** A leader is lost: what it had on its way is committed or not, as `commits` says; the next one comes after `forMs`. */
  async loseLeader(forMs: number, commits: () => boolean): Promise<void> {
    this.#electAtMs = this.clock.nowMs() + forMs;
    this.#leadsSinceMs = Number.POSITIVE_INFINITY;
    await this.leadership.stop(commits);
  }

  addNode(): void {
    const number = ++this.#madeNodes;
    const nodeId = `node${number}`;
    const node: Node = {
      ...simNode(nodeId, "unknown", "active"),
      nodeIndex: number,
      addr: ipOf(nodeId),
    };
    this.commit({ kind: "putNode", node });
    const worker = new SimWorker({
      nodeId,
      clock: this.clock,
      random: this.#random,
      dispatcher: this.#dispatcher,
      isFaulty: () => this.#isFaulty,
      onStart: (on, task) => this.#networks.started(on, task),
      onStop: (on, task) => this.#networks.stopped(on, task),
    });
    this.workers.set(nodeId, worker);
  }

  /** Past all faults, as an operator's or another manager's doing. */
  commit(...changes: readonly Change[]): void {
    this.leadership.commit(changes);
  }

  #elect(): void {
    this.#leadsSinceMs = this.clock.nowMs();
    this.leadership.start();
  }

  #leadsForMs(): number {
    const isQuick = this.leadership.commitMaxMs === COMMIT_MAX_MS;
    return isQuick ? this.clock.nowMs() - this.#leadsSinceMs : 0;
  }

  async #disturb(): Promise<void> {
    if (this.#chance(ACTION_CHANCE)) this.user.act();
    if (this.#connects && this.#chance(CONNECT_CHANCE)) this.user.connect();
    if (this.#chance(FAULT_CHANCE)) await this.#fail();
  }

  async #fail(): Promise<void> {
    const fault = FAULTS[this.#below(FAULTS.length)] ?? "leader lost";
    const worker = [...this.workers.values()][this.#below(this.workers.size)];
    if (worker === undefined) return;
    this.faults.set(fault, (this.faults.get(fault) ?? 0) + 1);
    switch (fault) {
      case "leader lost":
        if (this.leadership.isLeading)
          await this.loseLeader(200 + this.#below(2_000), () => this.#chance(0.5));
        return;
      case "node cut off":
        if (worker.isReachable) worker.cutOff(this.#below(8_000));
        else worker.rejoin();
        return;
      case "node frozen":
        if (worker.isReachable) worker.freeze();
        else worker.thaw();
        return;
      case "agent restarted":
        if (worker.isReachable) worker.restartAgent();
        return;
      case "node rebooted":
        if (worker.isReachable) worker.reboot();
        return;
      case "node removed":
        if (this.store.nodes().length <= NODE_COUNT - 1) this.addNode();
        else this.user.removeNode(worker.nodeId);
        return;
      case "slow link":
        worker.disturb();
        worker.linkDelayMs = 500 + this.#below(2_500);
        this.clock.setTimer(10_000, () => this.#makeQuick(worker));
        return;
      case "slow kernel":
        worker.disturb();
        worker.kernelMs = 1_000 + this.#below(3_000);
        this.clock.setTimer(10_000, () => this.#makeQuick(worker));
        return;
      case "slow disk":
        this.leadership.commitMaxMs = 200 + this.#below(SLOW_DISK_MS);
        this.#leadsSinceMs = Number.POSITIVE_INFINITY;
        this.#looseUntilMs = this.clock.nowMs() + SLOW_FOR_MS + LOOSE_MS;
        this.clock.setTimer(SLOW_FOR_MS, () => {
          this.leadership.commitMaxMs = COMMIT_MAX_MS;
          this.#leadsSinceMs = this.clock.nowMs();
        });
        return;
      case "clock step":
        this.clock.stepWall(this.#below(6_000) - 3_000);
        this.#looseUntilMs = this.clock.nowMs() + LOOSE_MS;
        this.#leadsSinceMs = this.clock.nowMs();
    }
  }

  #makeQuick(worker: SimWorker): void {
    worker.disturb();
    worker.linkDelayMs = 20;
    worker.kernelMs = 20;
  }

  /** What an operator does after faults: all nodes active, as many as there were, no runs that start by themselves. */
  #tidy(): void {
    if (!this.leadership.isLeading || !this.user.isIdle) return;
    for (const node of this.store.nodes())
      if (node.spec.Availability !== "active") this.user.setAvailability(node.id, "active");
    for (const service of this.store.services())
      if (service.schedule) this.user.begin({ kind: "service.remove", serviceId: service.id });
  }

  #chance(probability: number): boolean {
    return this.#random.float() < probability;
  }

  #below(n: number): number {
    return Math.floor(this.#random.float() * n);
  }
}

const INGRESS: Network = {
  id: "ingress",
  versionIndex: 0,
  clientIndex: 0,
  createdAtMs: 0,
  updatedAtMs: 0,
  spec: { Name: "ingress", Labels: {}, Driver: "overlay", Scope: "swarm", Ingress: true },
  predefined: false,
  vni: 0,
  subnets: [],
  mtu: 0,
};
