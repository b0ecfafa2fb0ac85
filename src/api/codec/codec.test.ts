import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Change, Precondition, TaskSpec, Transaction } from "../index.js";
import { NETWORK_PHASE, TASK_STATE } from "../index.js";
import { ACTOR_LENGTH_MAX } from "../transaction.js";
import { swarm } from "../wire.js";
import { canonicalJson } from "./canonical-json.js";
import { readTaskStatus, taskStatusMessage } from "./changes.js";
import { CodecError } from "./codec-error.js";
import { decodeSnapshotRecord, encodeSnapshotRecord, type SnapshotRecord } from "./snapshots.js";
import { decodeSpec, encodeSpec, internSpec, sameSpec } from "./spec-interning.js";
import { decodeTransaction, encodeTransaction } from "./transactions.js";

const id = fc.stringMatching(/^[0-9a-z]{25}$/);
const text = fc.string({ unit: "grapheme", maxLength: 20 });
const index = fc.nat({ max: Number.MAX_SAFE_INTEGER });
const time = fc.nat({ max: 4e12 });
const uint32 = fc.nat({ max: 0xffff_ffff });
const labels = fc.dictionary(text, text, { maxKeys: 3 });
const taskState = fc.constantFrom(...Object.values(TASK_STATE));
const protocol = fc.constantFrom("tcp" as const, "udp" as const, "sctp" as const);
const port = fc.record({
  Protocol: protocol,
  TargetPort: fc.nat(65535),
  PublishMode: fc.constantFrom("host" as const, "ingress" as const),
});
const ports = fc.array(port, { maxLength: 2 });
const meta = {
  id,
  versionIndex: index,
  clientIndex: index,
  createdAtMs: time,
  updatedAtMs: time,
};
const taskSpec = fc
  .record({ Image: text, Env: fc.array(text, { maxLength: 3 }), Labels: labels })
  .map((ContainerSpec): TaskSpec => ({ ContainerSpec, ForceUpdate: 0, Runtime: "container" }));
const serviceSpec = fc.record({
  Name: text,
  Labels: labels,
  TaskTemplate: taskSpec,
  Mode: fc.constant({ Replicated: { Replicas: 2 } }),
});
const portStatus = fc.array(
  fc.record({ protocol, targetPort: fc.nat(65535), publishedPort: fc.nat(65535) }),
  { maxLength: 2 },
);
const optional = <T>(arb: fc.Arbitrary<T>) => fc.option(arb, { nil: undefined });
const updateStatus = fc.record({
  state: fc.constantFrom("updating" as const, "rollback_paused" as const),
  startedAtMs: time,
  completedAtMs: time,
  message: text,
});
const raftMember = fc.record({ memberId: text, addr: text });
const nodeRole = fc.constantFrom("worker" as const, "manager" as const);
const nodeState = fc.constantFrom("unknown" as const, "down" as const, "ready" as const);
const description = fc.record({
  Hostname: text,
  Platform: fc.constant({ Architecture: "x86_64", OS: "linux" }),
  Resources: fc.record({ NanoCPUs: index, MemoryBytes: index }),
  Engine: fc.constant({ EngineVersion: "1", Plugins: [] }),
  EngineKind: fc.constantFrom("containerd" as const, "simulated" as const),
});
const cluster = fc.record({
  ...meta,
  spec: fc.constant({
    Name: "default",
    Labels: {},
    Orchestration: { TaskHistoryRetentionLimit: 5 },
    Raft: {
      SnapshotInterval: 10000,
      KeepOldSnapshots: 0,
      LogEntriesForSlowFollowers: 500,
      ElectionTick: 6,
      HeartbeatTick: 1,
    },
    Dispatcher: { HeartbeatPeriod: 1e9 },
    CAConfig: { NodeCertExpiry: 7776e12 },
    TaskDefaults: {},
    EncryptionConfig: { AutoLockManagers: false },
  }),
  rootCertPem: text,
  rootKeyPem: text,
  joinTokens: fc.record({ worker: text, manager: text }),
  defaultAddrPool: fc.array(text, { maxLength: 2 }),
  subnetSize: uint32,
  dataPathPort: uint32,
  deniedNodes: fc.array(fc.record({ nodeId: id, untilMs: time }), { maxLength: 2 }),
  unlockKey: fc.string({ minLength: 1 }),
});
const node = fc.record({
  ...meta,
  spec: fc.record({
    Labels: labels,
    Role: nodeRole,
    Availability: fc.constantFrom("active" as const, "drain" as const),
  }),
  role: nodeRole,
  description: optional(description),
  state: nodeState,
  stateMessage: text,
  addr: text,
  manager: optional(raftMember),
  nodeIndex: fc.nat(4094),
  bootId: text,
  downSinceMs: time,
  drainSinceMs: time,
});
const vips = fc.array(fc.record({ networkId: id, address: text, address6: text }), {
  maxLength: 2,
});
const taskNetworks = fc.array(
  fc.record({
    networkId: id,
    address: text,
    address6: text,
    aliases: fc.array(text, { maxLength: 2 }),
  }),
  { maxLength: 2 },
);
const networkPhase = fc.constantFrom(...Object.values(NETWORK_PHASE));
const subnets = fc.array(fc.record({ subnet: text, gateway: text, ipRange: text }), {
  maxLength: 2,
});
const rebalance = fc.record({
  state: fc.constantFrom("moving" as const, "completed" as const, "stopped" as const),
  isManual: fc.boolean(),
  startedAtMs: time,
  endedAtMs: time,
  movedCount: uint32,
  failedCount: uint32,
  imbalanceBefore: uint32,
  imbalanceAfter: uint32,
  message: text,
  moves: fc.array(fc.record({ taskId: id, newTaskId: id, atMs: time }), { maxLength: 3 }),
  begunAtMs: fc.array(time, { maxLength: 3 }),
});
const service = fc.record({
  ...meta,
  spec: serviceSpec,
  specVersion: index,
  previousSpec: optional(serviceSpec),
  previousSpecVersion: index,
  updateStatus: optional(updateStatus),
  ports,
  registryAuth: text,
  previousRegistryAuth: text,
  jobIteration: uint32,
  lastExecutionMs: time,
  vips,
  schedule: fc.option(
    fc.record({
      nextTickMs: time,
      lastTickMs: time,
      missedCount: uint32,
      skippedCount: uint32,
      runs: fc.array(uint32, { maxLength: 3 }),
    }),
    { nil: undefined },
  ),
  rebalance: fc.option(rebalance, { nil: undefined }),
});
const genericResources = fc.array(
  fc.oneof(
    fc.record({ DiscreteResourceSpec: fc.record({ Kind: text, Value: uint32 }) }),
    fc.record({ NamedResourceSpec: fc.record({ Kind: text, Value: text }) }),
  ),
  { maxLength: 3 },
);
const task = fc.record({
  id,
  versionIndex: index,
  createdAtMs: time,
  updatedAtMs: time,
  serviceId: id,
  serviceName: text,
  slot: uint32,
  nodeId: text,
  spec: taskSpec,
  specVersion: index,
  hostPorts: ports,
  desiredState: taskState,
  state: taskState,
  statusAtMs: time,
  message: text,
  err: text,
  containerId: text,
  pid: uint32,
  exitCode: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  portStatus,
  notBeforeMs: time,
  jobIteration: uint32,
  genericResources,
  networks: taskNetworks,
  networkPhase,
});
const named = { Name: text, Labels: labels };
const network = fc.record({
  ...meta,
  spec: fc.record({ ...named, Driver: text, Scope: fc.constant("swarm" as const) }),
  predefined: fc.boolean(),
  vni: uint32,
  subnets,
  mtu: uint32,
});
const secret = fc.record({ ...meta, spec: fc.record({ ...named, Data: text }) });
const config = fc.record({ ...meta, spec: fc.record({ ...named, Data: text }) });
const table = fc.constantFrom("service" as const, "network" as const, "secret" as const);
const taskStatus = fc.record({
  taskId: id,
  state: taskState,
  atMs: time,
  message: text,
  err: text,
  containerId: text,
  pid: uint32,
  exitCode: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  portStatus,
});
const kind = <K extends string>(name: K) => fc.constant(name);
const change: fc.Arbitrary<Change> = fc.oneof(
  fc.record({ kind: kind("putCluster"), cluster }),
  fc.record({ kind: kind("putNode"), node }),
  fc.record({ kind: kind("putService"), service }),
  fc.record({ kind: kind("putTask"), task }),
  fc.record({ kind: kind("putNetwork"), network }),
  fc.record({ kind: kind("putSecret"), secret }),
  fc.record({ kind: kind("putConfig"), config }),
  fc.record({ kind: kind("delete"), table, id }),
  fc.record(
    { kind: kind("taskDesired"), taskId: id, desiredState: taskState, notBeforeMs: time },
    { requiredKeys: ["kind", "taskId", "desiredState"] },
  ),
  fc
    .record({ kind: kind("taskAssign"), taskId: id, nodeId: id, message: text, genericResources })
    .map(({ genericResources: claimed, ...rest }) =>
      claimed.length === 0 ? rest : { ...rest, genericResources: claimed },
    ),
  taskStatus.map((status) => ({ kind: "taskStatus" as const, ...status })),
  fc.record({
    kind: kind("serviceUpdateStatus"),
    serviceId: id,
    specVersion: index,
    updateStatus: optional(updateStatus),
  }),
  fc.record({ kind: kind("serviceRebalance"), serviceId: id, specVersion: index, rebalance }),
  fc.record(
    {
      kind: kind("nodeStatus"),
      nodeId: id,
      state: nodeState,
      stateMessage: text,
      addr: text,
      description,
      bootId: text,
    },
    { requiredKeys: ["kind", "nodeId"] },
  ),
  fc.record(
    { kind: kind("nodeRole"), nodeId: id, role: nodeRole, manager: fc.option(raftMember) },
    { requiredKeys: ["kind", "nodeId"] },
  ),
  fc.record({
    kind: kind("networkAllocated"),
    networkId: id,
    vni: uint32,
    subnets,
    mtu: uint32,
  }),
  fc.record({ kind: kind("serviceEndpoint"), serviceId: id, specVersion: index, vips, ports }),
  fc.record({ kind: kind("taskNetworks"), taskId: id, networks: taskNetworks, message: text }),
  fc.record({ kind: kind("taskNetworkPhase"), taskId: id, phase: networkPhase }),
);
const precondition: fc.Arbitrary<Precondition> = fc.oneof(
  fc.record({ kind: kind("versionIs"), table, id, index }),
  fc.record({ kind: kind("clientVersion"), table, id, index }),
  fc.record({ kind: kind("exists"), table, id }),
  fc.record({ kind: kind("absent"), table, id }),
  fc.record({ kind: kind("nameFree"), table, name: text, exceptId: text }),
  fc.record({
    kind: kind("portFree"),
    protocol,
    publishedPort: fc.nat(65535),
    publishMode: fc.constantFrom("ingress" as const, "host" as const),
    exceptServiceId: text,
  }),
  fc.record({
    kind: kind("unreferenced"),
    table: fc.constantFrom("network" as const, "config" as const),
    id,
  }),
  fc.record({ kind: kind("addressFree"), networkId: id, address: text, exceptId: text }),
  fc.record({ kind: kind("vniFree"), vni: uint32, exceptId: text }),
  fc.record({ kind: kind("subnetFree"), subnet: text, exceptId: text }),
);
const transaction: fc.Arbitrary<Transaction> = fc.record({
  requestId: text,
  atMs: time,
  isClient: fc.boolean(),
  preconditions: fc.array(precondition, { maxLength: 4 }),
  changes: fc.array(change, { maxLength: 5 }),
  resultJson: text,
});

describe("transactions", () => {
  test("come back as they were, whatever they hold", () => {
    fc.assert(
      fc.property(transaction, (t) => {
        expect(decodeTransaction(encodeTransaction(t))).toEqual(t);
      }),
    );
  });

  test("say who asked, with the client's own name cut to what is kept", () => {
    const bare = { requestId: "", atMs: 1, isClient: true, preconditions: [], changes: [] };
    const requester = { nodeId: "n1", door: "rest", actor: "x".repeat(500) } as const;
    const decoded = decodeTransaction(encodeTransaction({ ...bare, resultJson: "", requester }));
    expect(decoded.requester).toEqual({ ...requester, actor: "x".repeat(ACTOR_LENGTH_MAX) });
  });

  test("tasks with equal specs share one stored copy and one decoded object", () => {
    fc.assert(
      fc.property(task, task, (a, b) => {
        const twin = { ...b, spec: structuredClone(a.spec) };
        const bytes = encodeTransaction({
          requestId: "",
          atMs: 1,
          isClient: false,
          preconditions: [],
          changes: [
            { kind: "putTask", task: a },
            { kind: "putTask", task: twin },
          ],
          resultJson: "",
        });
        expect(swarm.objects.Transaction.decode(bytes).specs).toHaveLength(1);
        const [first, second] = decodeTransaction(bytes).changes;
        expect(first?.kind === "putTask" && second?.kind === "putTask").toBe(true);
        if (first?.kind === "putTask" && second?.kind === "putTask")
          expect(first.task.spec).toBe(second.task.spec);
      }),
      { numRuns: 20 },
    );
  });

  test("any bytes decode or fail with a CodecError, never otherwise", () => {
    fc.assert(
      fc.property(transaction, fc.nat(), fc.nat(255), (t, at, flip) => {
        const bytes = encodeTransaction(t).slice();
        bytes[at % bytes.length] = flip;
        try {
          decodeTransaction(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(CodecError);
        }
      }),
      { numRuns: 300 },
    );
  });

  const base = { format: 1, requestId: "", atMs: 1 };
  test.each([
    { name: "no bytes at all", message: {}, code: "UNSUPPORTED_FORMAT" },
    { name: "a newer format", message: { format: 2 }, code: "UNSUPPORTED_FORMAT" },
    {
      name: "a change of unknown kind",
      message: { ...base, changes: [{}] },
      code: "UNSUPPORTED_FORMAT",
    },
    {
      name: "an unknown precondition",
      message: { ...base, preconditions: [{ kind: "moonPhase" }] },
      code: "UNKNOWN_VALUE",
    },
    {
      name: "an unknown table",
      message: { ...base, changes: [{ delete: { table: "pod", id: "a" } }] },
      code: "UNKNOWN_VALUE",
    },
    {
      name: "an unknown node state",
      message: { ...base, changes: [{ nodeStatus: { nodeId: "a", state: "sleepy" } }] },
      code: "UNKNOWN_VALUE",
    },
    {
      name: "an unknown task state",
      message: { ...base, changes: [{ taskDesired: { taskId: "a", desiredState: 5 } }] },
      code: "UNKNOWN_VALUE",
    },
    {
      name: "an unknown network phase",
      message: { ...base, changes: [{ taskNetworkPhase: { taskId: "a", phase: 4 } }] },
      code: "UNKNOWN_VALUE",
    },
    {
      name: "a spec reference beyond the table",
      message: { ...base, changes: [{ putTask: { id: "a", specRef: 1 } }] },
      code: "OUT_OF_RANGE",
    },
    {
      name: "a spec that is no JSON",
      message: { ...base, specs: [new Uint8Array([0x7b])] },
      code: "MALFORMED",
    },
    {
      name: "an object without its meta data",
      message: { ...base, changes: [{ putNode: {} }] },
      code: "MISSING_FIELD",
    },
  ])("refuses $name", ({ message, code }) => {
    const bytes = swarm.objects.Transaction.encode(message).finish();
    expect(() => decodeTransaction(bytes)).toThrow(expect.objectContaining({ code }));
  });

  test.each([
    { name: "a slot below zero", fields: { slot: -1 } },
    { name: "a pid that is no whole number", fields: { pid: 1.5 } },
    { name: "an index beyond 2^53", fields: { specVersion: 2 ** 53 } },
    { name: "a time that is not a number", fields: { statusAtMs: Number.NaN } },
  ])("refuses to write $name", ({ fields }) => {
    const [sample] = fc.sample(task, 1);
    const t: Transaction = {
      requestId: "",
      atMs: 1,
      isClient: false,
      preconditions: [],
      changes: sample ? [{ kind: "putTask", task: { ...sample, ...fields } }] : [],
      resultJson: "",
    };
    expect(() => encodeTransaction(t)).toThrow(expect.objectContaining({ code: "OUT_OF_RANGE" }));
  });

  test("a text cut inside an emoji stays readable", () => {
    const [sample] = fc.sample(taskStatus, 1);
    if (!sample) throw new Error("no sample");
    const bytes = swarm.objects.TaskStatus.encode(
      taskStatusMessage({ ...sample, err: "exit \ud83d" }),
    ).finish();
    expect(readTaskStatus(swarm.objects.TaskStatus.decode(bytes)).err).toBe("exit \ufffd");
  });
});

describe("snapshot records", () => {
  const record: fc.Arbitrary<SnapshotRecord> = fc.oneof(
    fc.record({ kind: kind("header"), format: uint32, index }),
    fc.record({ kind: kind("cluster"), object: cluster }),
    fc.record({ kind: kind("node"), object: node }),
    fc.record({ kind: kind("service"), object: service }),
    fc.record({ kind: kind("network"), object: network }),
    fc.record({ kind: kind("secret"), object: secret }),
    fc.record({ kind: kind("config"), object: config }),
    fc.record({
      kind: kind("result"),
      result: fc.record({ requestId: text, atMs: time, index, resultJson: text }),
    }),
    fc.record({ kind: kind("end"), recordCount: index, crc32: uint32 }),
  );
  test("come back as they were", () => {
    fc.assert(
      fc.property(record, (r) => {
        expect(
          decodeSnapshotRecord(
            encodeSnapshotRecord(r, () => 1),
            [],
          ),
        ).toEqual(r);
      }),
    );
  });

  test("a task refers to the specs before it", () => {
    fc.assert(
      fc.property(task, (object) => {
        const bytes = encodeSnapshotRecord({ kind: "task", object }, () => 2);
        const other: TaskSpec = { ...object.spec, ForceUpdate: 7 };
        expect(decodeSnapshotRecord(bytes, [other, object.spec])).toEqual({ kind: "task", object });
      }),
      { numRuns: 20 },
    );
  });
});

describe("canonical JSON", () => {
  test("says the same for any order of keys", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const shuffled: unknown = JSON.parse(JSON.stringify(value), (_key, member: unknown) =>
          typeof member === "object" && member !== null && !Array.isArray(member)
            ? Object.fromEntries(Object.entries(member).reverse())
            : member,
        );
        expect(canonicalJson(shuffled)).toBe(canonicalJson(value));
        expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  test.each([
    { name: "NaN", value: { a: Number.NaN } },
    { name: "a bigint", value: [1n] },
    { name: "undefined in a list", value: [undefined] },
  ])("refuses $name", ({ value }) => {
    expect(() => canonicalJson(value)).toThrow(CodecError);
  });

  test("refuses bottomless nesting", () => {
    let value: unknown = 1;
    for (let i = 0; i < 100; i++) value = [value];
    expect(() => canonicalJson(value)).toThrow(expect.objectContaining({ code: "OUT_OF_RANGE" }));
  });
});

describe("interned specs", () => {
  test("equal specs are one frozen object, whatever order their keys came in", () => {
    const a = internSpec({ x: 1, y: { z: ["s"] } });
    const b = decodeSpec(new TextEncoder().encode('{"y":{"z":["s"]},"x":1}'), "test");
    expect(b).toBe(a);
    expect(Object.isFrozen(a.y.z)).toBe(true);
    expect(internSpec(a)).toBe(a);
  });

  test("the caller's own object is neither kept nor frozen", () => {
    const mine = { Name: "mine", Labels: { a: "b" } };
    const held = internSpec(mine);
    mine.Labels.a = "c";
    expect(held.Labels.a).toBe("b");
  });

  test("a key named __proto__ is data", () => {
    const text = '{"Labels":{"__proto__":"x"}}';
    const spec = decodeSpec<{ Labels: object }>(new TextEncoder().encode(text), "test");
    expect(new TextDecoder().decode(encodeSpec(spec))).toBe(text);
    expect(Object.getPrototypeOf(spec.Labels)).toBe(Object.prototype);
  });

  test.each([
    { name: "the same object", a: { k: 1 }, b: { k: 1 }, same: true },
    { name: "an absent member and an undefined one", a: { k: undefined }, b: {}, same: true },
    { name: "different values", a: { k: 1 }, b: { k: 2 }, same: false },
    { name: "something and nothing", a: {}, b: undefined, same: false },
  ])("sameSpec: $name", ({ a, b, same }) => {
    expect(sameSpec(a, b)).toBe(same);
  });
});
