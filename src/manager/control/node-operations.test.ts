import { beforeEach, describe, expect, test } from "vitest";
import { type Change, type Node, type NodeSpec, TASK_STATE } from "../../api/index.js";
import { cluster, type Leader, leader, manager, node, run, task } from "./testing/leader.js";

let l: Leader;
async function put(...changes: Change[]): Promise<void> {
  await l.proposer.propose({
    requestId: "",
    atMs: 1,
    isClient: false,
    preconditions: [],
    changes,
    resultJson: "",
  });
}
async function withNodes(...nodes: Node[]): Promise<void> {
  await put(...nodes.map((one): Change => ({ kind: "putNode", node: one })));
  l.members = nodes.flatMap((one) =>
    one.manager ? [{ ...one.manager, nodeId: one.id, isLearner: false }] : [],
  );
  l.reachable = new Set(l.members.map((member) => member.memberId));
}
const worker: NodeSpec = { Labels: {}, Role: "worker", Availability: "active" };
function update(nodeId: string, spec: object, version = l.store.node(nodeId)?.versionIndex ?? 0) {
  return run(l, { kind: "node.update", nodeId, version, spec: spec as NodeSpec });
}
function remove(nodeId: string, force = false) {
  return run(l, { kind: "node.remove", nodeId, force });
}

beforeEach(async () => {
  l = leader();
  await put({ kind: "putCluster", cluster: cluster() });
});

describe("node.update", () => {
  test("stores labels, availability, role and name", async () => {
    await withNodes(node("n1"));
    const spec = { Name: "big", Labels: { disk: "ssd" }, Role: "manager", Availability: "drain" };
    await expect(update("n1", spec)).resolves.toEqual({ index: 3, result: {} });
    expect(l.store.node("n1")).toMatchObject({ spec, role: "worker", clientIndex: 3 });
  });

  test.each([
    { name: "a role", spec: { ...worker, Role: "boss" }, text: 'invalid Role: "boss"' },
    { name: "no role", spec: { Availability: "active" }, text: 'invalid Role: ""' },
    {
      name: "an availability",
      spec: { ...worker, Availability: "asleep" },
      text: 'invalid Availability: "asleep"',
    },
  ])("refuses $name it does not know", async ({ spec, text }) => {
    await withNodes(node("n1"));
    await expect(update("n1", spec)).rejects.toMatchObject({ http: 400, restMessage: text });
  });

  test("refuses a stale version and an unknown node", async () => {
    await withNodes(node("n1"));
    await expect(update("n1", worker, 1)).rejects.toMatchObject({
      http: 500,
      message: "update out of sequence",
    });
    await expect(update("n9", worker)).rejects.toMatchObject({
      code: "NotFound",
      message: "node n9 not found",
    });
  });

  test("a heartbeat's write in between does not spoil a client's version", async () => {
    await withNodes(node("n1"));
    const version = l.store.node("n1")?.versionIndex;
    await put({ kind: "nodeStatus", nodeId: "n1", state: "down" });
    await update("n1", { ...worker, Availability: "drain" }, version);
    expect(l.store.node("n1")).toMatchObject({ state: "down", spec: { Availability: "drain" } });
  });
});

describe("a drain", () => {
  const drain = (Drain?: object) => ({ ...worker, Availability: "drain", ...(Drain && { Drain }) });
  const stored = () => {
    const { spec, drainSinceMs = 0 } = l.store.node("n1") ?? {};
    return { Drain: spec?.Drain, ageMs: drainSinceMs === 0 ? undefined : l.nowMs - drainSinceMs };
  };
  const OLD = { Deadline: 60e9, MaxParallel: 2 };

  test.each([
    { name: "without settings it goes on as it was", next: drain(), Drain: OLD, ageMs: 1000 },
    { name: "with the same ones too", next: drain({ ...OLD }), Drain: OLD, ageMs: 1000 },
    {
      name: "with others it begins anew",
      next: drain({ Deadline: 0 }),
      Drain: { Deadline: 0 },
      ageMs: 0,
    },
    { name: "it ends, and its settings with it", next: worker, Drain: undefined, ageMs: undefined },
    {
      name: "a client that writes back all it has read may end it",
      next: { ...worker, Drain: OLD },
      Drain: undefined,
      ageMs: undefined,
    },
  ])("$name", async ({ next, Drain, ageMs }) => {
    await withNodes(node("n1"));
    await update("n1", drain(OLD));
    expect(stored()).toEqual({ Drain: OLD, ageMs: 0 });
    l.nowMs += 1000;
    await update("n1", next);
    expect(stored()).toEqual({ Drain, ageMs });
  });

  test.each([
    {
      spec: { ...worker, Drain: OLD },
      text: 'invalid Drain: only for a node that is drained; Availability is "active"',
    },
    { spec: drain({ Deadline: -1 }), text: /Drain.Deadline.*0 or more/ },
    { spec: drain({ MaxParallel: 1.5 }), text: /Drain.MaxParallel.*a whole number/ },
  ])("is refused: $text", async ({ spec, text }) => {
    await withNodes(node("n1"));
    await expect(update("n1", spec)).rejects.toThrow(text);
  });
});

describe("demotion", () => {
  const LAST = "attempting to demote the last manager of the swarm";
  const QUORUM = "this would result in a loss of quorum";
  test.each<{ name: string; managers: string[]; down: string[]; refused?: string }>([
    { name: "the last manager", managers: ["a"], down: [], refused: LAST },
    { name: "one of two", managers: ["a", "b"], down: [] },
    { name: "the living one of two", managers: ["a", "b"], down: ["b"], refused: QUORUM },
    { name: "the silent one of two", managers: ["a", "b"], down: ["a"] },
    { name: "one of three", managers: ["a", "b", "c"], down: [] },
    { name: "a living one of three", managers: ["a", "b", "c"], down: ["c"], refused: QUORUM },
    { name: "the silent one of three", managers: ["a", "b", "c"], down: ["a"] },
    { name: "a living one of five", managers: ["a", "b", "c", "d", "e"], down: ["e"] },
  ])("of $name: $refused", async ({ managers, down, refused }) => {
    await withNodes(...managers.map(manager));
    for (const id of down) l.reachable.delete(`m-${id}`);
    const demoted = update("a", worker);
    if (refused === undefined) {
      await demoted;
      expect(l.store.node("a")?.spec.Role).toBe("worker");
      return;
    }
    await expect(demoted).rejects.toMatchObject({
      code: "FailedPrecondition",
      message: expect.stringContaining(refused),
    });
  });

  test("of a manager that has not joined yet needs no quorum", async () => {
    await withNodes(manager("a"), manager("b"));
    l.members = l.members.filter((member) => member.nodeId !== "a");
    l.reachable.clear();
    await expect(update("a", worker)).resolves.toBeDefined();
  });

  test("of two at once leaves a quorum: the second is judged after the first", async () => {
    await withNodes(manager("a"), manager("b"), manager("c"));
    l.reachable.delete("m-b");
    const [first, second] = await Promise.allSettled([update("b", worker), update("a", worker)]);
    expect(first?.status).toBe("fulfilled");
    expect(second?.status).toBe("fulfilled");
    await expect(update("c", worker)).rejects.toMatchObject({ message: LAST });
  });

  test("of the living beside one on its way out counts only who stays", async () => {
    await withNodes(manager("a"), manager("b"), manager("c"));
    await update("a", worker);
    l.reachable.delete("m-c");
    await expect(update("b", worker)).rejects.toMatchObject({
      message: expect.stringContaining(QUORUM),
    });
  });
});

describe("node.remove", () => {
  test.each([
    {
      name: "a node that is ready",
      given: node("n1"),
      force: false,
      text: "node n1 is not down and can't be removed",
    },
    {
      name: "a manager, even by force",
      given: manager("n1"),
      force: true,
      text: "node n1 is a cluster manager and is a member of the raft cluster. It must be demoted to worker before removal",
    },
  ])("refuses $name", async ({ given, force, text }) => {
    await withNodes(given, manager("m2"));
    await expect(remove("n1", force)).rejects.toMatchObject({
      http: 400,
      restMessage: `rpc error: code = FailedPrecondition desc = ${text}`,
    });
    expect(l.store.node("n1")).toBeDefined();
  });

  test.each([
    { name: "a node that is down", given: node("n1", { state: "down" }), force: false },
    { name: "a ready node by force", given: node("n1"), force: true },
  ])(
    "of $name deletes it, orphans its tasks and denies its certificate",
    async ({ given, force }) => {
      await withNodes(given, node("n2"));
      const running = {
        nodeId: "n1",
        state: TASK_STATE.running,
        containerId: "c",
        pid: 7,
      } as const;
      await put(
        { kind: "putTask", task: task("t1", running) },
        { kind: "putTask", task: task("t2", { nodeId: "n1", state: TASK_STATE.failed, err: "e" }) },
        { kind: "putTask", task: task("t3", { nodeId: "n2", state: TASK_STATE.running }) },
      );
      await remove("n1", force);
      expect(l.store.node("n1")).toBeUndefined();
      expect(l.store.task("t1")).toMatchObject({
        state: TASK_STATE.orphaned,
        containerId: "c",
        pid: 7,
        versionIndex: l.store.index,
      });
      expect(l.store.task("t2")).toMatchObject({ state: TASK_STATE.failed, err: "e" });
      expect(l.store.task("t3")?.state).toBe(TASK_STATE.running);
      const week = 7 * 24 * 3600_000;
      expect(l.store.cluster()).toMatchObject({
        clientIndex: 1,
        deniedNodes: [{ nodeId: "n1", untilMs: 1_000_000 + 7_776_000_000 + week }],
      });
    },
  );

  test("forgets denials that are over", async () => {
    await put({
      kind: "putCluster",
      cluster: cluster({
        deniedNodes: [
          { nodeId: "old", untilMs: 999_999 },
          { nodeId: "recent", untilMs: 1_000_001 },
        ],
      }),
    });
    await withNodes(node("n1", { state: "down" }));
    await remove("n1");
    expect(l.store.cluster()?.deniedNodes.map((denied) => denied.nodeId)).toEqual(["recent", "n1"]);
  });

  test("orphans a task that was assigned while the removal was on its way", async () => {
    await withNodes(node("n1", { state: "down" }));
    await put({ kind: "putTask", task: task("t1") });
    const propose = l.proposer.propose.bind(l.proposer);
    let isFirst = true;
    l.proposer.propose = async (transaction, signal) => {
      if (isFirst) {
        isFirst = false;
        await propose({
          ...transaction,
          requestId: "",
          preconditions: [],
          changes: [{ kind: "taskAssign", taskId: "t1", nodeId: "n1", message: "" }],
        });
      }
      return propose(transaction, signal);
    };
    await remove("n1");
    expect(l.store.task("t1")?.state).toBe(TASK_STATE.orphaned);
  });

  test("an unknown node is not found", async () => {
    await expect(remove("n9")).rejects.toMatchObject({
      code: "NotFound",
      message: "node n9 not found",
    });
  });
});
