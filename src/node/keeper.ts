/** Keeps one program running: starts it, restarts it by its exit reason (core/child-policy.ts), stops it. */
import type { ExitReason } from "../api/index.js";
import { type Clock, type Logger, unreachable } from "../base/index.js";
import type { Child, ChildExit } from "./child.js";
import { actionAfterExit, DISK_FREE_MIN_BYTES, failuresInRow } from "./core/child-policy.js";
import type { SupervisorLimits } from "./limits.js";

export type KeeperParts = {
  readonly launch: () => Child;
  /** A new process runs. */
  readonly onLaunch: (child: Child) => void;
  /** The program is not running for this reason; it is started again unless the operator must act. */
  readonly onProblem: (problem: { readonly reason: ExitReason; readonly message: string }) => void;
  /** The cluster took the manager's role away, or is about to. */
  readonly onRoleDoubt: () => void;
  /** Free bytes where the state directory is. */
  readonly freeBytes: () => Promise<number>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly limits: SupervisorLimits;
};

export class Keeper {
  readonly #parts: KeeperParts;
  #child: Child | undefined;
  #failureCount = 0;
  #isWanted = false;
  #cancelRestart: () => void = () => undefined;

  constructor(parts: KeeperParts) {
    this.#parts = parts;
  }

  get child(): Child | undefined {
    return this.#child;
  }

  /** Starts the program if it is not running, also when it was held back. */
  start(): void {
    this.#isWanted = true;
    if (this.#child === undefined) this.#launch();
  }

  /** The process may run on, but is not started again when it ends. */
  letGo(): void {
    this.#isWanted = false;
    this.#cancelRestart();
  }

  /** Runs it anew: a fresh process, no back-off. */
  async restart(): Promise<void> {
    await this.stop();
    this.#failureCount = 0;
    this.start();
  }

  /** Resolves when no process runs any more. */
  async stop(how: "stop" | "retire" = "stop"): Promise<void> {
    this.letGo();
    const child = this.#child;
    if (child === undefined) return;
    const { stopMs, retireMs } = this.#parts.limits;
    await child.stop(how === "stop" ? stopMs : retireMs, how);
  }

  #launch(): void {
    this.#cancelRestart();
    const child = this.#parts.launch();
    this.#child = child;
    this.#parts.logger.info({ child: child.name, pid: child.pid }, "child started");
    void child.exited.then((exit) => {
      this.#ended(child, exit);
    });
    this.#parts.onLaunch(child);
  }

  #ended(child: Child, exit: ChildExit): void {
    this.#child = undefined;
    const fields = { child: child.name, reason: exit.reason, detail: exit.message };
    if (!this.#isWanted) {
      this.#parts.logger.info(fields, "child ended");
      return;
    }
    this.#failureCount = failuresInRow(this.#failureCount, exit.uptimeMs);
    const action = actionAfterExit({ ...exit, failureCount: this.#failureCount });
    this.#parts.logger.warn({ ...fields, action: action.kind }, "child ended");
    this.#parts.onProblem({ reason: exit.reason, message: exit.message });
    switch (action.kind) {
      case "restart":
        this.#launchLater(action.delayMs);
        return;
      case "restartWhenSpace":
        this.#launchWhenSpace();
        return;
      case "askRole":
        this.#parts.onRoleDoubt();
        return;
      case "hold":
        return;
      default:
        unreachable(action, "Keeper");
    }
  }

  #launchLater(delayMs: number): void {
    this.#cancelRestart = this.#parts.clock.setTimer(delayMs, () => {
      if (this.#isWanted && this.#child === undefined) this.#launch();
    });
  }

  #launchWhenSpace(): void {
    this.#cancelRestart = this.#parts.clock.setTimer(this.#parts.limits.diskCheckMs, () => {
      void this.#parts
        .freeBytes()
        .catch(() => 0)
        .then((freeBytes) => {
          if (!this.#isWanted || this.#child !== undefined) return;
          if (freeBytes > DISK_FREE_MIN_BYTES) this.#launch();
          else this.#launchWhenSpace();
        });
    });
  }
}
