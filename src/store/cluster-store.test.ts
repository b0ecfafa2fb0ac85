import { describe, expect, test } from "vitest";
import {
  type Change,
  encodeTransaction,
  type Precondition,
  TASK_STATE,
  type Task,
  type Transaction,
} from "../api/index.js";
import { ClusterStore } from "./cluster-store.js";
import type { StoreBatch } from "./port.js";
import {
  IDLE_PACE,
  id,
  sampleCluster,
  sampleNetwork,
  sampleNode,
  sampleSecret,
  sampleService,
  sampleSpec,
  sampleTask,
  transaction,
} from "./samples.js";

/** A store with one service, two nodes, one task each assigned and not, applied as entries 1 to 3. */
function populated(): ClusterStore {
  const store = new ClusterStore(IDLE_PACE);
  apply(store, [
    { kind: "putService", service: sampleService(1) },
    { kind: "putNode", node: sampleNode(1) },
    { kind: "putNode", node: sampleNode(2) },
  ]);
  apply(store, [{ kind: "putTask", task: sampleTask(1) }]);
  apply(store, [
    {
      kind: "putTask",
      task: sampleTask(2, { nodeId: id("n", 1), state: TASK_STATE.running, message: "started" }),
    },
  ]);
  return store;
}

function apply(
  store: ClusterStore,
  changes: readonly Change[],
  set: Partial<Transaction> = {},
): ReturnType<ClusterStore["apply"]> {
  return store.apply(store.index + 1, encodeTransaction(transaction(changes, set)));
}

function batchesOf(store: ClusterStore): StoreBatch[] {
  const batches: StoreBatch[] = [];
  store.subscribe((batch) => batches.push(batch));
  return batches;
}

describe("versions and times", () => {
  test("a put sets the entry's index and time; creation time stays", () => {
    const store = new ClusterStore(IDLE_PACE);
    store.apply(7, encodeTransaction(transaction([{ kind: "putNode", node: sampleNode(1) }])));
    const node = store.node(id("n", 1));
    expect(node).toMatchObject({
      versionIndex: 7,
      clientIndex: 7,
      createdAtMs: 1000,
      updatedAtMs: 1000,
    });
    store.apply(
      9,
      encodeTransaction(transaction([{ kind: "putNode", node: sampleNode(1) }], { atMs: 2000 })),
    );
    expect(store.node(id("n", 1))).toMatchObject({
      versionIndex: 9,
      clientIndex: 7,
      createdAtMs: 1000,
      updatedAtMs: 2000,
    });
    expect(store.index).toBe(9);
  });

  test("a client's put moves clientIndex, an internal one with the same spec does not", () => {
    const store = new ClusterStore(IDLE_PACE);
    const put: Change = { kind: "putService", service: sampleService(1) };
    apply(store, [put], { isClient: true });
    apply(store, [put]);
    expect(store.service(id("s", 1))).toMatchObject({ versionIndex: 2, clientIndex: 1 });
    apply(store, [put], { isClient: true });
    expect(store.service(id("s", 1))).toMatchObject({ versionIndex: 3, clientIndex: 3 });
  });

  test("an internal put with another spec (automatic rollback) moves clientIndex too", () => {
    const store = populated();
    const spec = sampleSpec("svc1", { Labels: { rolled: "back" } });
    apply(store, [{ kind: "putService", service: sampleService(1, { spec }) }]);
    expect(store.service(id("s", 1))?.clientIndex).toBe(4);
  });

  test("specVersion 0 becomes the entry's index, any other is kept", () => {
    const store = populated();
    expect(store.service(id("s", 1))?.specVersion).toBe(1);
    apply(store, [{ kind: "putService", service: sampleService(1, { specVersion: 1 }) }]);
    expect(store.service(id("s", 1))?.specVersion).toBe(1);
    apply(store, [{ kind: "putService", service: sampleService(1) }]);
    expect(store.service(id("s", 1))?.specVersion).toBe(5);
  });
});

describe("preconditions", () => {
  const port = (publishMode: "ingress" | "host", exceptServiceId = ""): Precondition => ({
    kind: "portFree",
    protocol: "tcp",
    publishedPort: 8080,
    publishMode,
    exceptServiceId,
  });
  /** Service 1 is at version 2 with clientIndex 1; service 2 publishes 8080 (ingress), 3 publishes 9090 (host). */
  function store(): ClusterStore {
    const store = new ClusterStore(IDLE_PACE);
    const service = sampleService(1, {
      spec: sampleSpec("Web", {
        TaskTemplate: {
          ...sampleSpec("x").TaskTemplate,
          Networks: [{ Target: id("w", 1) }],
        },
      }),
    });
    const publishing = (number: number, port: number, mode: "ingress" | "host"): Change => ({
      kind: "putService",
      service: sampleService(number, {
        spec: sampleSpec(`svc${number}`, {
          EndpointSpec: {
            Ports: [{ Protocol: "tcp", TargetPort: 80, PublishedPort: port, PublishMode: mode }],
          },
        }),
      }),
    });
    apply(store, [{ kind: "putService", service }], { isClient: true });
    apply(store, [
      { kind: "putService", service },
      publishing(2, 8080, "ingress"),
      publishing(3, 9090, "host"),
      { kind: "putNetwork", network: sampleNetwork(1) },
      { kind: "putNetwork", network: sampleNetwork(2) },
      { kind: "putTask", task: sampleTask(1) },
    ]);
    return store;
  }
  const one = { table: "service", id: id("s", 1) } as const;
  const gone = { table: "service", id: id("s", 9) } as const;
  test.each<{ name: string; p: Precondition; code?: string; conflictsWith?: string[] }>([
    { name: "versionIs of the current version holds", p: { kind: "versionIs", ...one, index: 2 } },
    {
      name: "versionIs of an older one does not",
      p: { kind: "versionIs", ...one, index: 1 },
      code: "OUT_OF_SEQUENCE",
    },
    {
      name: "versionIs of a gone object does not",
      p: { kind: "versionIs", ...gone, index: 1 },
      code: "NOT_FOUND",
    },
    {
      name: "clientVersion before an internal write holds",
      p: { kind: "clientVersion", ...one, index: 1 },
    },
    {
      name: "clientVersion of the current version holds",
      p: { kind: "clientVersion", ...one, index: 2 },
    },
    {
      name: "clientVersion before the last client write does not",
      p: { kind: "clientVersion", ...one, index: 0 },
      code: "OUT_OF_SEQUENCE",
    },
    {
      name: "clientVersion of the future does not",
      p: { kind: "clientVersion", ...one, index: 3 },
      code: "OUT_OF_SEQUENCE",
    },
    { name: "exists of a living object holds", p: { kind: "exists", ...one } },
    {
      name: "exists of a gone object does not",
      p: { kind: "exists", ...gone },
      code: "NOT_FOUND",
      conflictsWith: [id("s", 9)],
    },
    { name: "absent of a gone object holds", p: { kind: "absent", ...gone } },
    { name: "absent of a living object does not", p: { kind: "absent", ...one }, code: "EXISTS" },
    {
      name: "nameFree of a new name holds",
      p: { kind: "nameFree", table: "service", name: "other", exceptId: "" },
    },
    {
      name: "nameFree of a name taken in other letters does not",
      p: { kind: "nameFree", table: "service", name: "wEB", exceptId: "" },
      code: "NAME_CONFLICT",
      conflictsWith: [id("s", 1)],
    },
    {
      name: "nameFree of the object's own name holds",
      p: { kind: "nameFree", table: "service", name: "Web", exceptId: id("s", 1) },
    },
    {
      name: "nameFree looks at one table only",
      p: { kind: "nameFree", table: "network", name: "Web", exceptId: "" },
    },
    {
      name: "portFree ingress against ingress does not hold",
      p: port("ingress"),
      code: "PORT_CONFLICT",
      conflictsWith: [id("s", 2)],
    },
    {
      name: "portFree host against ingress does not hold",
      p: port("host"),
      code: "PORT_CONFLICT",
    },
    { name: "portFree of the service's own port holds", p: port("ingress", id("s", 2)) },
    {
      name: "portFree ingress against host does not hold",
      p: { ...port("ingress"), publishedPort: 9090 } as Precondition,
      code: "PORT_CONFLICT",
      conflictsWith: [id("s", 3)],
    },
    {
      name: "portFree host against host holds",
      p: { ...port("host"), publishedPort: 9090 } as Precondition,
    },
    {
      name: "portFree of another protocol holds",
      p: { ...port("ingress"), protocol: "udp" } as Precondition,
    },
    {
      name: "unreferenced of a network in use does not hold",
      p: { kind: "unreferenced", table: "network", id: id("w", 1) },
      code: "IN_USE",
      conflictsWith: [id("s", 1)],
    },
    {
      name: "unreferenced of an unused network holds",
      p: { kind: "unreferenced", table: "network", id: id("w", 2) },
    },
  ])("$name", ({ p, code, conflictsWith }) => {
    const s = store();
    const before = s.index;
    const outcome = apply(s, [{ kind: "putSecret", secret: sampleSecret(1) }], {
      preconditions: [p],
    });
    expect(outcome.index).toBe(before + 1);
    if (code === undefined) {
      expect(outcome.kind).toBe("applied");
      expect(s.secret(id("x", 1))).toBeDefined();
      return;
    }
    expect(outcome).toMatchObject({ kind: "rejected", rejection: { code, precondition: p } });
    if (conflictsWith && outcome.kind === "rejected")
      expect(outcome.rejection.conflictsWith).toEqual(conflictsWith);
    expect(s.secret(id("x", 1))).toBeUndefined();
  });

  test("a name is free again after a delete, and follows a rename", () => {
    const s = store();
    apply(s, [
      { kind: "putService", service: sampleService(1, { spec: sampleSpec("renamed") }) },
      { kind: "delete", table: "service", id: id("s", 2) },
    ]);
    expect(s.serviceByName("web")).toBeUndefined();
    expect(s.serviceByName("RENAMED")?.id).toBe(id("s", 1));
    expect(s.serviceByName("svc2")).toBeUndefined();
    const free: Precondition = { kind: "nameFree", table: "service", name: "svc2", exceptId: "" };
    expect(apply(s, [], { preconditions: [free, port("ingress")] }).kind).toBe("applied");
  });

  test.each([
    { name: "wanted and running", set: { state: TASK_STATE.running }, inUse: true },
    { name: "told to stop", set: { desiredState: TASK_STATE.shutdown }, inUse: false },
    { name: "ended by itself", set: { state: TASK_STATE.failed }, inUse: false },
  ])("a task that is $name: does its network count as used? $inUse", ({ set, inUse }) => {
    const s = store();
    const spec = { ...sampleSpec("x").TaskTemplate, Networks: [{ Target: id("w", 2) }] };
    apply(s, [{ kind: "putTask", task: sampleTask(5, { spec, ...set }) }]);
    const outcome = apply(s, [], {
      preconditions: [{ kind: "unreferenced", table: "network", id: id("w", 2) }],
    });
    expect(outcome.kind).toBe(inUse ? "rejected" : "applied");
  });
});

describe("bytes that are no transaction", () => {
  test("are rejected and move the index", () => {
    const store = new ClusterStore(IDLE_PACE);
    const outcome = store.apply(3, new Uint8Array([0xff, 0xff]));
    expect(outcome).toMatchObject({ kind: "rejected", rejection: { code: "BAD_FORMAT" } });
    expect(store.index).toBe(3);
  });

  test("an entry of no bytes only moves the index", () => {
    const store = populated();
    const batches = batchesOf(store);
    expect(store.apply(10, new Uint8Array(0)).kind).toBe("applied");
    expect(batches).toEqual([{ kind: "changes", index: 10, events: [] }]);
  });

  test("an entry that was applied before stops the daemon", () => {
    const store = populated();
    expect(() => store.apply(3, new Uint8Array(0))).toThrow("entry 3 applied after 3");
  });
});

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
      },
    ]);
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
});

describe("views", () => {
  test("lists are in the order of ids, whatever the order of writing", () => {
    const store = new ClusterStore(IDLE_PACE);
    const order = [5, 1, 9, 3, 7];
    apply(
      store,
      order.flatMap((n): Change[] => [
        { kind: "putTask", task: sampleTask(n, { slot: 1, nodeId: id("n", 1) }) },
        { kind: "putNode", node: sampleNode(n) },
      ]),
    );
    const sorted = [1, 3, 5, 7, 9];
    const tasks = sorted.map((n) => id("t", n));
    expect(store.nodes().map((node) => node.id)).toEqual(sorted.map((n) => id("n", n)));
    expect(store.tasks().map((task) => task.id)).toEqual(tasks);
    expect(store.tasksByService(id("s", 1)).map((task) => task.id)).toEqual(tasks);
    expect(store.tasksByNode(id("n", 1)).map((task) => task.id)).toEqual(tasks);
    expect(store.tasksBySlot(id("s", 1), 1).map((task) => task.id)).toEqual(tasks);
  });

  test("a list that was handed out never changes", () => {
    const store = populated();
    const before = store.tasksByService(id("s", 1));
    const slot = store.tasksBySlot(id("s", 1), 1);
    apply(store, [{ kind: "putTask", task: sampleTask(3, { slot: 1 }) }]);
    expect(before).toHaveLength(2);
    expect(slot).toHaveLength(1);
    expect(store.tasksByService(id("s", 1))).toHaveLength(3);
    expect(store.tasksBySlot(id("s", 1), 1)).toHaveLength(2);
  });

  test("deleted tasks leave every index", () => {
    const store = populated();
    apply(store, [{ kind: "delete", table: "task", id: id("t", 2) }]);
    expect(store.tasksByNode(id("n", 1))).toEqual([]);
    expect(store.tasksBySlot(id("s", 1), 2)).toEqual([]);
    expect(store.tasksByService(id("s", 1)).map((task) => task.id)).toEqual([id("t", 1)]);
  });

  test("tasks of a service share one spec object", () => {
    const store = populated();
    const [a, b] = store.tasksByService(id("s", 1));
    expect(a?.spec).toBe(b?.spec);
    expect(a?.spec).toBe(a && store.task(a.id)?.spec);
  });

  test("there is one cluster", () => {
    const store = populated();
    expect(store.cluster()).toBeUndefined();
    apply(store, [{ kind: "putCluster", cluster: sampleCluster() }]);
    expect(store.cluster()?.spec.Name).toBe("default");
  });
});

describe("kept results", () => {
  const create = (requestId: string, number: number, atMs = 1000) =>
    encodeTransaction(
      transaction([{ kind: "putService", service: sampleService(number) }], {
        requestId,
        atMs,
        isClient: true,
        preconditions: [{ kind: "nameFree", table: "service", name: `svc${number}`, exceptId: "" }],
        resultJson: `{"id":"${number}"}`,
      }),
    );

  test("a request that comes again changes nothing and gets the first answer", () => {
    const store = new ClusterStore(IDLE_PACE);
    const first = store.apply(1, create("r1", 1));
    expect(first).toEqual({ kind: "applied", index: 1, resultJson: '{"id":"1"}' });
    const batches = batchesOf(store);
    expect(store.apply(2, create("r1", 1))).toEqual(first);
    expect(batches).toEqual([{ kind: "changes", index: 2, events: [] }]);
    expect(store.storedResult("r1")).toEqual({ index: 1, resultJson: '{"id":"1"}' });
    expect(store.service(id("s", 1))?.versionIndex).toBe(1);
  });

  test("a rejected request keeps nothing: it is judged anew", () => {
    const store = new ClusterStore(IDLE_PACE);
    store.apply(1, create("r1", 1));
    expect(store.apply(2, create("r2", 1)).kind).toBe("rejected");
    expect(store.storedResult("r2")).toBeUndefined();
  });

  test("results older than ten minutes go when a new one comes", () => {
    const store = new ClusterStore(IDLE_PACE);
    store.apply(1, create("r1", 1, 0));
    store.apply(2, create("r2", 2, 600_000));
    expect(store.storedResult("r1")).toBeDefined();
    store.apply(3, create("r3", 3, 600_001));
    expect(store.storedResult("r1")).toBeUndefined();
    expect(store.storedResult("r2")).toBeDefined();
  });

  test("the last 10,000 are kept", () => {
    const store = new ClusterStore(IDLE_PACE);
    for (let n = 1; n <= 10_001; n++)
      store.apply(n, encodeTransaction(transaction([], { requestId: `r${n}` })));
    expect(store.storedResult("r1")).toBeUndefined();
    expect(store.storedResult("r2")).toBeDefined();
  });
});

describe("listeners", () => {
  test("get every entry once, in order, and stop when they leave", () => {
    const store = new ClusterStore(IDLE_PACE);
    const seen: number[] = [];
    const leave = store.subscribe((batch) => {
      seen.push(batch.index);
      expect(store.index).toBe(batch.index);
    });
    apply(store, []);
    apply(store, [{ kind: "putNode", node: sampleNode(1) }]);
    leave();
    apply(store, []);
    expect(seen).toEqual([1, 2]);
  });

  test("one that subscribes in reaction to a batch starts with the next", () => {
    const store = new ClusterStore(IDLE_PACE);
    const late: number[] = [];
    const leave = store.subscribe(() => {
      leave();
      store.subscribe((batch) => late.push(batch.index));
    });
    apply(store, []);
    apply(store, []);
    expect(late).toEqual([2]);
  });
});
