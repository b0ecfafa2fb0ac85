import { describe, expect, test } from "vitest";
import type { Transaction } from "../../api/index.js";
import { type Clock, SeededRandom, SystemClock, silentLogger } from "../../base/index.js";
import { ClusterStore, LocalProposer, ProposeError, type Proposer } from "../../store/index.js";
import type { Plan, Reconciler } from "../core/index.js";
import { runReconciler } from "./run-reconciler.js";

/** Wants some tasks deleted, and asks again until that was applied. */
class Deleting implements Reconciler {
  resets = 0;
  observed = 0;
  readonly settledAs: boolean[] = [];
  wanted: string[] = [];

  reset(): void {
    this.resets++;
  }
  observe(): void {
    this.observed++;
  }
  plan(_view: unknown, plan: Plan): void {
    for (const id of this.wanted) if (!plan.add({ kind: "delete", table: "task", id })) return;
  }
  settled(isApplied: boolean): void {
    this.settledAs.push(isApplied);
    if (isApplied) this.wanted = [];
  }
}

/** Timers end in the next turn, and are remembered. */
class HastyClock extends SystemClock implements Clock {
  readonly sleeps: number[] = [];
  override sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    this.sleeps.push(delayMs);
    return super.sleep(0, signal);
  }
}

function setUp(propose?: (transaction: Transaction) => Promise<never> | undefined) {
  const store = new ClusterStore({ yieldToLoop: () => Promise.resolve(), nowMs: () => 0 });
  const local = new LocalProposer(store);
  const sent: Transaction[] = [];
  const proposer: Proposer = {
    propose: (transaction) => {
      sent.push(transaction);
      return propose?.(transaction) ?? local.propose(transaction);
    },
  };
  const controller = new AbortController();
  const clock = new HastyClock();
  const context = {
    store,
    proposer,
    clock,
    random: new SeededRandom(1),
    logger: silentLogger,
    signal: controller.signal,
  };
  return { store, local, sent, context, controller, clock };
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
async function until(isDone: () => boolean): Promise<void> {
  const deadline = performance.now() + 5_000;
  while (!isDone() && performance.now() < deadline) await turn();
  expect(isDone()).toBe(true);
}

describe("runReconciler", () => {
  test("plans at the start, and again for what happens later", async () => {
    const { sent, context, controller, local } = setUp();
    const reconciler = new Deleting();
    reconciler.wanted = ["a"];
    const done = runReconciler(context, reconciler);
    await until(() => reconciler.settledAs.length === 1);
    await turn();
    reconciler.wanted = ["b"];
    await local.propose(nodeDeparture());
    await turn();
    expect(sent).toHaveLength(1);
    // An entry without events is no reason to plan; one with events is.
    await local.propose(taskArrival());
    await until(() => sent.length === 2);
    expect(reconciler.observed).toBe(1);
    expect(sent[1]?.changes).toEqual([{ kind: "delete", table: "task", id: "b" }]);
    controller.abort();
    await done;
  });

  test.each(["REJECTED", "OVERLOADED", "OUTCOME_UNKNOWN"] as const)(
    "plans anew after %s, more slowly each time",
    async (code) => {
      let failures = 0;
      const { sent, context, controller, clock } = setUp(() =>
        ++failures <= 3 ? Promise.reject(new ProposeError(code, "no")) : undefined,
      );
      const reconciler = new Deleting();
      reconciler.wanted = ["a"];
      const done = runReconciler(context, reconciler);
      await until(() => sent.length === 4);
      expect(reconciler.settledAs.slice(0, 3)).toEqual([false, false, false]);
      expect(clock.sleeps).toEqual([10, 20, 40]);
      controller.abort();
      await done;
    },
  );

  test("asks for half as much while transactions are too large", async () => {
    const { sent, context, controller } = setUp((transaction) =>
      transaction.changes.length > 30
        ? Promise.reject(new ProposeError("TOO_LARGE", "no"))
        : undefined,
    );
    const reconciler = new Deleting();
    reconciler.wanted = Array.from({ length: 500 }, (_, i) => `t${i}`);
    const done = runReconciler(context, reconciler);
    await until(() => reconciler.settledAs.includes(true));
    expect(sent.map((transaction) => transaction.changes.length)).toEqual([200, 100, 50, 25]);
    controller.abort();
    await done;
  });

  test("ends when its signal aborts in the middle of a proposal, and stops listening", async () => {
    const { store, sent, context, controller, local } = setUp(
      () =>
        new Promise((_resolve, reject) => {
          setImmediate(() => reject(new ProposeError("NOT_LEADER", "no")));
        }),
    );
    const reconciler = new Deleting();
    reconciler.wanted = ["a"];
    const done = runReconciler(context, reconciler);
    await until(() => sent.length === 1);
    controller.abort();
    await done;
    await local.propose(taskArrival());
    expect(store.index).toBe(1);
    expect(reconciler.observed).toBe(0);
  });

  test("a defect is not swallowed", async () => {
    const { context } = setUp(() => Promise.reject(new TypeError("broken")));
    const reconciler = new Deleting();
    reconciler.wanted = ["a"];
    await expect(runReconciler(context, reconciler)).rejects.toThrow("broken");
  });
});

const EMPTY = { requestId: "", atMs: 1, isClient: false, preconditions: [], resultJson: "" };

function nodeDeparture(): Transaction {
  return { ...EMPTY, changes: [{ kind: "delete", table: "node", id: "nobody" }] };
}

function taskArrival(): Transaction {
  return {
    ...EMPTY,
    changes: [
      {
        kind: "putTask",
        task: {
          id: "t",
          versionIndex: 0,
          createdAtMs: 0,
          updatedAtMs: 0,
          serviceId: "s",
          serviceName: "s",
          slot: 1,
          nodeId: "",
          spec: { ContainerSpec: { Image: "i" }, ForceUpdate: 0, Runtime: "container" },
          specVersion: 1,
          hostPorts: [],
          desiredState: 512,
          state: 64,
          statusAtMs: 0,
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
        },
      },
    ],
  };
}
