import { type Clock, InvariantError, type Logger, type Random, TaskGroup } from "../base/index.js";
import type { Proposer, Store } from "../store/index.js";
import { attributed } from "./attributed.js";
import type { Leadership } from "./leadership.js";
import type { LeaderLoop } from "./port.js";

/** A failed leader loop starts again after this, doubled each time up to the maximum. */
export const LOOP_RESTART_MIN_MS = 100;
export const LOOP_RESTART_MAX_MS = 5000;
/** A loop that ran this long without failing starts again without a wait. */
const LOOP_HEALTHY_MS = 30_000;

export type NamedLoop = { readonly name: string; readonly run: LeaderLoop };

export type LeaderTermsParts = {
  readonly leadership: Leadership;
  readonly loops: readonly NamedLoop[];
  readonly nodeId: string;
  readonly store: Store;
  readonly proposer: Proposer;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** A broken assumption: the daemon must stop. */
  readonly onBroken: (error: InvariantError) => void;
};

/**
 * Runs the leader loops exactly while this node leads. Their signal aborts at the moment leadership is lost; the next term's
 * loops start when the last one's have ended, so no two copies of a loop ever run here.
 */
export class LeaderTerms implements AsyncDisposable {
  readonly #parts: LeaderTermsParts;
  readonly #unsubscribe: () => void;
  #group: TaskGroup | undefined;
  #groupTerm = 0;
  #ending: Promise<void> = Promise.resolve();
  #isStopped = false;

  constructor(parts: LeaderTermsParts) {
    this.#parts = parts;
    this.#unsubscribe = parts.leadership.subscribe(() => {
      this.#follow();
    });
    this.#follow();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isStopped = true;
    this.#unsubscribe();
    this.#end();
    await this.#ending;
  }

  #follow(): void {
    const { leadership } = this.#parts;
    const isSameTerm = this.#group !== undefined && this.#groupTerm === leadership.term;
    if (leadership.isLeader && isSameTerm) return;
    this.#end();
    if (leadership.isLeader && !this.#isStopped) this.#start();
  }

  #start(): void {
    const { logger, leadership } = this.#parts;
    const group = new TaskGroup((name, error) => {
      logger.error({ loop: name, err: error }, "leader loop ended with a failure");
    });
    this.#group = group;
    this.#groupTerm = leadership.term;
    const previous = this.#ending;
    logger.info({ term: leadership.term }, "this manager leads");
    for (const loop of this.#parts.loops) {
      group.run(loop.name, async (signal) => {
        await previous;
        await this.#keepRunning(loop, signal);
      });
    }
  }

  /** Aborts the loops within this call; they are awaited in the background, before the next start. */
  #end(): void {
    const group = this.#group;
    if (group === undefined) return;
    this.#group = undefined;
    const ended = group[Symbol.asyncDispose]();
    this.#ending = this.#ending.then(() => ended);
  }

  async #keepRunning({ name, run }: NamedLoop, signal: AbortSignal): Promise<void> {
    const { nodeId, store, clock, random, logger, onBroken } = this.#parts;
    const context = {
      store,
      proposer: attributed(this.#parts.proposer, { nodeId, door: "system", actor: name }),
      clock,
      random,
      signal,
      logger: logger.child({ loop: name }),
    };
    let delayMs = LOOP_RESTART_MIN_MS;
    while (!signal.aborted) {
      const startedMs = clock.nowMs();
      try {
        await run(context);
        if (!signal.aborted) logger.error({ loop: name }, "leader loop returned by itself");
      } catch (error) {
        if (signal.aborted) return;
        logger.error({ loop: name, err: error }, "leader loop failed; it starts again");
        if (error instanceof InvariantError) {
          onBroken(error);
          return;
        }
      }
      if (signal.aborted) return;
      if (clock.nowMs() - startedMs > LOOP_HEALTHY_MS) delayMs = LOOP_RESTART_MIN_MS;
      await clock.sleep(delayMs, signal);
      delayMs = Math.min(delayMs * 2, LOOP_RESTART_MAX_MS);
    }
  }
}
