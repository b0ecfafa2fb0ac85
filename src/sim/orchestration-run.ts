/**
 * One seeded run of the whole orchestration: the real store and leader loops, agents with containers of their own, a user, and faults.
 * Checks on every applied entry what must never happen; `heal` and `run` then show that all comes right in the end.
 */
import {
  type Change,
  isGlobal,
  isJob,
  type NodeSpec,
  type Service,
  TASK_STATE,
  type Task,
  type Transaction,
} from "../api/index.js";
import { type Random, SeededRandom, silentLogger, TaskGroup } from "../base/index.js";
import { drainFields, nextJobFields } from "../manager/control/index.js";
import { newRebalance } from "../manager/core/index.js";
import { leaderLoops } from "../manager/orchestrator/index.js";
import { ClusterStore, LocalProposer, ProposeError, type Proposer } from "../store/index.js";
import { FakeAgent } from "./fake-agent.js";
import { FakeClock } from "./fake-clock.js";
import { type ServiceWish, type SimMode, simNode, simService, simSpec } from "./sim-objects.js";

const NODE_COUNT = 4;
const NANO_PER_MS = 1e6;
const CHANGES_MAX = 1000;
/** Time between two rounds of the agents. */
const AGENT_TICK_MS = 100;

/** How often `settle` looks, and how long all must have been well. */
const LOOK_MS = 1_000;
const CALM_MS = 15_000;

/** A node that comes back has this long to stop what was replaced meanwhile. */
const RECOVERY_MS = 10_000;

type Pending = { readonly run: () => void; readonly drop: () => void };

export class OrchestrationRun {
  readonly clock = new FakeClock();
  readonly store: ClusterStore;
  /** What was seen to be wrong. */
  readonly violations: string[] = [];
  readonly #random: Random;
  readonly #local: LocalProposer;
  readonly #agents = new Map<string, FakeAgent>();
  readonly #pending = new Set<Pending>();
  readonly #loopFailures: unknown[] = [];
  /** Services that were ever updated start-first: two tasks may run in a slot for a while. */
  readonly #overlapping = new Set<string>();
  /** Services with one task per node, deleted ones too: their tasks go on for a while. */
  readonly #global = new Set<string>();
  /** Tasks that were on a node when it was drained: they may run beside their replacements. */
  readonly #leaving = new Set<string>();
  readonly #rebalances: boolean;
  readonly #connectedAtMs = new Map<string, number>();
  #group: TaskGroup | undefined;
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
    this.store.subscribe((batch) => {
      if (batch.kind !== "changes") return;
      for (const event of batch.events) {
        if (event.table === "node" && event.kind !== "removed") this.#noteDrain(event.object.id);
        if (event.table === "task" && event.kind !== "removed")
          this.#checkTask(event.object, event.kind === "updated" ? event.old : undefined);
        if (event.table === "task" && event.kind === "created") this.#checkJob(event.object);
        if (event.table === "service" && event.kind === "created")
          if (isGlobal(event.object.spec.Mode)) this.#global.add(event.object.id);
        if (event.table === "service" && event.kind !== "removed")
          for (const { taskId } of event.object.rebalance?.moves ?? []) this.#leaving.add(taskId);
        if (event.table === "service" && event.kind === "updated")
          this.#checkTick(event.old, event.object);
      }
    });
  }

  async start(): Promise<void> {
    for (let i = 1; i <= NODE_COUNT; i++) {
      const id = `node${i}`;
      await this.commit({ kind: "putNode", node: simNode(id, "ready", "active") });
      this.#agents.set(id, new FakeAgent(id, this.store, this.#random));
    }
    this.#startLeader();
  }

  /** Ends loops that must end, and reports those that failed. */
  async stop(): Promise<void> {
    await this.#stopLeader();
    if (this.#loopFailures.length > 0)
      this.violations.push(`a loop failed: ${String(this.#loopFailures[0])}`);
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
    await this.#stopLeader();
    this.#startLeader();
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
    const found: string[] = [];
    for (const service of this.store.services()) {
      const wanted = this.store
        .tasksByService(service.id)
        .filter((task) => task.desiredState <= TASK_STATE.complete);
      const slots = new Set(wanted.map((task) => this.#slotKey(task)));
      const count = slotCount(service);
      if (slots.size !== count || wanted.length !== count)
        found.push(`${service.id}: ${wanted.length} tasks, ${count} wanted`);
      const goal = isJob(service.spec.Mode) ? TASK_STATE.complete : TASK_STATE.running;
      for (const task of wanted) {
        if (task.state !== goal) found.push(`${describe(task)} is not where it is to be`);
        if (!isPaused(service) && imageOf(task) !== service.spec.TaskTemplate.ContainerSpec.Image)
          found.push(`${describe(task)} has ${imageOf(task)}`);
      }
      const state = service.updateStatus?.state;
      if (state === "updating" || state === "rollback_started")
        found.push(`${service.id} is still ${state}`);
    }
    for (const task of this.store.tasks())
      if (!this.store.service(task.serviceId)) found.push(`${describe(task)} has no service`);
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

  #noteDrain(nodeId: string): void {
    if (this.store.node(nodeId)?.spec.Availability !== "drain") return;
    for (const task of this.store.tasksByNode(nodeId)) this.#leaving.add(task.id);
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

  #startLeader(): void {
    this.#group = new TaskGroup((_name, error) => this.#loopFailures.push(error));
    const { signal } = this.#group;
    for (const loop of leaderLoops) {
      const context = {
        store: this.store,
        proposer: this.#proposer(),
        clock: this.clock,
        random: this.#random,
        logger: silentLogger,
        signal,
      };
      this.#group.run(loop.name, () => loop.run(context));
    }
  }

  /** Each transaction in flight is committed before the next leader starts, or never. */
  async #stopLeader(): Promise<void> {
    const pending = [...this.#pending];
    this.#pending.clear();
    for (const one of pending) {
      if (this.#chance(0.5)) one.run();
      else one.drop();
    }
    await this.#group?.[Symbol.asyncDispose]();
    for (const one of this.#pending) one.drop();
    this.#pending.clear();
  }

  /** Takes a while, and fails now and then. */
  #proposer(): Proposer {
    return {
      propose: (transaction: Transaction) =>
        new Promise((resolve, reject) => {
          if (transaction.changes.length > CHANGES_MAX)
            this.violations.push(`a transaction of ${transaction.changes.length} changes`);
          const pending: Pending = {
            run: () => {
              this.#local.propose(transaction).then(resolve, reject);
            },
            drop: () => {
              reject(new ProposeError("OUTCOME_UNKNOWN", "the leader was lost"));
            },
          };
          if (this.#isFaulty && this.#chance(0.05)) {
            reject(new ProposeError("OVERLOADED", "try again"));
            return;
          }
          this.#pending.add(pending);
          this.clock.setTimer(this.#below(30), () => {
            if (this.#pending.delete(pending)) pending.run();
          });
        }),
    };
  }

  #checkTask(task: Task, old: Task | undefined): void {
    const say = (what: string): void => {
      this.violations.push(`${describe(task)}: ${what}`);
    };
    if (old) {
      if (old.nodeId !== "" && old.nodeId !== task.nodeId) say(`left ${old.nodeId}`);
      if (task.state < old.state) say(`state went back from ${old.state}`);
      if (task.desiredState < old.desiredState) say(`desired went back from ${old.desiredState}`);
    }
    if (this.store.node(task.nodeId)?.spec.Availability === "drain") this.#leaving.add(task.id);
    const inSlot = this.store
      .tasksBySlot(task.serviceId, task.slot)
      .filter((other) => this.#slotKey(other) === this.#slotKey(task));
    const running = inSlot.filter(
      (t) =>
        (t.desiredState === TASK_STATE.running || t.desiredState === TASK_STATE.complete) &&
        t.state === TASK_STATE.running,
    );
    const hasStarted = task.state === TASK_STATE.running && old?.state !== TASK_STATE.running;
    if (hasStarted && !this.#overlapping.has(task.serviceId))
      for (const other of inSlot)
        if (other.id !== task.id && !this.#leaving.has(other.id) && this.#hasSteadyContainer(other))
          say(`started while ${describe(other)} was still there`);
    if (running.length > 2) say(`${running.length} run in its slot`);
    const order = this.store.service(task.serviceId)?.spec.UpdateConfig?.Order;
    if (order === "start-first") this.#overlapping.add(task.serviceId);
    const isBesideLeaving = running.some((each) => this.#leaving.has(each.id));
    if (running.length === 2 && !isBesideLeaving && !this.#overlapping.has(task.serviceId))
      say("two run in its slot");
  }

  /** Slots of a run never exceed its completions, tasks that go on never its concurrency. */
  #checkJob(made: Task): void {
    const service = this.store.service(made.serviceId);
    const mode = service?.spec.Mode;
    // One that was on its way when the next run began is removed again.
    if (made.jobIteration !== service?.jobIteration || !mode || !("ReplicatedJob" in mode)) return;
    const { MaxConcurrent, TotalCompletions } = mode.ReplicatedJob;
    const ofRun = this.store
      .tasksByService(made.serviceId)
      .filter((task) => task.jobIteration === made.jobIteration);
    const going = ofRun.filter(
      (task) => task.desiredState <= TASK_STATE.complete && task.state < TASK_STATE.complete,
    );
    if (made.slot >= TotalCompletions)
      this.violations.push(`${describe(made)}: only ${TotalCompletions} completions are wanted`);
    if (going.length > MaxConcurrent)
      this.violations.push(`${describe(made)}: ${going.length} go on, ${MaxConcurrent} may`);
  }

  /** A tick starts one run, and a later tick a later one. */
  #checkTick(old: Service, service: Service): void {
    const [before, after] = [old.schedule, service.schedule];
    if (!before || !after || before.lastTickMs === after.lastTickMs) return;
    if (after.lastTickMs < before.lastTickMs || service.jobIteration !== old.jobIteration + 1)
      this.violations.push(`${service.id}: the tick of ${after.lastTickMs} starts more than a run`);
    if (after.lastTickMs < before.nextTickMs)
      this.violations.push(`${service.id}: the tick of ${after.lastTickMs} was decided before`);
  }

  /** Its container runs on a node that was reachable all the time, so it could have been stopped first. */
  #hasSteadyContainer(task: Task): boolean {
    const agent = this.#agents.get(task.nodeId);
    if (!agent?.isConnected || task.desiredState >= TASK_STATE.remove) return false;
    const heardForMs = this.clock.nowMs() - (this.#connectedAtMs.get(agent.nodeId) ?? 0);
    return heardForMs > RECOVERY_MS && agent.running().has(task.id);
  }

  /** Tells slots of a service apart: runs of a job have their own, and where there is one task per node it is the node. */
  #slotKey(task: Task): string {
    const place = this.#global.has(task.serviceId) ? task.nodeId : task.slot;
    return `${task.jobIteration}/${place}`;
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

function simModeOf({ spec: { Mode: mode }, schedule }: Service): SimMode {
  if (schedule) return "scheduled";
  if ("Replicated" in mode) return "replicated";
  if ("Global" in mode) return "global";
  return "ReplicatedJob" in mode ? "job" : "globalJob";
}

/** Slots that are filled when all nodes are up: of jobs, completed. */
function slotCount({ spec: { Mode: mode } }: Service): number {
  if ("Replicated" in mode) return mode.Replicated.Replicas;
  return "ReplicatedJob" in mode ? mode.ReplicatedJob.TotalCompletions : NODE_COUNT;
}

function isPaused(service: Service): boolean {
  return service.updateStatus?.state.endsWith("paused") ?? false;
}

function imageOf(task: Task): string {
  return task.spec.ContainerSpec.Image;
}

function describe(task: Task): string {
  return `${task.serviceId}.${task.slot}.${task.id.slice(0, 4)} (${task.desiredState}/${task.state} on ${task.nodeId})`;
}
