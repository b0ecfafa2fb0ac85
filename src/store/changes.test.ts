import { describe, expect, test } from "vitest";
import { type Change, TASK_STATE, type Task } from "../api/index.js";
import { apply, batchesOf, id, populated, sampleTask } from "./testing/samples.js";

describe("narrow changes to tasks", () => {
  const unassigned = id("t", 1);
  const running = id("t", 2);
  const status = (set: Partial<Extract<Change, { kind: "taskStatus" }>>): Change => ({
    kind: "taskStatus",
    taskId: running,
    state: TASK_STATE.running,
    atMs: 500,
    message: "started",
    err: "",
    containerId: "",
    pid: 0,
    exitCode: 0,
    portStatus: [],
    ...set,
  });
  const desired = (taskId: string, desiredState: Task["desiredState"], notBeforeMs?: number) =>
    ({
      kind: "taskDesired",
      taskId,
      desiredState,
      ...(notBeforeMs !== undefined && { notBeforeMs }),
    }) as const;
  const assign = (taskId: string, node: number) =>
    ({ kind: "taskAssign", taskId, nodeId: id("n", node), message: "scheduled" }) as const;

  test.each<{ name: string; change: Change; task: string; expected: Partial<Task> | "nothing" }>([
    {
      name: "desired state goes up",
      change: desired(running, TASK_STATE.shutdown),
      task: running,
      expected: { desiredState: TASK_STATE.shutdown, notBeforeMs: 0 },
    },
    {
      name: "desired state never goes down",
      change: desired(running, TASK_STATE.ready),
      task: running,
      expected: "nothing",
    },
    {
      name: "notBefore can be set with the same desired state",
      change: desired(running, TASK_STATE.running, 9000),
      task: running,
      expected: { desiredState: TASK_STATE.running, notBeforeMs: 9000 },
    },
    {
      name: "the same desired state again says nothing",
      change: desired(running, TASK_STATE.running),
      task: running,
      expected: "nothing",
    },
    {
      name: "an assignment brings what it claims of the node",
      change: {
        ...assign(unassigned, 2),
        genericResources: [{ NamedResourceSpec: { Kind: "gpu", Value: "a" } }],
      },
      task: unassigned,
      expected: {
        nodeId: id("n", 2),
        state: TASK_STATE.assigned,
        statusAtMs: 1000,
        message: "scheduled",
        genericResources: [{ NamedResourceSpec: { Kind: "gpu", Value: "a" } }],
      },
    },
    {
      name: "a task without a node is assigned",
      change: assign(unassigned, 2),
      task: unassigned,
      expected: {
        nodeId: id("n", 2),
        state: TASK_STATE.assigned,
        message: "scheduled",
        statusAtMs: 1000,
      },
    },
    {
      name: "a task never changes its node",
      change: assign(running, 2),
      task: running,
      expected: "nothing",
    },
    {
      name: "no task goes to a node that is gone",
      change: assign(unassigned, 9),
      task: unassigned,
      expected: "nothing",
    },
    {
      name: "observed state goes up with what the agent reports",
      change: status({ state: TASK_STATE.failed, err: "task: non-zero exit (3)", exitCode: 3 }),
      task: running,
      expected: {
        state: TASK_STATE.failed,
        err: "task: non-zero exit (3)",
        exitCode: 3,
        statusAtMs: 500,
      },
    },
    {
      name: "observed state never goes down",
      change: status({ state: TASK_STATE.preparing, message: "preparing" }),
      task: running,
      expected: "nothing",
    },
    {
      name: "the same report again says nothing",
      change: status({ atMs: 777 }),
      task: running,
      expected: "nothing",
    },
    {
      name: "the same state with another text is news",
      change: status({ message: "still fine" }),
      task: running,
      expected: { message: "still fine", statusAtMs: 500 },
    },
    {
      name: "the same state with a port is news",
      change: status({
        portStatus: [{ protocol: "tcp", targetPort: 80, publishedPort: 30001 }],
      }),
      task: running,
      expected: {
        statusAtMs: 500,
        portStatus: [{ protocol: "tcp", targetPort: 80, publishedPort: 30001 }],
      },
    },
  ])("$name", ({ change, task, expected }) => {
    const store = populated();
    const before = store.task(task);
    const batches = batchesOf(store);
    expect(apply(store, [change]).kind).toBe("applied");
    const after = store.task(task);
    if (expected === "nothing") {
      expect(after).toBe(before);
      expect(batches).toEqual([{ kind: "changes", index: 4, events: [] }]);
      return;
    }
    expect(after).toEqual({ ...before, ...expected, versionIndex: 4, updatedAtMs: 1000 });
    expect(batches).toEqual([
      {
        kind: "changes",
        index: 4,
        events: [{ table: "task", kind: "updated", object: after, old: before }],
        origin: { atMs: 1000, requester: undefined },
      },
    ]);
  });

  test("a task that ended before its node was removed keeps its end", () => {
    const store = populated();
    apply(store, [status({ state: TASK_STATE.complete })]);
    apply(store, [status({ state: TASK_STATE.orphaned, message: "node was removed" })]);
    expect(store.task(running)).toMatchObject({ state: TASK_STATE.complete, message: "started" });
  });

  test("the reason why a task had to wait does not stay with it on its node", () => {
    const store = populated();
    const waiting = status({ taskId: unassigned, state: TASK_STATE.pending, err: "no node" });
    apply(store, [waiting, assign(unassigned, 1)]);
    expect(store.task(unassigned)).toMatchObject({ state: TASK_STATE.assigned, err: "" });
  });

  test("a task that nobody wants any more is not assigned", () => {
    const store = populated();
    apply(store, [desired(unassigned, TASK_STATE.shutdown), assign(unassigned, 1)]);
    expect(store.task(unassigned)?.nodeId).toBe("");
  });

  test("a task made for a node is confirmed on it and only there", () => {
    const store = populated();
    apply(store, [
      { kind: "putTask", task: sampleTask(7, { nodeId: id("n", 2), state: TASK_STATE.pending }) },
      assign(id("t", 7), 1),
    ]);
    expect(store.task(id("t", 7))?.state).toBe(TASK_STATE.pending);
    apply(store, [assign(id("t", 7), 2)]);
    expect(store.task(id("t", 7))?.state).toBe(TASK_STATE.assigned);
  });

  test("changes to a task that is gone are ignored", () => {
    const store = populated();
    apply(store, [{ kind: "delete", table: "task", id: running }]);
    const batches = batchesOf(store);
    const outcome = apply(store, [
      status({ state: TASK_STATE.failed }),
      desired(running, TASK_STATE.remove),
      assign(running, 1),
      { kind: "delete", table: "task", id: running },
    ]);
    expect(outcome.kind).toBe("applied");
    expect(batches).toEqual([{ kind: "changes", index: 5, events: [] }]);
  });
});

describe("narrow changes to nodes and services", () => {
  const nodeId = id("n", 1);
  const down: Change = { kind: "nodeStatus", nodeId, state: "down", stateMessage: "silent" };

  test("a node that goes down remembers since when, and forgets it when it is back", () => {
    const store = populated();
    apply(store, [down], { atMs: 5000 });
    expect(store.node(nodeId)).toMatchObject({ state: "down", downSinceMs: 5000 });
    apply(store, [{ ...down, stateMessage: "still silent" }], { atMs: 6000 });
    expect(store.node(nodeId)).toMatchObject({ stateMessage: "still silent", downSinceMs: 5000 });
    apply(store, [{ kind: "nodeStatus", nodeId, state: "ready" }], { atMs: 7000 });
    expect(store.node(nodeId)).toMatchObject({ state: "ready", downSinceMs: 0, addr: "10.0.0.1" });
    expect(store.node(nodeId)?.clientIndex).toBe(1);
  });

  test("a report with nothing new makes no event and no version", () => {
    const store = populated();
    const batches = batchesOf(store);
    apply(store, [
      { kind: "nodeStatus", nodeId, state: "ready", addr: "10.0.0.1", bootId: "boot1" },
      { kind: "nodeRole", nodeId, role: "worker", manager: null },
      { kind: "nodeStatus", nodeId: id("n", 9), state: "ready" },
    ]);
    expect(batches).toEqual([{ kind: "changes", index: 4, events: [] }]);
    expect(store.node(nodeId)?.versionIndex).toBe(1);
  });

  test("role and membership change one by one", () => {
    const store = populated();
    const manager = { memberId: "m1", addr: "10.0.0.1:2377" };
    apply(store, [{ kind: "nodeRole", nodeId, manager }]);
    expect(store.node(nodeId)).toMatchObject({ role: "worker", manager });
    apply(store, [{ kind: "nodeRole", nodeId, role: "manager" }]);
    expect(store.node(nodeId)).toMatchObject({ role: "manager", manager });
    apply(store, [{ kind: "nodeRole", nodeId, role: "worker", manager: null }]);
    expect(store.node(nodeId)).toMatchObject({ role: "worker", manager: undefined });
  });

  test("the updater's status counts only for the spec it worked on", () => {
    const store = populated();
    const updateStatus = {
      state: "updating",
      startedAtMs: 1,
      completedAtMs: 0,
      message: "update in progress",
    } as const;
    const change = { kind: "serviceUpdateStatus", serviceId: id("s", 1), updateStatus } as const;
    apply(store, [{ ...change, specVersion: 99 }]);
    expect(store.service(id("s", 1))?.updateStatus).toBeUndefined();
    apply(store, [{ ...change, specVersion: 1 }]);
    expect(store.service(id("s", 1))).toMatchObject({ updateStatus, clientIndex: 1 });
    apply(store, [{ ...change, updateStatus: undefined, specVersion: 1 }]);
    expect(store.service(id("s", 1))?.updateStatus).toBeUndefined();
  });

  test("where rebalancing stands counts only for the spec it worked on", () => {
    const store = populated();
    const rebalance = {
      state: "moving",
      isManual: true,
      startedAtMs: 1,
      endedAtMs: 0,
      movedCount: 2,
      failedCount: 0,
      imbalanceBefore: 3,
      imbalanceAfter: 0,
      message: "",
      moves: [{ taskId: id("t", 1), newTaskId: id("t", 2), atMs: 1 }],
      begunAtMs: [],
    } as const;
    const change = { kind: "serviceRebalance", serviceId: id("s", 1), rebalance } as const;
    apply(store, [{ ...change, specVersion: 99 }]);
    expect(store.service(id("s", 1))?.rebalance).toBeUndefined();
    apply(store, [{ ...change, specVersion: 1 }]);
    expect(store.service(id("s", 1))).toMatchObject({ rebalance, clientIndex: 1 });
  });
});
