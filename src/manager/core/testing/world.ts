/**
 * A cluster for tests of the cores: the real store, all reconcilers, simple agents, and time as a number. Everything runs
 * synchronously until nothing more is to be done.
 */
import {
  type Change,
  type DrainConfig,
  encodeTransaction,
  type GenericResource,
  isJob,
  type Node,
  type Precondition,
  type Service,
  type ServiceMode,
  type ServiceSpec,
  scheduleOf,
  TASK_STATE,
  type Task,
  type TaskSpec,
  type TaskState,
  type TaskStateName,
  type UpdateConfig,
} from "../../../api/index.js";
import { SeededRandom } from "../../../base/index.js";
import { ClusterStore } from "../../../store/index.js";
import { Allocator } from "../allocator.js";
import { Attachments } from "../attachments.js";
import { ConstraintEnforcer } from "../constraint-enforcer.js";
import { JobSchedules } from "../job-schedules.js";
import { startSchedule } from "../job-ticks.js";
import { LostTasks } from "../lost-tasks.js";
import { CHANGES_MAX, Plan } from "../plan.js";
import type { Reach } from "../reach.js";
import { Reaper } from "../reaper.js";
import { newRebalance } from "../rebalance.js";
import type { Reconciler } from "../reconciler.js";
import { Scheduling } from "../scheduling.js";
import { ServiceReconciler } from "../service-reconciler.js";

export const SECOND_NS = 1e9;

export type NodeFields = {
  readonly state?: Node["state"];
  readonly availability?: Node["spec"]["Availability"];
  readonly drain?: DrainConfig;
  readonly labels?: Readonly<Record<string, string>>;
  readonly cpus?: number;
  readonly memBytes?: number;
  readonly generic?: readonly GenericResource[];
};

export type ServiceFields = {
  readonly replicas?: number;
  /** Instead of `replicas`. */
  readonly mode?: ServiceMode;
  readonly image?: string;
  readonly template?: Partial<TaskSpec>;
  readonly update?: Partial<UpdateConfig>;
  readonly rollback?: Partial<UpdateConfig>;
  readonly rebalance?: ServiceSpec["Rebalance"];
  readonly ports?: NonNullable<ServiceSpec["EndpointSpec"]>["Ports"];
};

/** What the agent of a node does with a task next; undefined: nothing yet. */
export type Agent = (task: Task) => TaskStateName | undefined;

/** Runs what it is asked to run, stops what it is asked to stop, at once. The tasks of jobs end well in their second turn. */
export const goodAgent: Agent = (task) => {
  if (task.desiredState === TASK_STATE.complete)
    return task.state < TASK_STATE.running ? "running" : "complete";
  return busyAgent(task);
};

/** The same, but no job comes to its end. */
export const busyAgent: Agent = (task) => {
  if (task.desiredState > TASK_STATE.complete) return "shutdown";
  if (task.desiredState === TASK_STATE.ready)
    return task.state < TASK_STATE.ready ? "ready" : undefined;
  return task.state < TASK_STATE.running ? "running" : undefined;
};

const ROUNDS_MAX = 2000;

export class World {
  readonly store: ClusterStore;
  nowMs = 1_700_000_000_000;
  /** Asked for each task on a node that is not down. */
  agent: Agent = goodAgent;
  readonly limit: number;
  #reconcilers: Reconciler[] = [];
  readonly #reach: Reach | undefined;
  #random = new SeededRandom(1);
  #wakeAtMs: number | undefined;

  constructor(limit = CHANGES_MAX, reach?: Reach) {
    this.limit = limit;
    this.#reach = reach;
    this.store = new ClusterStore({
      yieldToLoop: () => Promise.resolve(),
      nowMs: () => this.nowMs,
    });
    this.store.subscribe((batch) => {
      if (batch.kind !== "changes") return;
      for (const reconciler of this.#reconcilers)
        reconciler.observe(batch.events, this.store, this.nowMs);
    });
    this.electLeader();
  }

  /** All that reconcilers remembered is lost, as on a new leader. */
  electLeader(): void {
    this.#reconcilers = [
      new Allocator(),
      new Attachments(),
      new ServiceReconciler(this.#random, this.#reach),
      new JobSchedules(),
      new Scheduling(),
      new Reaper(),
      new ConstraintEnforcer(),
      new LostTasks(),
    ];
    for (const reconciler of this.#reconcilers) reconciler.reset(this.store, this.nowMs);
  }

  commit(
    changes: readonly Change[],
    options: { isClient?: boolean; atMs?: number; preconditions?: readonly Precondition[] } = {},
  ): void {
    const { isClient = false, atMs = this.nowMs, preconditions = [] } = options;
    const transaction = {
      requestId: "",
      atMs,
      isClient,
      preconditions,
      changes,
      resultJson: "",
    };
    const outcome = this.store.apply(this.store.index + 1, encodeTransaction(transaction));
    if (outcome.kind === "rejected") throw new Error(JSON.stringify(outcome));
  }

  /** Lets reconcilers and agents work until all are quiet. Time stands still. */
  settle(): this {
    for (let round = 0; round < ROUNDS_MAX; round++) {
      this.#wakeAtMs = undefined;
      const isBusy = [this.#runReconcilers(), this.#runAgents()].some(Boolean);
      if (!isBusy) return this;
    }
    throw new Error(`still busy after ${ROUNDS_MAX} rounds`);
  }

  /** Moves time on, stopping wherever a reconciler wanted to look again. */
  advance(byMs: number): this {
    const untilMs = this.nowMs + byMs;
    this.settle();
    while (this.#wakeAtMs !== undefined && this.#wakeAtMs <= untilMs) {
      this.nowMs = Math.max(this.nowMs, this.#wakeAtMs);
      this.settle();
    }
    this.nowMs = untilMs;
    return this.settle();
  }

  #runReconcilers(): boolean {
    let isBusy = false;
    for (const reconciler of this.#reconcilers) {
      const plan = new Plan(this.nowMs, this.limit);
      reconciler.plan(this.store, plan);
      if (plan.wakeAtMs !== undefined)
        this.#wakeAtMs = Math.min(this.#wakeAtMs ?? plan.wakeAtMs, plan.wakeAtMs);
      if (plan.changes.length === 0) continue;
      isBusy = true;
      this.commit(plan.changes, { atMs: plan.atMs, preconditions: plan.preconditions });
      reconciler.settled(true, this.store);
    }
    return isBusy;
  }

  #runAgents(): boolean {
    const before = this.store.index;
    for (const task of this.store.tasks()) {
      const node = this.store.node(task.nodeId);
      if (!node || node.state === "down" || task.state > TASK_STATE.running) continue;
      // What was made for the node is not told to it before it is assigned.
      if (task.state < TASK_STATE.assigned) continue;
      const next = this.agent(task);
      if (next !== undefined && TASK_STATE[next] > task.state) this.report(task, next);
    }
    return this.store.index > before;
  }

  report(task: Task, state: TaskStateName, fields: { exitCode?: number } = {}): void {
    this.commit([
      {
        kind: "taskStatus",
        taskId: task.id,
        state: TASK_STATE[state],
        atMs: this.nowMs,
        message: state,
        err: "",
        containerId: "",
        pid: 0,
        exitCode: fields.exitCode ?? 0,
        portStatus: [],
      },
    ]);
  }

  putTask(fields: Partial<Task> & Pick<Task, "id">): Task {
    const service = this.service();
    const task: Task = {
      versionIndex: 0,
      createdAtMs: this.nowMs,
      updatedAtMs: this.nowMs,
      serviceId: service.id,
      serviceName: service.spec.Name,
      slot: 1,
      nodeId: "",
      spec: service.spec.TaskTemplate,
      specVersion: service.specVersion,
      hostPorts: [],
      desiredState: TASK_STATE.running,
      state: TASK_STATE.pending,
      statusAtMs: this.nowMs,
      message: "",
      err: "",
      containerId: "",
      pid: 0,
      exitCode: 0,
      portStatus: [],
      notBeforeMs: 0,
      jobIteration: 0,
      genericResources: [],
      networks: [],
      networkPhase: 0,
      ...fields,
    };
    this.commit([{ kind: "putTask", task }], { atMs: task.createdAtMs });
    return task;
  }

  putNode(id: string, fields: NodeFields = {}): void {
    const old = this.store.node(id);
    const state = fields.state ?? old?.state ?? "ready";
    const availability = fields.availability ?? old?.spec.Availability ?? "active";
    const isDrained = availability === "drain";
    const drain = isDrained ? (fields.drain ?? old?.spec.Drain) : undefined;
    const goesOn = old?.spec.Availability === "drain" && !fields.drain;
    const node: Node = {
      ...meta(id),
      spec: {
        Labels: fields.labels ?? old?.spec.Labels ?? {},
        Role: "worker",
        Availability: availability,
        ...(drain && { Drain: drain }),
      },
      role: "worker",
      description: {
        Hostname: id,
        Platform: { Architecture: "x86_64", OS: "linux" },
        Resources: {
          NanoCPUs: (fields.cpus ?? 8) * SECOND_NS,
          MemoryBytes: fields.memBytes ?? 2 ** 33,
          GenericResources: fields.generic ?? [],
        },
        Engine: { EngineVersion: "1", Plugins: [] },
        EngineKind: "simulated",
      },
      state,
      stateMessage: "",
      addr: "10.0.0.1",
      manager: undefined,
      nodeIndex: 1,
      bootId: "",
      downSinceMs: state === "down" ? this.nowMs : 0,
      drainSinceMs: !isDrained ? 0 : goesOn ? old.drainSinceMs : this.nowMs,
    };
    this.commit([{ kind: "putNode", node }]);
  }

  addNodes(...ids: readonly string[]): this {
    for (const id of ids) this.putNode(id);
    return this;
  }

  /** As control does it: tasks that had not ended are orphaned with the node. */
  removeNode(id: string): void {
    const orphans = this.store.tasksByNode(id).filter((task) => task.state < TASK_STATE.complete);
    for (const task of orphans) this.report(task, "orphaned");
    this.commit([{ kind: "delete", table: "node", id }]);
  }

  createService(fields: ServiceFields = {}, id = "web"): this {
    this.commit(
      [
        {
          kind: "putService",
          service: {
            ...meta(id),
            spec: specOf(id, fields),
            specVersion: 0,
            previousSpec: undefined,
            previousSpecVersion: 0,
            updateStatus: undefined,
            ports: [],
            registryAuth: "",
            previousRegistryAuth: "",
            jobIteration: 0,
            vips: [],
            ...this.#jobFields(fields.mode),
          },
        },
      ],
      { isClient: true },
    );
    return this;
  }

  #jobFields(mode: ServiceMode | undefined): Pick<Service, "lastExecutionMs" | "schedule"> {
    if (!mode || !isJob(mode)) return { lastExecutionMs: 0 };
    const schedule = scheduleOf(mode);
    if (!schedule) return { lastExecutionMs: this.nowMs };
    return { lastExecutionMs: 0, schedule: startSchedule(schedule, this.nowMs) };
  }

  /** As control does it: the whole spec anew, the old one kept, the update status cleared. */
  updateService(fields: ServiceFields, id = "web"): this {
    const old = this.service(id);
    this.commit(
      [
        {
          kind: "putService",
          service: {
            ...old,
            spec: specOf(id, fields),
            specVersion: 0,
            previousSpec: old.spec,
            previousSpecVersion: old.specVersion,
            updateStatus: undefined,
            ...(isJob(old.spec.Mode) && {
              jobIteration: old.jobIteration + 1,
              lastExecutionMs: this.nowMs,
            }),
          },
        },
      ],
      { isClient: true },
    );
    return this;
  }

  /** As control does it: the two specs change places, with their versions. */
  rollBack(id = "web"): this {
    const old = this.service(id);
    if (!old.previousSpec) throw new Error("no previous spec");
    this.commit(
      [
        {
          kind: "putService",
          service: {
            ...old,
            spec: old.previousSpec,
            specVersion: old.previousSpecVersion,
            previousSpec: old.spec,
            previousSpecVersion: old.specVersion,
            updateStatus: {
              state: "rollback_started",
              startedAtMs: this.nowMs,
              completedAtMs: 0,
              message: "manually requested rollback",
            },
          },
        },
      ],
      { isClient: true },
    );
    return this;
  }

  /** As control does it for the command. */
  rebalance(id = "web"): this {
    const { specVersion } = this.service(id);
    const rebalance = newRebalance(this.nowMs, true);
    const change = { kind: "serviceRebalance", serviceId: id, specVersion, rebalance } as const;
    this.commit([change], { isClient: true });
    return this;
  }

  removeService(id = "web"): this {
    this.commit([{ kind: "delete", table: "service", id }], { isClient: true });
    return this;
  }

  service(id = "web"): Service {
    const service = this.store.service(id);
    if (!service) throw new Error(`no service ${id}`);
    return service;
  }

  get updateState(): string {
    return this.service().updateStatus?.state ?? "none";
  }

  /** Tasks that are to run, by slot and age. */
  wanted(id = "web"): Task[] {
    return this.tasks(id).filter((task) => task.desiredState <= TASK_STATE.complete);
  }

  /** All tasks of the service, by slot and age. */
  tasks(id = "web"): Task[] {
    return [...this.store.tasksByService(id)].sort(
      (a, b) => a.slot - b.slot || a.createdAtMs - b.createdAtMs,
    );
  }

  task(id: string): Task {
    const task = this.store.task(id);
    if (!task) throw new Error(`no task ${id}`);
    return task;
  }

  /** `slot:node:state` of each wanted task. */
  placed(id = "web"): string[] {
    return this.wanted(id).map((task) => `${task.slot}:${task.nodeId}:${stateName(task.state)}`);
  }

  /** How many wanted tasks have each image. */
  images(id = "web"): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const { spec } of this.wanted(id))
      counts[spec.ContainerSpec.Image] = (counts[spec.ContainerSpec.Image] ?? 0) + 1;
    return counts;
  }
}

export function stateName(state: TaskState): string {
  return Object.entries(TASK_STATE).find(([, value]) => value === state)?.[0] ?? "?";
}

function meta(id: string) {
  return { id, versionIndex: 0, clientIndex: 0, createdAtMs: 0, updatedAtMs: 0 };
}

function specOf(name: string, fields: ServiceFields): ServiceSpec {
  return {
    Name: name,
    Labels: {},
    TaskTemplate: {
      ContainerSpec: { Image: fields.image ?? "web:1" },
      ForceUpdate: 0,
      Runtime: "container",
      ...fields.template,
    },
    Mode: fields.mode ?? { Replicated: { Replicas: fields.replicas ?? 1 } },
    ...(fields.update ? { UpdateConfig: { Parallelism: 1, ...fields.update } } : {}),
    ...(fields.rollback ? { RollbackConfig: { Parallelism: 1, ...fields.rollback } } : {}),
    ...(fields.rebalance ? { Rebalance: fields.rebalance } : {}),
    ...(fields.ports ? { EndpointSpec: { Ports: fields.ports } } : {}),
  };
}
