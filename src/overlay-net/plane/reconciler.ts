import type { Clock, Logger } from "../../base/index.js";
import type { NetnsKernel } from "../kernel/netns-kernel.js";

/** Time between looks at everything. */
export const CHECK_INTERVAL_MS = 10_000;
/** Changes in the kernel come in bursts: this long after the first one of a burst its namespaces are looked at. */
export const CHANGE_DELAY_MS = 600;

export type ReconcilerOptions = {
  readonly kernel: NetnsKernel;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Looks at these namespaces, or at everything, and repairs them. */
  readonly check: (netnsNames: readonly string[] | undefined) => Promise<void>;
};

/** Says when to look at the kernel: now and then at everything, soon after a change at what changed. One look at a time. */
export class Reconciler {
  readonly #options: ReconcilerOptions;
  /** Ends of the watches; undefined while one begins. */
  readonly #watches = new Map<string, (() => void) | undefined>();
  readonly #changed = new Set<string>();
  #cancelCheck: () => void = () => undefined;
  #cancelChange: (() => void) | undefined;
  #running: Promise<void> = Promise.resolve();
  #isClosed = false;
  /** Why not everything is watched; "" when it is. */
  problem = "";

  constructor(options: ReconcilerOptions) {
    this.#options = options;
  }

  start(): void {
    this.#cancelCheck = this.#options.clock.setTimer(CHECK_INTERVAL_MS, () => {
      void this.#run(undefined).then(() => {
        if (!this.#isClosed) this.start();
      });
    });
  }

  /** Watches exactly these namespaces. One that cannot be watched is looked at with everything. */
  follow(netnsNames: ReadonlySet<string>): void {
    for (const [netns, stop] of [...this.#watches]) {
      if (netnsNames.has(netns) || stop === undefined) continue;
      stop();
      this.#watches.delete(netns);
    }
    const isWhole = [...netnsNames].every((netns) => this.#watches.has(netns));
    if (isWhole) this.problem = "";
    for (const netns of netnsNames) {
      if (!this.#watches.has(netns) && !this.#isClosed) void this.#watch(netns); // reports its own failures
    }
  }

  /** Resolves when nothing runs any more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancelCheck();
    this.#cancelChange?.();
    this.follow(new Set());
    await this.#running;
  }

  async #watch(netns: string): Promise<void> {
    this.#watches.set(netns, undefined);
    try {
      const stop = await this.#options.kernel.watch(netns, (changed) => this.soon(changed));
      if (this.#isClosed) stop();
      else this.#watches.set(netns, stop);
    } catch (error) {
      this.#watches.delete(netns);
      const text = error instanceof Error ? error.message : String(error);
      if (this.problem === "")
        this.#options.logger.warn({ netns, error }, "networks: a namespace is not watched");
      this.problem = text;
    }
  }

  /** Looks at this namespace after CHANGE_DELAY_MS, with others that are due. */
  soon(netns: string): void {
    if (this.#isClosed) return;
    this.#changed.add(netns);
    this.#cancelChange ??= this.#options.clock.setTimer(CHANGE_DELAY_MS, () => {
      this.#cancelChange = undefined;
      const changed = [...this.#changed];
      this.#changed.clear();
      void this.#run(changed); // reports its own failures
    });
  }

  #run(netnsNames: readonly string[] | undefined): Promise<void> {
    this.#running = this.#running
      .then(() => (this.#isClosed ? undefined : this.#options.check(netnsNames)))
      .catch((error: unknown) => {
        this.#options.logger.warn({ error }, "networks: the kernel could not be checked");
      });
    return this.#running;
  }
}
