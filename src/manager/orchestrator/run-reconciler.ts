/** Drives a reconciler: store events in, one transaction in flight, planned anew from the store after each. */
import type { Precondition } from "../../api/index.js";
import { ProposeError, type ProposeErrorCode } from "../../store/index.js";
import { CHANGES_MAX, Plan, type Reconciler } from "../core/index.js";
import type { LeaderContext } from "../port.js";

/** Pause after a transaction that did not go through, doubled up to the limit while that goes on. */
const BACKOFF_MIN_MS = 10;
const BACKOFF_MAX_MS = 1000;

export async function runReconciler(
  context: LeaderContext,
  reconciler: Reconciler,
  changesMax = CHANGES_MAX,
): Promise<void> {
  const { store, clock, signal } = context;
  const news = new News(signal);
  const unsubscribe = store.subscribe((batch) => {
    if (batch.kind === "restored") reconciler.reset(store, clock.wallMs());
    else if (batch.events.length > 0) reconciler.observe(batch.events, store, clock.wallMs());
    else return;
    news.arrived();
  });
  try {
    reconciler.reset(store, clock.wallMs());
    let limit = changesMax;
    let backoffMs = 0;
    while (!signal.aborted) {
      news.read();
      const plan = new Plan(clock.wallMs(), limit);
      reconciler.plan(store, plan);
      if (plan.changes.length === 0) {
        await news.wait(clock, plan.wakeAtMs);
        // What arrives in the same turn of the event loop is taken in together.
        await nextTurn();
        continue;
      }
      const failure = await propose(context, plan);
      reconciler.settled(failure === undefined, store);
      if (failure === undefined) {
        limit = changesMax;
        backoffMs = 0;
        continue;
      }
      if (failure === "TOO_LARGE") limit = Math.max(1, limit >> 1);
      backoffMs = Math.min(BACKOFF_MAX_MS, Math.max(BACKOFF_MIN_MS, 2 * backoffMs));
      await sleep(context, backoffMs);
    }
  } finally {
    unsubscribe();
  }
}

/** undefined: applied. */
async function propose(context: LeaderContext, plan: Plan): Promise<ProposeErrorCode | undefined> {
  try {
    await context.proposer.propose(
      {
        requestId: "",
        atMs: plan.atMs,
        isClient: false,
        preconditions: [...plan.preconditions, ...preconditionsOf(plan)],
        changes: plan.changes,
        resultJson: "",
      },
      context.signal,
    );
    return undefined;
  } catch (error) {
    // Also the end of leadership; the loop's condition sees to that.
    if (context.signal.aborted) return "STOPPED";
    if (!(error instanceof ProposeError)) throw error;
    context.logger.debug({ code: error.code, changes: plan.changes.length }, "planning anew");
    return error.code;
  }
}

/**
 * New tasks only for services that still exist: what is made for a removed one would have to be found and removed again. A service is
 * written whole, so it must be as it was read.
 */
function preconditionsOf(plan: Plan): Precondition[] {
  const services = new Set<string>();
  const written: Precondition[] = [];
  for (const change of plan.changes) {
    if (change.kind === "putTask") services.add(change.task.serviceId);
    if (change.kind !== "putService") continue;
    const { id, versionIndex: index } = change.service;
    written.push({ kind: "versionIs", table: "service", id, index });
  }
  const kept = [...services].map((id) => ({ kind: "exists", table: "service", id }) as const);
  return [...written, ...kept];
}

async function sleep(context: LeaderContext, delayMs: number): Promise<void> {
  try {
    await context.clock.sleep(delayMs, context.signal);
  } catch (error) {
    if (!context.signal.aborted) throw error;
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** Whether events arrived since they were last read, and the waiting for them. */
class News {
  readonly #signal: AbortSignal;
  #hasArrived = false;
  #wake: (() => void) | undefined;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  arrived(): void {
    this.#hasArrived = true;
    this.#wake?.();
  }

  read(): void {
    this.#hasArrived = false;
  }

  /** Until something arrives, Unix time reaches `untilMs`, or the signal aborts. */
  wait(clock: LeaderContext["clock"], untilMs: number | undefined): Promise<void> {
    if (this.#hasArrived || this.#signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      let cancelTimer: (() => void) | undefined;
      const done = (): void => {
        this.#wake = undefined;
        cancelTimer?.();
        this.#signal.removeEventListener("abort", done);
        resolve();
      };
      this.#wake = done;
      this.#signal.addEventListener("abort", done, { once: true });
      if (untilMs !== undefined)
        cancelTimer = clock.setTimer(
          Math.min(TIMER_MAX_MS, Math.max(0, untilMs - clock.wallMs())),
          done,
        );
    });
  }
}

/** Longer timers overflow; the plan is simply asked again. */
const TIMER_MAX_MS = 60 * 60_000;
