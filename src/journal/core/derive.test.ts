import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { TASK_STATE } from "../../api/index.js";
import type { StoreEvent } from "../../store/index.js";
import {
  apply,
  batchesOf,
  id,
  populated,
  sampleCluster,
  sampleSecret,
  sampleService,
  sampleSpec,
} from "../../store/testing/samples.js";
import { ENTRY_BYTES_MAX, entryText, isEntry } from "./codec.js";
import { entryOf } from "./derive.js";
import { FIELDS_MAX, HIDDEN } from "./diff.js";

const SECRET = "hunter2";
const WHO = { nodeId: "n1", door: "rest", actor: "docker" } as const;

/** The entries of one transaction on a store with a service, two nodes and two tasks. */
function entriesOf(changes: Parameters<typeof apply>[1]) {
  const store = populated();
  const batches = batchesOf(store);
  apply(store, changes, { atMs: 7, requester: WHO });
  return batches.flatMap((batch) =>
    batch.kind === "restored"
      ? []
      : batch.events.map((event, seq) =>
          entryOf({ index: batch.index, seq, event, origin: batch.origin }),
        ),
  );
}

function updated(before: object, after: object) {
  const base = sampleService(1);
  const service = (spec: object) => ({ ...base, spec: { ...base.spec, ...spec } });
  const event = { table: "service", kind: "updated", object: service(after), old: service(before) };
  return entryOf({ index: 9, seq: 0, event: event as StoreEvent, origin: undefined });
}

describe("entries", () => {
  test("are numbered within their transaction, with its time and who asked", () => {
    const found = entriesOf([
      { kind: "putService", service: sampleService(2) },
      { kind: "taskDesired", taskId: id("t", 1), desiredState: TASK_STATE.shutdown },
      { kind: "delete", table: "node", id: id("n", 2) },
    ]);
    expect(found).toMatchObject([
      { index: 4, seq: 0, atMs: 7, type: "service", action: "create", who: WHO },
      { index: 4, seq: 1, type: "task", action: "update", new: { DesiredState: "shutdown" } },
      { index: 4, seq: 2, type: "node", action: "remove", id: id("n", 2) },
    ]);
  });

  test("of a rebalance say what moves and what has moved", () => {
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
    const specVersion = 1;
    const [entry] = entriesOf([
      { kind: "serviceRebalance", serviceId: id("s", 1), specVersion, rebalance },
    ]);
    expect(entry).toMatchObject({ type: "service", action: "update", old: {} });
    expect(entry?.new).toEqual({
      "RebalanceStatus.State": "moving",
      "RebalanceStatus.Moved": "2",
      "RebalanceStatus.Moving": "1",
    });
  });

  test("of a task that failed say exit code and reason", () => {
    const [entry] = entriesOf([
      {
        kind: "taskStatus",
        taskId: id("t", 2),
        state: TASK_STATE.failed,
        atMs: 1,
        message: "ended",
        err: "task: non-zero exit (3)",
        containerId: "c",
        pid: 0,
        exitCode: 3,
        portStatus: [],
      },
    ]);
    expect(entry).toMatchObject({
      old: { ActualState: "running" },
      new: { ActualState: "failed", "Container.ExitCode": "3" },
      outcome: "failed (exit 3): task: non-zero exit (3)",
      nodeId: id("n", 1),
    });
  });
});

test.each([
  {
    name: "a job's schedule",
    set: { Mode: { ReplicatedJob: { Schedule: { Expression: "@daily", TimeZone: "UTC" } } } },
    shown: {
      "Mode.ReplicatedJob.Schedule.Expression": "@daily",
      "Mode.ReplicatedJob.Schedule.TimeZone": "UTC",
    },
  },
  {
    name: "the progress deadline",
    set: { UpdateConfig: { ProgressDeadline: 5 } },
    shown: { "UpdateConfig.ProgressDeadline": "5" },
  },
  {
    name: "kernel settings and networks",
    set: {
      TaskTemplate: {
        ContainerSpec: { Image: "a", Sysctls: { "net.core.somaxconn": "9" } },
        Networks: [{ Target: "net1", Aliases: ["db"], DriverOpts: { token: SECRET } }],
      },
    },
    shown: {
      "TaskTemplate.ContainerSpec.Sysctls.net.core.somaxconn": "9",
      "TaskTemplate.Networks": '[{"Target":"net1","Aliases":["db"]}]',
    },
  },
])("what is no secret is told with its value: $name", ({ set, shown }) => {
  expect(updated({}, set).new).toMatchObject(shown);
});

describe("nothing secret enters", () => {
  const container = (set: object) => ({
    TaskTemplate: { ...sampleSpec("x").TaskTemplate, ContainerSpec: { Image: "a", ...set } },
  });

  test.each([
    { name: "an environment", set: container({ Env: ["A=1", `PASSWORD=${SECRET}`] }) },
    { name: "a command", set: container({ Command: ["sh", "-c", `login ${SECRET}`] }) },
    { name: "arguments", set: container({ Args: [SECRET] }) },
    { name: "labels", set: { Labels: { "traefik.users": SECRET } } },
    { name: "an unknown field", set: { Later: { Password: SECRET } } },
  ])("of $name", ({ set }) => {
    const entry = updated({}, set);
    expect(entryText(entry)).not.toContain(SECRET);
    expect(Object.values(entry.new)).toContain(HIDDEN);
  });

  test("of secrets, registry credentials, cluster keys, tokens and the journal's own URL", () => {
    const secret = sampleSecret(1);
    const cluster = sampleCluster({
      rootKeyPem: SECRET,
      joinTokens: { worker: SECRET, manager: SECRET },
    });
    const found = entriesOf([
      { kind: "putSecret", secret: { ...secret, spec: { ...secret.spec, Data: SECRET } } },
      { kind: "putService", service: { ...sampleService(3), registryAuth: SECRET } },
      {
        kind: "putCluster",
        cluster: {
          ...cluster,
          spec: { ...cluster.spec, Journal: { URL: `redis://:${SECRET}@r` } },
        },
      },
    ]);
    expect(found).toHaveLength(3);
    expect(JSON.stringify(found)).not.toContain(SECRET);
  });

  test("of the options and labels in a list, whose other members are told", () => {
    const mount = (value: string) => ({
      Type: "volume",
      Source: "data",
      Target: "/d",
      Later: value,
      VolumeOptions: { Labels: { key: value }, DriverConfig: { Options: { o: value } } },
    });
    const entry = updated(
      container({ Mounts: [mount("x")] }),
      container({ Mounts: [mount(SECRET)] }),
    );
    const text = '[{"Type":"volume","Source":"data","Target":"/d"}]';
    const field = "TaskTemplate.ContainerSpec.Mounts";
    expect(entry).toMatchObject({ old: { [field]: text }, new: { [field]: text } });
    expect(entryText(entry)).not.toContain(SECRET);
  });

  test("which variable changed is told all the same", () => {
    const entry = updated(container({ Env: ["A=1", "B=2"] }), container({ Env: ["A=1", "B=3"] }));
    const field = "TaskTemplate.ContainerSpec.Env.B";
    expect(entry).toMatchObject({ old: { [field]: HIDDEN }, new: { [field]: HIDDEN } });
    expect(Object.keys(entry.new)).toEqual([field]);
  });
});

test("whatever a spec holds, an entry is bounded, complete and can be read again", () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 6 }), fc.jsonValue({ maxDepth: 6 }), (before, after) => {
      const wide = Object.fromEntries(Array.from({ length: 90 }, (_, i) => [`F${i}`, after]));
      const entry = updated({ TaskTemplate: before }, { TaskTemplate: after, Extra: wide });
      const text = entryText(entry);
      expect(Buffer.byteLength(text)).toBeLessThan(ENTRY_BYTES_MAX);
      expect(isEntry(JSON.parse(text))).toBe(true);
      const fields = new Set([...Object.keys(entry.old), ...Object.keys(entry.new)]);
      expect(fields.size).toBeLessThanOrEqual(FIELDS_MAX);
    }),
    { numRuns: 50 },
  );
});
