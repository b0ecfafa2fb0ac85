/**
 * One task on this node: asks the core for the next step, carries it out, records what came of it. Everything it does is
 * safe to repeat, so a restarted agent just runs it again on the stored record and finds the container as it left it.
 */
import { containerTaskOf, NETWORK_PHASE, TASK_STATE } from "../../api/index.js";
import { invariant, unreachable } from "../../base/index.js";
import { type Outcome, outcomeOfFailure, retryDelayMs } from "../core/task/outcome.js";
import { decideStep, type TaskStep } from "../core/task/step.js";
import { type Assignment, isTerminal, laterDesired } from "../core/task/types.js";
import { EngineError } from "../engine/port.js";
import { NetError } from "../net/index.js";
import { AttachmentController, type AttachmentDeps } from "./attachment-controller.js";
import { ContainerController, type ContainerDeps } from "./container-controller.js";
import type { ProbeResult } from "./health-monitor.js";
import type { TaskRecord } from "./record-store.js";
import type { TaskController } from "./task-controller.js";

export type RunnerDeps = ContainerDeps &
  AttachmentDeps & {
    /** A task's record changed; `hasNewStatus` if the managers should hear of it. */
    readonly onChange: (record: TaskRecord, hasNewStatus: boolean) => void;
    readonly onErased: (taskId: string) => void;
    /** Resolves when the task may go from ready to starting. */
    readonly mayStart: (serviceId: string, signal: AbortSignal) => Promise<void>;
  };

export class TaskRunner {
  readonly #deps: RunnerDeps;
  readonly #controller: TaskController;
  #record: TaskRecord;
  /** Counts wishes, so that one that arrives between deciding and waiting is not missed. */
  #version = 0;
  #wake: () => void = () => undefined;
  #interrupt = new AbortController();
  #endedListeners: (() => void)[] = [];
  #isErased = false;

  constructor(record: TaskRecord, deps: RunnerDeps) {
    this.#record = record;
    this.#deps = deps;
    const owner = {
      read: () => this.#record,
      update: (change: Partial<TaskRecord>) => this.#update(change, false),
    };
    this.#controller =
      this.attachedTo === undefined
        ? new ContainerController(deps, owner)
        : new AttachmentController(deps, owner);
  }

  get record(): TaskRecord {
    return this.#record;
  }

  /** Of an attachment: the task whose container it is for. */
  get attachedTo(): string | undefined {
    return containerTaskOf(this.#record.assignment);
  }

  /** Its stop is not held for connections that are open. */
  hurry(): void {
    this.#controller.hurry();
  }

  get health():
    | {
        readonly status: string;
        readonly failingStreak: number;
        readonly log: readonly ProbeResult[];
      }
    | undefined {
    const monitor = this.#controller.health;
    if (monitor === undefined) return undefined;
    return { ...monitor.state, log: monitor.results };
  }

  /** Whether its container may be running against the managers' wish. */
  get isSuperseded(): boolean {
    const { assignment, isWithdrawn, status } = this.#record;
    const isUnwanted = isWithdrawn || assignment.desiredState >= TASK_STATE.shutdown;
    return isUnwanted && !isTerminal(status.state);
  }

  /** New wish of the managers; desired states only go forward, the rest is taken as it is. */
  assign(assignment: Assignment): void {
    const known = this.#record.assignment;
    const desiredState = laterDesired(known.desiredState, assignment.desiredState);
    this.#update({ assignment: { ...assignment, desiredState }, isWithdrawn: false }, false);
    this.#nudge();
  }

  /** The managers forgot the task: stop, delete, forget. */
  withdraw(): void {
    if (!this.#record.isWithdrawn) this.#update({ isWithdrawn: true }, false);
    this.#nudge();
  }

  /** The engine is back: retry now. */
  poke(): void {
    this.#version += 1;
    this.#wake();
  }

  /** Resolves when the task has ended or is forgotten. */
  whenEnded(): Promise<void> {
    if (isTerminal(this.#record.status.state) || this.#isErased) return Promise.resolve();
    return new Promise((resolve) => this.#endedListeners.push(resolve));
  }

  /** Until the task is forgotten or the signal aborts; the container runs on in the latter case. */
  async run(signal: AbortSignal): Promise<void> {
    const onAbort = (): void => this.#interrupt.abort(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      let attempt = 0;
      while (!signal.aborted && !this.#isErased) {
        const version = this.#version;
        const step = this.#decide();
        if (step.kind === "wait" || step.kind === "waitUntil") {
          await this.#rest(version, step, signal);
          continue;
        }
        const isDone = await this.#attempt(step, signal);
        attempt = isDone ? 0 : attempt + 1;
        if (!isDone && !signal.aborted && version === this.#version) {
          await this.#pause(retryDelayMs(attempt), signal);
        }
      }
    } finally {
      signal.removeEventListener("abort", onAbort);
      this.#controller.end();
    }
  }

  #decide(): TaskStep {
    const { assignment, status, isWithdrawn, hasNetwork, hasRemains } = this.#record;
    return decideStep({
      state: status.state,
      desired: assignment.desiredState,
      notBeforeMs: assignment.notBeforeMs,
      sinceMs: status.atMs,
      isUnannounced:
        assignment.networks.length > 0 && assignment.networkPhase < NETWORK_PHASE.announced,
      nowMs: this.#deps.clock.wallMs(),
      isWithdrawn,
      hasNetwork,
      hasRemains,
    });
  }

  /** False if the step has to be tried again. */
  async #attempt(step: TaskStep, signal: AbortSignal): Promise<boolean> {
    // Steps towards running give way as soon as the task is unwanted; cleaning up gives way to nothing but our own end.
    const isForward =
      step.kind === "transition" ||
      step.kind === "prepare" ||
      step.kind === "start" ||
      step.kind === "watch";
    if (isForward && this.#interrupt.signal.aborted) this.#renewInterrupt(signal);
    const stepSignal = isForward ? this.#interrupt.signal : signal;
    try {
      const outcome = await this.#perform(step, stepSignal);
      if (outcome !== undefined) this.#settle(outcome);
      return true;
    } catch (error) {
      if (stepSignal.aborted) return true; // decide anew
      return this.#fail(step, error, isForward);
    }
  }

  async #perform(step: TaskStep, signal: AbortSignal): Promise<Outcome | undefined> {
    switch (step.kind) {
      case "transition":
        if (step.to === TASK_STATE.starting) {
          await this.#deps.mayStart(this.#record.assignment.serviceId, signal);
        }
        return { state: step.to, message: step.message, err: "", exitCode: 0 };
      case "prepare":
        return this.#controller.prepare(signal);
      case "start":
        return this.#controller.start(signal);
      case "watch":
        return this.#controller.watch(signal);
      case "stop":
        return this.#controller.stop(signal);
      case "release":
        await this.#controller.release(signal);
        return undefined;
      case "discard":
        await this.#controller.discard();
        return undefined;
      case "erase":
        await this.#deps.store.remove(this.#record.assignment.taskId);
        this.#isErased = true;
        this.#tellEnded();
        this.#deps.onErased(this.#record.assignment.taskId);
        return undefined;
      case "wait":
      case "waitUntil":
        return undefined;
      default:
        return unreachable(step, "TaskRunner.perform");
    }
  }

  #settle(outcome: Outcome): void {
    const before = this.#record.status;
    invariant(
      outcome.state >= before.state,
      `task ${before.taskId} goes from ${before.state} back to ${outcome.state}`,
    );
    const status = {
      ...before,
      state: outcome.state,
      atMs: this.#deps.clock.wallMs(),
      message: outcome.message ?? before.message,
      err: outcome.err,
      exitCode: outcome.exitCode,
      pid: isTerminal(outcome.state) ? 0 : before.pid,
    };
    this.#update({ status }, true);
    if (isTerminal(outcome.state)) {
      this.#controller.end();
      this.#tellEnded();
    }
  }

  #fail(step: TaskStep, error: unknown, isForward: boolean): boolean {
    const { taskId } = this.#record.assignment;
    const isRetryable =
      (error instanceof EngineError && error.code === "ENGINE_DOWN") ||
      (error instanceof NetError && error.code === "NET_DOWN");
    if (!isForward || isRetryable) {
      this.#deps.logger.warn({ error, taskId, step: step.kind }, "task step is tried again");
      return false;
    }
    const text = error instanceof Error ? error.message : String(error);
    this.#deps.logger.info({ error, taskId, step: step.kind }, "task cannot go on");
    this.#settle(outcomeOfFailure(this.#record.status.state, text));
    return true;
  }

  #update(change: Partial<TaskRecord>, hasNewStatus: boolean): void {
    const before = this.#record;
    this.#record = { ...before, ...change };
    this.#deps.store.save(this.#record);
    this.#deps.events.changed(before, this.#record);
    this.#deps.onChange(this.#record, hasNewStatus);
  }

  #nudge(): void {
    const { assignment, isWithdrawn } = this.#record;
    if (isWithdrawn || assignment.desiredState >= TASK_STATE.shutdown) {
      this.#interrupt.abort(new Error("the task is no longer wanted"));
    }
    this.poke();
  }

  #renewInterrupt(signal: AbortSignal): void {
    this.#interrupt = new AbortController();
    if (signal.aborted) this.#interrupt.abort(signal.reason);
  }

  #tellEnded(): void {
    for (const listener of this.#endedListeners.splice(0)) listener();
  }

  async #rest(
    version: number,
    step: Extract<TaskStep, { kind: "wait" | "waitUntil" }>,
    signal: AbortSignal,
  ): Promise<void> {
    if (version !== this.#version) return;
    if (step.kind === "waitUntil") {
      return this.#pause(Math.max(1, step.atMs - this.#deps.clock.wallMs()), signal);
    }
    return this.#pause(undefined, signal);
  }

  /** Until woken, aborted, or for `delayMs`. */
  #pause(delayMs: number | undefined, signal: AbortSignal): Promise<void> {
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
