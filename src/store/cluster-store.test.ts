import { describe, expect, test } from "vitest";
import { type Change, encodeTransaction, type Precondition, TASK_STATE } from "../api/index.js";
import { ClusterStore } from "./cluster-store.js";
import {
  apply,
  batchesOf,
  IDLE_PACE,
  id,
  populated,
  sampleCluster,
  sampleNetwork,
  sampleNode,
  sampleSecret,
  sampleService,
  sampleSpec,
  sampleTask,
  transaction,
} from "./testing/samples.js";

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
