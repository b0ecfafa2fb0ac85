import { expect, test, vi } from "vitest";
import { ApiError } from "../../base/index.js";
import { ClusterStore, LocalProposer } from "../../store/index.js";
import { type ControlDeps, createControl } from "./control.js";
import { leader, run } from "./testing/leader.js";

const signal = new AbortController().signal;
const call = { requestId: "r1", callerNodeId: "n1", signal };

function controlWith(handlers: Partial<ControlDeps["handlers"]>): ReturnType<typeof createControl> {
  const store = new ClusterStore({ nowMs: () => 0, yieldToLoop: () => Promise.resolve() });
  const refuse = (): never => {
    throw new Error("not used");
  };
  const clock = {
    nowMs: refuse,
    wallMs: () => 1,
    sleep: refuse,
    timeout: refuse,
    setTimer: refuse,
  };
  return createControl({
    store,
    proposer: new LocalProposer(store),
    membership: {
      members: () => [],
      reachable: () => new Set(),
      leaderMemberId: () => undefined,
      add: refuse,
      remove: refuse,
    },
    clock,
    capabilities: new Set(),
    newToken: refuse,
    newUnlockKey: refuse,
    handlers: { "ca.issue": refuse, "raft.join": refuse, "raft.leave": refuse, ...handlers },
  });
}

test("operations of other rooms go to their handlers as they came", async () => {
  const outcome = { index: 7, result: {} };
  const leave = vi.fn(() => Promise.resolve(outcome));
  const operation = { kind: "raft.leave", nodeId: "n1" } as const;
  await expect(
    controlWith({ "raft.leave": leave }).execute<"raft.leave">(operation, call),
  ).resolves.toBe(outcome);
  expect(leave).toHaveBeenCalledWith(operation, call);
});

test("a failed change of a node does not hold up the next one", async () => {
  const l = leader();
  const first = run(l, { kind: "node.remove", nodeId: "a", force: true });
  const second = run(l, { kind: "node.remove", nodeId: "b", force: true });
  await expect(first).rejects.toMatchObject({ message: "node a not found" });
  await expect(second).rejects.toMatchObject({ message: "node b not found" });
});

test("more changes of nodes than may wait are refused", async () => {
  const l = leader();
  const all = await Promise.allSettled(
    Array.from({ length: 65 }, () => run(l, { kind: "node.remove", nodeId: "a", force: true })),
  );
  const codes = all.map((one) =>
    one.status === "rejected" && one.reason instanceof ApiError ? one.reason.code : "",
  );
  expect(codes.filter((code) => code === "NotFound")).toHaveLength(64);
  expect(codes.at(-1)).toBe("ResourceExhausted");
});
