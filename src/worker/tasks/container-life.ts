/** One running container: waits for its end through outages of the engine, and checks its health meanwhile. */
import type { Clock } from "../../base/index.js";
import { retryDelayMs } from "../core/task/outcome.js";
import { type Engine, EngineError, type ExitStatus } from "../engine/port.js";
import type { HealthMonitor } from "./health-monitor.js";

/** Nothing tells how it ended: the engine has no memory of it (host or engine restarted). */
export const LOST_TEXT = "container is gone: the host or its engine was restarted";

export class ContainerLife {
  readonly health: HealthMonitor | undefined;
  readonly #exit: Promise<ExitStatus>;
  readonly #controller = new AbortController();

  constructor(options: {
    readonly id: string;
    readonly engine: Engine;
    readonly clock: Clock;
    readonly health: HealthMonitor | undefined;
  }) {
    this.health = options.health;
    this.#exit = awaitExit(options.id, options.engine, options.clock, this.#controller.signal);
    // Observed by whoever waits; a life nobody waits for is no error.
    this.#exit.catch(() => undefined);
    options.health?.run(this.#controller.signal).catch(() => undefined); // ends by abort only
  }

  /** Rejects EngineError NOT_FOUND if the container vanished. */
  get exit(): Promise<ExitStatus> {
    return this.#exit;
  }

  /** Stops looking; the container itself is left alone. */
  end(): void {
    this.#controller.abort(new Error("no longer watched"));
  }
}

async function awaitExit(
  id: string,
  engine: Engine,
  clock: Clock,
  signal: AbortSignal,
): Promise<ExitStatus> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await engine.wait(id, signal);
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof EngineError)) throw error;
      if (error.code !== "ENGINE_DOWN") {
        // A failed wait is no exit: look.
        const state = await engine.inspect(id).catch(() => null);
        if (state === undefined) throw new EngineError("NOT_FOUND", LOST_TEXT, { cause: error });
        if (state?.exit !== undefined && state.state === "exited") return state.exit;
      }
      await clock.sleep(retryDelayMs(attempt), signal);
    }
  }
}
