import { status } from "@grpc/grpc-js";
import { expect, test } from "vitest";
import type { Operation } from "../api/index.js";
import { ApiError, SeededRandom } from "../base/index.js";
import { ClusterStore, ProposeError } from "../store/index.js";
import type { OperationExecutor } from "./port.js";
import { RpcError } from "./rpc/index.js";
import { BUDGET_MS, type ForwardReply, type SubmitPort, Submitter } from "./submit.js";
import { FakeClock, settled } from "./testing/fake-clock.js";

const operation = { kind: "service.remove", serviceId: "s1" } as const;
type Forward = (addr: string, requestId: string, signal: AbortSignal) => Promise<ForwardReply>;

class Rig {
  readonly clock = new FakeClock();
  readonly store = new ClusterStore({
    yieldToLoop: () => Promise.resolve(),
    nowMs: () => 0,
  });
  readonly asked: string[] = [];
  readonly requestIds = new Set<string>();
  isLeader = false;
  isLeaderless = false;
  isOver = false;
  term = 1;
  leaderAddr: string | undefined = "a:2377";
  forward: Forward = () => Promise.resolve({ kind: "done", index: 0, resultJson: "{}" });
  execute: () => Promise<{ index: number; result: unknown }> = () =>
    Promise.resolve({ index: 1, result: {} });
  barrier: () => Promise<unknown> = () => Promise.resolve();
  readonly #listeners = new Set<() => void>();
  readonly submitter: Submitter;

  constructor() {
    const port: SubmitPort = Object.defineProperties(
      {
        leader: () =>
          this.leaderAddr === undefined ? undefined : { nodeId: "n", addr: this.leaderAddr },
        subscribe: (listener: () => void) => {
          this.#listeners.add(listener);
          return () => this.#listeners.delete(listener);
        },
        readBarrier: () => this.barrier(),
        forward: (
          addr: string,
          _op: Operation,
          call: { requestId: string; signal: AbortSignal },
        ) => {
          this.asked.push(addr);
          this.requestIds.add(call.requestId);
          return this.forward(addr, call.requestId, call.signal);
        },
      } as unknown as SubmitPort,
      {
        isLeader: { get: () => this.isLeader },
        isLeaderless: { get: () => this.isLeaderless },
        isOver: { get: () => this.isOver },
        term: { get: () => this.term },
      },
    );
    const executor = {
      execute: (_op: Operation, call: { requestId: string }) => {
        this.asked.push("here");
        this.requestIds.add(call.requestId);
        return this.execute();
      },
    } as unknown as OperationExecutor;
    const { store, clock } = this;
    const random = new SeededRandom(1);
    this.submitter = new Submitter({ nodeId: "n1", port, executor, store, clock, random });
  }

  changeLeader(addr: string | undefined): void {
    this.term += 1;
    this.leaderAddr = addr;
    for (const listener of this.#listeners) listener();
  }
}

/** As gRPC does: a cancelled call ends with CANCELLED. */
const silent: Forward = (_addr, _id, signal) =>
  new Promise((_resolve, reject) => {
    signal.addEventListener("abort", () => reject(new RpcError(status.CANCELLED, "cancelled")));
  });

test("a leader runs the operation itself", async () => {
  const rig = new Rig();
  rig.isLeader = true;
  await expect(rig.submitter.submit(operation)).resolves.toEqual({});
  expect(rig.asked).toEqual(["here"]);
});

test("an answer comes only after the local store has the write", async () => {
  const rig = new Rig();
  rig.forward = () => Promise.resolve({ kind: "done", index: 5, resultJson: '{"ok":1}' });
  let answer: unknown;
  const call = rig.submitter.submit(operation).then((result) => {
    answer = result;
  });
  await settled();
  expect(answer).toBeUndefined();
  rig.store.apply(5, new Uint8Array());
  await call;
  expect(answer).toEqual({ ok: 1 });
});

test("a silent leader is abandoned at the new term, and the next one gets the same requestId", async () => {
  const rig = new Rig();
  rig.forward = silent;
  const call = rig.submitter.submit(operation);
  await settled();
  rig.forward = () => Promise.resolve({ kind: "done", index: 0, resultJson: "{}" });
  rig.changeLeader("b:2377");
  await rig.clock.advance(100);
  await call;
  expect(rig.asked).toEqual(["a:2377", "b:2377"]);
  expect(rig.requestIds.size).toBe(1);
});

test.each<{ name: string; first: Forward }>([
  {
    name: "is not leader any more",
    first: () => Promise.resolve({ kind: "notLeader", leaderAddr: "" }),
  },
  {
    name: "is not reached",
    first: () => Promise.reject(new RpcError(status.UNAVAILABLE, "refused")),
  },
  {
    name: "gives no reply in time",
    first: () => Promise.reject(new RpcError(status.DEADLINE_EXCEEDED, "late")),
  },
])("an attempt is repeated when the leader $name", async ({ first }) => {
  const rig = new Rig();
  let count = 0;
  rig.forward = (...args) =>
    ++count === 1 ? first(...args) : Promise.resolve({ kind: "done", index: 0, resultJson: "{}" });
  const call = rig.submitter.submit(operation);
  await rig.clock.advance(100);
  await expect(call).resolves.toEqual({});
  expect(rig.requestIds.size).toBe(1);
});

test("leadership lost in the middle of an own proposal sends it to the next leader", async () => {
  const rig = new Rig();
  rig.isLeader = true;
  rig.execute = () => {
    rig.isLeader = false;
    return Promise.reject(new ProposeError("OUTCOME_UNKNOWN", "leadership was lost"));
  };
  const call = rig.submitter.submit(operation);
  await rig.clock.advance(100);
  await call;
  expect(rig.asked).toEqual(["here", "a:2377"]);
  expect(rig.requestIds.size).toBe(1);
});

test("the leader's refusal is the answer, not a reason to try again", async () => {
  const rig = new Rig();
  rig.forward = () =>
    Promise.resolve({ kind: "failed", error: new ApiError("NotFound", "service s1 not found") });
  await expect(rig.submitter.submit(operation)).rejects.toMatchObject({ code: "NotFound" });
  expect(rig.asked).toHaveLength(1);
});

test("without a leader the call waits for one, within the budget", async () => {
  const rig = new Rig();
  rig.leaderAddr = undefined;
  const call = rig.submitter.submit(operation);
  await rig.clock.advance(500);
  rig.changeLeader("b:2377");
  await rig.clock.advance(10);
  await call;
  expect(rig.asked).toEqual(["b:2377"]);
});

test("after more than a second without leader, reads and writes are answered at once", async () => {
  const rig = new Rig();
  rig.isLeaderless = true;
  for (const call of [rig.submitter.read(), rig.submitter.submit(operation)]) {
    await expect(call).rejects.toMatchObject({
      restMessage:
        "rpc error: code = Unknown desc = The swarm does not have a leader. It's possible that " +
        "too few managers are online. Make sure more than half of the managers are online.",
    });
  }
});

test("a manager that takes part no more says so at once", async () => {
  const rig = new Rig();
  rig.forward = () => {
    rig.isOver = true;
    return Promise.reject(new RpcError(status.CANCELLED, "stopping"));
  };
  const outcome = expect(rig.submitter.submit(operation)).rejects.toMatchObject({ http: 503 });
  await rig.clock.advance(100);
  await outcome;
});

test("the budget ends a call that never succeeds", async () => {
  const rig = new Rig();
  rig.forward = silent;
  const call = rig.submitter.submit(operation);
  const outcome = expect(call).rejects.toMatchObject({ code: "DeadlineExceeded" });
  await rig.clock.advance(BUDGET_MS);
  await outcome;
});

test("a read whose barrier fails is tried again", async () => {
  const rig = new Rig();
  let count = 0;
  rig.barrier = () => (++count === 1 ? Promise.reject(new Error("no leader")) : Promise.resolve());
  const call = rig.submitter.read();
  await rig.clock.advance(100);
  await expect(call).resolves.toBe(rig.store);
});
