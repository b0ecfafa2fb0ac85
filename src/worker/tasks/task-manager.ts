/**
 * All tasks of this node. Takes the managers' assignments, keeps one runner per task, adopts after a restart what still
 * runs, and removes what nobody wants. Works the same with and without a session.
 */

import { TASK_STATE } from "../../api/index.js";
import type { Clock, Logger } from "../../base/index.js";
import { TaskGroup } from "../../base/index.js";
import { type AssignmentMessage, planAssignments } from "../core/task/assignment-set.js";
import { retryDelayMs } from "../core/task/outcome.js";
import type { Assignment, TaskStatus } from "../core/task/types.js";
import { type ContainerState, type Engine, EngineError } from "../engine/port.js";
import type { NetPort } from "../net/index.js";
import type { ControllerDeps } from "./container-controller.js";
import { ContainerEvents } from "./container-events.js";
import { SERVICE_ID_LABEL, TASK_ID_LABEL } from "./container-request.js";
import type { RecordStore, TaskRecord } from "./record-store.js";
import { StartGate } from "./start-gate.js";
import { TaskRunner } from "./task-runner.js";

export type TaskManagerDeps = ControllerDeps & {
  readonly engine: Engine;
  readonly net: NetPort;
  readonly store: RecordStore;
  readonly clock: Clock;
  readonly logger: Logger;
};

/** Grace of a container that no task is known for any more. */
const ORPHAN_GRACE_MS = 10_000;
/** The withdrawal of a container's attachments, and their drain. */
const ATTACHMENTS_MAX_MS = 4_000;

export class TaskManager implements AsyncDisposable {
  readonly #deps: TaskManagerDeps;
  /** Of the containers of all tasks. */
  readonly events: ContainerEvents;
  readonly #runners = new Map<string, TaskRunner>();
  readonly #group: TaskGroup;
  readonly #gate: StartGate;
  readonly #statusListeners = new Set<(status: TaskStatus) => void>();
  readonly #erasedListeners = new Set<(taskId: string) => void>();
  #stopEngineEvents: () => void = () => undefined;
  #index = 0;
  #hasSeenCompleteSet = false;

  constructor(deps: TaskManagerDeps) {
    this.#deps = deps;
    this.events = new ContainerEvents(deps);
    this.#gate = new StartGate(deps.clock);
    this.#group = new TaskGroup((name, error) => {
      deps.logger.error({ error, name }, "task runner ended by a fault; it begins again");
      const runner = this.#runners.get(name);
      // One task's fault must not end the others; a pause keeps a lasting one from spinning.
      if (runner !== undefined) deps.clock.setTimer(1_000, () => this.#launch(name, runner));
    });
  }

  /** Log index up to which assignments are applied; 0 asks for the complete set. */
  get index(): number {
    return this.#index;
  }

  /** Reads what an earlier agent left and goes on with it. Nothing is restarted by this. */
  async open(): Promise<void> {
    // All of them first: an attachment looks for its container's task as soon as it runs.
    const runners = (await this.#deps.store.load()).map((record) => this.#prepareRunner(record));
    for (const runner of runners) this.#launch(runner.record.assignment.taskId, runner);
    this.#stopEngineEvents = this.#deps.engine.subscribe((event) => {
      if (event.kind === "up") for (const runner of this.#runners.values()) runner.poke();
    });
  }

  /** The next session must ask for the complete set (other cluster, or a gap). */
  forgetIndex(): void {
    this.#index = 0;
  }

  /** False on a gap: the session has to be opened again. */
  apply(message: AssignmentMessage): boolean {
    const plan = planAssignments(this.#index, this.#runners.keys(), message);
    if (plan.kind === "gap") {
      this.#index = 0;
      return false;
    }
    const added: TaskRunner[] = [];
    for (const id of plan.withdrawnIds) this.#runners.get(id)?.withdraw();
    for (const assignment of plan.tasks) {
      const runner = this.#runners.get(assignment.taskId);
      if (runner !== undefined) runner.assign(assignment);
      else added.push(this.#prepareRunner(newRecord(assignment, this.#deps.clock.wallMs())));
    }
    // Runners act in later turns: the gate is closed before any of them can start something.
    if (message.isComplete) this.#holdStarts();
    for (const runner of added) this.#launch(runner.record.assignment.taskId, runner);
    this.#index = plan.index;
    if (message.isComplete && !this.#hasSeenCompleteSet) {
      this.#hasSeenCompleteSet = true;
      this.#holdForOrphans();
    }
    return true;
  }

  runner(taskId: string): TaskRunner | undefined {
    return this.#runners.get(taskId);
  }

  runners(): readonly TaskRunner[] {
    return [...this.#runners.values()];
  }

  /** Statuses of all tasks the managers know of. */
  statuses(): readonly TaskStatus[] {
    return this.runners()
      .map((runner) => runner.record)
      .filter((record) => !record.isWithdrawn && record.status.state >= TASK_STATE.accepted)
      .map((record) => record.status);
  }

  /** Returns how to stop it. */
  onStatus(listener: (status: TaskStatus) => void): () => void {
    this.#statusListeners.add(listener);
    return () => this.#statusListeners.delete(listener);
  }

  /** Returns how to stop it. */
  onErased(listener: (taskId: string) => void): () => void {
    this.#erasedListeners.add(listener);
    return () => this.#erasedListeners.delete(listener);
  }

  /** Those that are for this task's container and hold a network. */
  attachmentsOf(taskId: string): readonly TaskRunner[] {
    return this.runners().filter(
      (runner) => runner.attachedTo === taskId && runner.record.hasNetwork,
    );
  }

  /** Containers that may hold network: what net must keep when it compares. */
  async networkIds(): Promise<readonly string[]> {
    const ids = new Set<string>();
    for (const runner of this.#runners.values()) {
      if (runner.attachedTo === undefined && runner.record.hasNetwork)
        ids.add(runner.record.assignment.taskId);
    }
    // Orphans are kept until the managers have spoken.
    if (!this.#hasSeenCompleteSet) {
      for (const container of await this.#deps.engine.list()) {
        if (isTaskContainer(container)) ids.add(container.id);
      }
    }
    return [...ids].sort();
  }

  /** This node left or was removed: stops and deletes all tasks. Resolves when they are gone or the signal aborts. */
  async removeAll(signal: AbortSignal): Promise<void> {
    this.#index = 0;
    const runners = this.runners();
    for (const runner of runners) runner.withdraw();
    const gone = new Promise<void>((resolve) => {
      const check = (): void => {
        if (this.#runners.size === 0) resolve();
      };
      this.onErased(check);
      check();
    });
    await Promise.race([gone, aborted(signal)]);
    if (!signal.aborted) await this.#removeOrphans(signal);
  }

  /** Stops all runners; containers run on. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopEngineEvents();
    await this.#group[Symbol.asyncDispose]();
    await this.#deps.store.flushAll();
  }

  #holdStarts(): void {
    for (const runner of this.#runners.values()) {
      if (!runner.isSuperseded) continue;
      this.#gate.hold(runner.record.assignment.serviceId, runner.whenEnded());
    }
  }

  /** The managers end them when they end the container's task; nobody waits longer than they take for that. */
  async #attachmentsEnded(taskId: string, signal: AbortSignal): Promise<void> {
    const left = this.attachmentsOf(taskId);
    if (left.length === 0) return;
    const ended = Promise.all(left.map((runner) => runner.whenEnded()));
    await Promise.race([ended, this.#deps.clock.sleep(ATTACHMENTS_MAX_MS, signal)]);
  }

  #holdForOrphans(): void {
    const done = this.#removeOrphans(this.#group.signal);
    this.#gate.hold("", done);
    this.#group.run("orphans", () => done);
  }

  #prepareRunner(record: TaskRecord): TaskRunner {
    const { taskId } = record.assignment;
    const runner = new TaskRunner(record, {
      ...this.#deps,
      events: this.events,
      logger: this.#deps.logger.child({ taskId }),
      onChange: (changed, hasNewStatus) => {
        if (!hasNewStatus || changed.isWithdrawn) return;
        for (const listener of this.#statusListeners) listener(changed.status);
      },
      onErased: (id) => {
        this.#runners.delete(id);
        for (const listener of [...this.#erasedListeners]) listener(id);
      },
      taskOf: (id) => this.#runners.get(id),
      attachmentsEnded: (id, signal) => this.#attachmentsEnded(id, signal),
      mayStart: (serviceId, signal) => this.#gate.pass(serviceId, signal),
    });
    this.#runners.set(taskId, runner);
    return runner;
  }

  #launch(taskId: string, runner: TaskRunner): void {
    if (!this.#group.signal.aborted) this.#group.run(taskId, (signal) => runner.run(signal));
  }

  /** Containers of ours without a task, and directories of forgotten tasks. Never rejects. */
  async #removeOrphans(signal: AbortSignal): Promise<void> {
    for (let attempt = 0; !signal.aborted; attempt += 1) {
      try {
        const containers = await this.#deps.engine.list();
        const orphans = containers.filter(
          (container) => isTaskContainer(container) && !this.#runners.has(container.id),
        );
        await Promise.all(orphans.map((container) => this.#removeOrphan(container, signal)));
        await this.#deps.store.removeOthers(new Set(this.#runners.keys()));
        return;
      } catch (error) {
        if (signal.aborted) return;
        this.#deps.logger.warn({ error }, "cannot remove containers without a task yet");
        await this.#deps.clock.sleep(retryDelayMs(attempt), signal).catch(() => undefined);
      }
    }
  }

  async #removeOrphan(container: ContainerState, signal: AbortSignal): Promise<void> {
    const { id, labels } = container;
    this.#deps.logger.info(
      { taskId: id, serviceId: labels[SERVICE_ID_LABEL] },
      "removing a container without a task",
    );
    if (container.state === "running" || container.state === "paused") {
      const options = { signalName: "SIGTERM", graceMs: ORPHAN_GRACE_MS };
      await this.#deps.engine.stop(id, options, signal).catch((error: unknown) => {
        if (!(error instanceof EngineError && error.code === "NOT_FOUND")) throw error;
      });
    }
    await this.#deps.net.release(id, signal);
    await this.#deps.engine.remove(id);
  }
}

function isTaskContainer(container: ContainerState): boolean {
  return container.labels[TASK_ID_LABEL] === container.id;
}

function newRecord(assignment: Assignment, nowMs: number): TaskRecord {
  return {
    format: 1,
    assignment,
    status: {
      taskId: assignment.taskId,
      state: TASK_STATE.assigned,
      atMs: nowMs,
      message: "",
      err: "",
      containerId: "",
      pid: 0,
      exitCode: 0,
      portStatus: [],
    },
    isWithdrawn: false,
    hasNetwork: false,
    hasRemains: false,
    attachment: undefined,
    image: undefined,
    hostname: "",
    volumes: [],
    anonymousVolumes: [],
    createdAtMs: 0,
    startedAtMs: 0,
    finishedAtMs: 0,
    isOomKilled: false,
  };
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
