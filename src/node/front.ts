/**
 * Which front program serves the door: `manager` while it is wanted and ready, `rest` otherwise (contracts §3, §4). A front
 * that is replaced takes no more connections and ends with its streams.
 */
import type { ExitReason } from "../api/index.js";
import type { Clock, Logger } from "../base/index.js";
import type { Child } from "./child.js";
import { Condition } from "./condition.js";
import type { Door } from "./door.js";
import { Keeper, type KeeperParts } from "./keeper.js";
import type { SupervisorLimits } from "./limits.js";

type FrontName = "rest" | "manager";

export type FrontParts = {
  readonly launch: (name: FrontName) => Child;
  readonly door: Door;
  readonly freeBytes: KeeperParts["freeBytes"];
  /** The manager is ready (again). */
  readonly onManagerReady: () => void;
  /** The manager is wanted but not running, for this reason. */
  readonly onManagerProblem: (problem: {
    readonly reason: ExitReason;
    readonly message: string;
  }) => void;
  readonly onRoleDoubt: () => void;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly limits: SupervisorLimits;
};

export class Front {
  readonly #parts: FrontParts;
  readonly #keepers = new Map<FrontName, Keeper>();
  /** Replaced fronts whose streams have not ended yet. */
  readonly #retiring = new Set<Keeper>();
  readonly #restReady = new Condition();
  #wanted: FrontName = "rest";
  #isManagerClosed = false;
  #cancelStandIn: () => void = () => undefined;

  constructor(parts: FrontParts) {
    this.#parts = parts;
  }

  /** The manager process, also while it gets ready. */
  get manager(): Child | undefined {
    return this.#keepers.get("manager")?.child;
  }

  /** Every front process, retiring ones included. */
  get children(): readonly Child[] {
    const keepers = [...this.#keepers.values(), ...this.#retiring];
    return keepers.flatMap((keeper) => (keeper.child === undefined ? [] : [keeper.child]));
  }

  get isManagerReady(): boolean {
    return this.#wanted === "manager" && this.manager?.isReady === true;
  }

  wantRest(): void {
    this.#wanted = "rest";
    this.#cancelStandIn();
    this.#keeper("rest").start();
    this.#update();
  }

  /** Starts the manager, also when it was held back; `rest` stands in until it is ready. */
  wantManager(): void {
    if (this.#wanted !== "manager") {
      this.#wanted = "manager";
      this.#cancelStandIn = this.#parts.clock.setTimer(this.#parts.limits.standInMs, () => {
        if (this.#wanted === "manager" && !this.isManagerReady) this.#keeper("rest").start();
      });
    }
    // A manager that was closed cannot be opened again: it ends with its streams, a new process takes over.
    if (this.#isManagerClosed && this.manager !== undefined) this.#retire("manager");
    this.#keeper("manager").start();
    this.#update();
  }

  /**
   * Ends the manager's part of the front: when it resolves, its log and its port are free. The process lives on as long as
   * its REST streams do (the reply to the very request that led here may be one), and `rest` takes the door.
   */
  async releaseManager(): Promise<void> {
    this.wantRest();
    const keeper = this.#keepers.get("manager");
    if (keeper === undefined) return;
    keeper.letGo();
    await this.#restTakesOver();
    const { child } = keeper;
    if (child?.isReady === true && !this.#isManagerClosed) {
      try {
        await child.request("closeManager", undefined);
        this.#isManagerClosed = true;
      } catch (error) {
        this.#parts.logger.warn({ error: String(error) }, "manager does not close; stopping it");
      }
    }
    if (!this.#isManagerClosed) await keeper.stop();
    this.#update();
  }

  /** Clients that come after the answer to the request that led here must not meet a manager that is closed. */
  async #restTakesOver(): Promise<void> {
    try {
      await this.#restReady.wait(this.#parts.clock.timeout(this.#parts.limits.waitingSocketMs));
    } catch {
      this.#parts.logger.warn({}, "rest front is not ready; closing the manager all the same");
    }
  }

  /** All fronts, the manager first: it hands leadership over. */
  async stop(): Promise<void> {
    this.#cancelStandIn();
    this.#wanted = "rest";
    await this.#keepers.get("manager")?.stop();
    const others = [...this.#keepers.values(), ...this.#retiring];
    await Promise.all(others.map((keeper) => keeper.stop()));
  }

  #update(): void {
    const managerChild = this.#readyChild("manager");
    const restChild = this.#readyChild("rest");
    this.#restReady.set(restChild !== undefined);
    const isManagerServing = this.#wanted === "manager" && managerChild !== undefined;
    // Until `rest` is ready, the front that is to be replaced goes on.
    this.#parts.door.serveBy(isManagerServing ? managerChild : (restChild ?? managerChild));
    if (isManagerServing) this.#retire("rest");
    if (this.#wanted === "rest" && restChild !== undefined && this.#isManagerClosed)
      this.#retire("manager");
  }

  #readyChild(name: FrontName): Child | undefined {
    const child = this.#keepers.get(name)?.child;
    return child?.isReady === true && !child.hasExited ? child : undefined;
  }

  #retire(name: FrontName): void {
    const keeper = this.#keepers.get(name);
    if (keeper === undefined) return;
    this.#keepers.delete(name);
    this.#retiring.add(keeper);
    // Resolves at its end, which has its own limit.
    void keeper.stop("retire").then(() => this.#retiring.delete(keeper));
  }

  #keeper(name: FrontName): Keeper {
    const known = this.#keepers.get(name);
    if (known !== undefined) return known;
    const parts = this.#parts;
    const keeper = new Keeper({
      launch: () => parts.launch(name),
      onLaunch: (child) => {
        if (name === "manager") this.#isManagerClosed = false;
        void child.exited.then(() => {
          this.#update();
        });
      },
      onProblem: (problem) => {
        if (name !== "manager" || this.#wanted !== "manager") return;
        parts.onManagerProblem(problem);
        this.#keeper("rest").start();
      },
      onRoleDoubt: parts.onRoleDoubt,
      freeBytes: parts.freeBytes,
      clock: parts.clock,
      logger: parts.logger,
      limits: parts.limits,
    });
    this.#keepers.set(name, keeper);
    return keeper;
  }

  /** To be called when a front child reports ready. */
  childReady(child: Child): void {
    this.#update();
    if (child.name === "manager" && this.isManagerReady) this.#parts.onManagerReady();
  }
}
