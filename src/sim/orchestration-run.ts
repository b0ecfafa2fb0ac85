/**
 * One seeded run of the whole orchestration: the real store and leader loops, agents with containers of their own, a user, and faults.
 * Checks on every applied entry what must never happen; `heal` and `run` then show that all comes right in the end.
 */
import { type Change, isJob, type NodeSpec, type Service, TASK_STATE } from "../api/index.js";
import { type Random, SeededRandom } from "../base/index.js";
import { drainFields, nextJobFields } from "../manager/control/index.js";
import { newRebalance } from "../manager/core/index.js";
import { leaderLoops } from "../manager/orchestrator/index.js";
import { ClusterStore, LocalProposer } from "../store/index.js";
import { differencesOf } from "./differences.js";
import { FakeAgent } from "./fake-agent.js";
import { FakeClock } from "./fake-clock.js";
import { SimLeadership } from "./sim-leadership.js";
import {
  type ServiceWish,
  type SimMode,
  simModeOf,
  simNode,
  simService,
  simSpec,
} from "./sim-objects.js";
import { TaskChecks } from "./task-checks.js";

const NODE_COUNT = 4;
const NANO_PER_MS = 1e6;
/** Time between two rounds of the agents. */
const AGENT_TICK_MS = 100;

/** How often `settle` looks, and how long all must have been well. */
const LOOK_MS = 1_000;
const CALM_MS = 15_000;

/** A node that comes back has this long to stop what was replaced meanwhile. */
const RECOVERY_MS = 10_000;

export class OrchestrationRun {
  readonly clock = new FakeClock();
  readonly store: ClusterStore;
  readonly #checks: TaskChecks;
  readonly #leadership: SimLeadership;
  readonly #random: Random;
  readonly #local: LocalProposer;
  readonly #agents = new Map<string, FakeAgent>();
  readonly #rebalances: boolean;
  readonly #connectedAtMs = new Map<string, number>();
  #made = 0;
  #isFaulty = true;

  /** `rebalances`: some replicated services move their tasks to emptier nodes. */
  constructor(seed: number, options: { readonly rebalances?: boolean } = {}) {
    this.#rebalances = options.rebalances === true;
    this.#random = new SeededRandom(seed);
    this.store = new ClusterStore({
      yieldToLoop: () => Promise.resolve(),
      nowMs: () => this.clock.nowMs(),
    });
    this.#local = new LocalProposer(this.store);
    this.#leadership = new SimLeadership({
      clock: this.clock,
      store: this.store,
      random: this.#random,
      loops: leaderLoops,
      isFaulty: () => this.#isFaulty,
    });
    this.#checks = new TaskChecks(this.store, {
      isSteady: (nodeId) => this.#isSteady(nodeId),
      hasContainer: (nodeId, taskId) => this.#agents.get(nodeId)?.running().has(taskId) === true,
    });
  }

  /** What was seen to be wrong. */
  get violations(): readonly string[] {
    return [...this.#checks.violations, ...this.#leadership.violations];
  }

  async start(): Promise<void> {
    for (let i = 1; i <= NODE_COUNT; i++) {
      const id = `node${i}`;
      await this.commit({ kind: "putNode", node: simNode(id, "ready", "active") });
      this.#agents.set(id, new FakeAgent(id, this.store, this.#random));
    }
    this.#leadership.start();
  }

  /** Ends loops that must end, and reports those that failed. */
  async stop(): Promise<void> {
    await this.#leadership.stop(() => this.#chance(0.5));
  }

  /** Lets `forMs` pass, with a step of the user or a fault now and then while faults are on. */
  async run(forMs: number): Promise<void> {
    for (let passedMs = 0; passedMs < forMs; passedMs += AGENT_TICK_MS) {
      if (this.#isFaulty && this.#chance(0.08)) await this.#disturb();
      for (const agent of this.#agents.values())
        await this.commit(...agent.step(this.clock.wallMs(), this.#isFaulty));
      await this.clock.advanceAsync(AGENT_TICK_MS);
    }
  }

  /** Lets time pass until all has been as it is to be for a while, `boundMs` at most; returns what is not. */
  async settle(boundMs: number): Promise<string[]> {
    let goodMs = 0;
    let found: string[] = [];
    for (let passedMs = 0; passedMs < boundMs && goodMs < CALM_MS; passedMs += LOOK_MS) {
      await this.run(LOOK_MS);
      found = this.differences();
      goodMs = found.length > 0 ? 0 : goodMs + LOOK_MS;
    }
    return found;
  }

  async changeLeader(): Promise<void> {
    await this.#leadership.stop(() => this.#chance(0.5));
    this.#leadership.start();
  }

  /** As the command does for a service that allows it. */
  async rebalance(): Promise<void> {
    const services = this.store.services().filter(({ spec }) => spec.Rebalance !== undefined);
    const service = services[this.#below(services.length)];
    const state = service?.updateStatus?.state ?? "completed";
    if (!service || service.rebalance?.state === "moving" || !state.endsWith("completed")) return;
    const { id: serviceId, specVersion } = service;
    const rebalance = newRebalance(this.clock.wallMs(), true);
    await this.commit({ kind: "serviceRebalance", serviceId, specVersion, rebalance });
  }

  /** Drains a node that is up, or makes it active; a drain gives its tasks `deadlineMs`, or a few seconds when that is left out. */
  async changeNode(nodeId: string, isDrained: boolean, deadlineMs?: number): Promise<void> {
    const agent = this.#agents.get(nodeId);
    if (!agent) return;
    if (!isDrained) return this.#putNode(agent, { Availability: "active" });
    const Deadline = (deadlineMs ?? 2000 * this.#below(10)) * NANO_PER_MS;
    const settings = { Deadline, ...(this.#chance(0.5) && { MaxParallel: this.#below(4) }) };
    await this.#putNode(agent, { Availability: "drain", Drain: settings });
  }

  /** No more faults: all nodes are up and active, containers run as they should, nothing begins by itself any more. */
  async heal(): Promise<void> {
    this.#isFaulty = false;
    for (const service of this.store.services())
      if (service.schedule) await this.#update(service, { ...this.#wish(), mode: "job" });
    for (const agent of this.#agents.values()) {
      if (!agent.isConnected) this.#connectedAtMs.set(agent.nodeId, this.clock.nowMs());
      agent.isConnected = true;
      await this.commit({ kind: "putNode", node: simNode(agent.nodeId, "ready", "active") });
    }
  }

  /** What is not as the services want it. */
  differences(): string[] {
    const found = differencesOf(this.store, this.#checks);
    for (const agent of this.#agents.values())
      for (const id of agent.running())
        if ((this.store.task(id)?.desiredState ?? TASK_STATE.remove) > TASK_STATE.complete)
          found.push(`${agent.nodeId} runs ${id}, which nobody wants`);
    return found;
  }

  async commit(...changes: readonly Change[]): Promise<void> {
    if (changes.length === 0) return;
    await this.#local.propose({
      requestId: "",
      atMs: this.clock.wallMs(),
      isClient: true,
      preconditions: [],
      changes,
      resultJson: "",
    });
  }

  async #disturb(): Promise<void> {
    const nodes = [...this.#agents.values()];
    const agent = nodes[this.#below(nodes.length)];
    const services = this.store.services();
    const service = services[this.#below(services.length)];
    switch (this.#below(10)) {
      case 0:
        await this.changeLeader();
        return;
      case 1:
        if (!agent) return;
        agent.isConnected = !agent.isConnected;
        this.#connectedAtMs.set(agent.nodeId, this.clock.nowMs());
        await this.#putNode(agent, { Availability: "active" });
        return;
      case 2:
        if (agent?.isConnected) await this.changeNode(agent.nodeId, this.#chance(0.5));
        return;
      case 3:
        if (service && this.#chance(0.3))
          await this.commit({ kind: "delete", table: "service", id: service.id });
        return;
      case 4:
        if (service?.previousSpec && this.#chance(0.5)) await this.#rollBack(service);
        return;
      case 5:
      case 6:
        if (services.length < 3) {
          const made = simService(`s${++this.#made}`, this.#wish(), this.clock.wallMs());
          await this.commit({ kind: "putService", service: made });
        }
        return;
      default:
        if (service) await this.#update(service, { ...this.#wish(), mode: simModeOf(service) });
    }
  }

  async #putNode(agent: FakeAgent, wish: Pick<NodeSpec, "Availability" | "Drain">): Promise<void> {
    const made = simNode(agent.nodeId, agent.isConnected ? "ready" : "down", wish.Availability);
    const old = this.store.node(agent.nodeId) ?? made;
    const fields = drainFields(old, { ...made.spec, ...wish }, this.clock.wallMs());
    await this.commit({ kind: "putNode", node: { ...made, ...fields } });
  }

  /** Reachable all the time lately. */
  #isSteady(nodeId: string): boolean {
    const heardForMs = this.clock.nowMs() - (this.#connectedAtMs.get(nodeId) ?? 0);
    return this.#agents.get(nodeId)?.isConnected === true && heardForMs > RECOVERY_MS;
  }

  async #update(service: Service, wish: ServiceWish): Promise<void> {
    const spec = simSpec(service.id, wish);
    const next = {
      ...service,
      ...nextJobFields(service, spec, this.clock.wallMs()),
      spec,
      specVersion: 0,
      previousSpec: service.spec,
      previousSpecVersion: service.specVersion,
      updateStatus: undefined,
    };
    await this.commit({ kind: "putService", service: next });
  }

  async #rollBack(service: Service): Promise<void> {
    if (!service.previousSpec || isJob(service.spec.Mode)) return;
    const next: Service = {
      ...service,
      spec: service.previousSpec,
      specVersion: service.previousSpecVersion,
      previousSpec: service.spec,
      previousSpecVersion: service.specVersion,
      updateStatus: {
        state: "rollback_started",
        startedAtMs: this.clock.wallMs(),
        completedAtMs: 0,
        message: "manually requested rollback",
      },
    };
    await this.commit({ kind: "putService", service: next });
  }

  #wish(): ServiceWish {
    return {
      mode: MODES[this.#below(MODES.length)] ?? "replicated",
      replicas: this.#below(6),
      image: `web:${1 + this.#below(3)}`,
      isStartFirst: this.#chance(0.3),
      parallelism: this.#below(3),
      isPausing: this.#chance(0.3),
      delayMs: this.#chance(0.5) ? 0 : 500 * this.#below(4),
      ...(this.#rebalances && { rebalance: this.#chance(0.7) ? "auto" : "manual" }),
    };
  }

  #chance(probability: number): boolean {
    return this.#random.float() < probability;
  }

  #below(n: number): number {
    return Math.floor(this.#random.float() * n);
  }
}

const MODES: readonly SimMode[] = [
  "replicated",
  "replicated",
  "global",
  "job",
  "globalJob",
  "scheduled",
];
