/** Runs one container's health check by the core's timing, and keeps the last results for inspection. */
import type { Clock } from "../../base/index.js";
import {
  type HealthPlan,
  type HealthState,
  nextProbeDelayMs,
  stepHealth,
} from "../core/health/health.js";
import { type Engine, EngineError } from "../engine/port.js";
import type { Limiter } from "../limiter.js";

/** Results kept, as Docker does. */
const RESULTS_MAX = 5;

export type ProbeResult = {
  readonly startMs: number;
  readonly endMs: number;
  readonly exitCode: number;
  readonly output: string;
};

export class HealthMonitor {
  readonly #plan: HealthPlan;
  readonly #engine: Engine;
  readonly #clock: Clock;
  readonly #limiter: Limiter;
  readonly #containerId: string;
  readonly #startedAtMs: number;
  readonly #onStatus: (status: HealthState["status"]) => void;
  readonly #waiters = new Set<() => void>();
  #state: HealthState;
  #results: readonly ProbeResult[] = [];

  /** `isKnownHealthy`: adopted while running; it had been healthy. `startedAtMs`: Unix ms. */
  constructor(options: {
    readonly plan: HealthPlan;
    readonly engine: Engine;
    readonly clock: Clock;
    /** Probes of all containers share it. */
    readonly limiter: Limiter;
    readonly containerId: string;
    readonly startedAtMs: number;
    readonly isKnownHealthy: boolean;
    /** Called with each new status. */
    readonly onStatus: (status: HealthState["status"]) => void;
  }) {
    this.#onStatus = options.onStatus;
    this.#plan = options.plan;
    this.#engine = options.engine;
    this.#clock = options.clock;
    this.#limiter = options.limiter;
    this.#containerId = options.containerId;
    this.#startedAtMs = options.startedAtMs;
    this.#state = { status: options.isKnownHealthy ? "healthy" : "starting", failingStreak: 0 };
  }

  get state(): HealthState {
    return this.#state;
  }

  get results(): readonly ProbeResult[] {
    return this.#results;
  }

  /** Resolves when the status is one of `wanted`; never, once the monitor was stopped. */
  async until(...wanted: readonly HealthState["status"][]): Promise<void> {
    while (!wanted.includes(this.#state.status)) {
      await new Promise<void>((resolve) => this.#waiters.add(resolve));
    }
  }

  /** Probes until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const sinceStartMs = this.#clock.wallMs() - this.#startedAtMs;
      await this.#clock.sleep(nextProbeDelayMs(this.#plan, this.#state, sinceStartMs), signal);
      const probeAtMs = this.#clock.wallMs() - this.#startedAtMs;
      const result = await this.#limiter.run(signal, () => this.#probe(signal));
      if (signal.aborted || result === undefined) continue;
      this.#results = [...this.#results, result].slice(-RESULTS_MAX);
      const before = this.#state.status;
      this.#state = stepHealth(this.#plan, this.#state, { isOk: result.exitCode === 0, probeAtMs });
      if (this.#state.status !== before) this.#onStatus(this.#state.status);
      for (const waiter of this.#waiters) waiter();
      this.#waiters.clear();
    }
  }

  async #probe(signal: AbortSignal): Promise<ProbeResult | undefined> {
    const startMs = this.#clock.wallMs();
    const timeoutMs = this.#plan.timeoutMs;
    try {
      const { exitCode, output } = await this.#engine.exec(this.#containerId, this.#plan.command, {
        timeoutMs,
        signal,
      });
      return { startMs, endMs: this.#clock.wallMs(), exitCode, output };
    } catch (error) {
      // An engine that is away says nothing about the container.
      if (error instanceof EngineError && error.code === "ENGINE_DOWN") return undefined;
      const endMs = this.#clock.wallMs();
      const output =
        endMs - startMs >= timeoutMs
          ? `Health check exceeded timeout (${timeoutMs} ms)`
          : error instanceof Error
            ? error.message
            : String(error);
      return { startMs, endMs, exitCode: -1, output };
    }
  }
}
