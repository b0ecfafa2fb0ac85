import { describe, expect, test } from "vitest";
import { type ClusterSpec, TASK_STATE } from "../../api/index.js";
import { World } from "./testing/world.js";

function withHistory(limit: number): World {
  const world = new World().addNodes("a");
  const spec: ClusterSpec = {
    Name: "default",
    Labels: {},
    Orchestration: { TaskHistoryRetentionLimit: limit },
    Raft: {
      SnapshotInterval: 1,
      KeepOldSnapshots: 0,
      LogEntriesForSlowFollowers: 1,
      ElectionTick: 6,
      HeartbeatTick: 1,
    },
    Dispatcher: { HeartbeatPeriod: 1 },
    CAConfig: { NodeCertExpiry: 1 },
    TaskDefaults: {},
    EncryptionConfig: { AutoLockManagers: false },
  };
  const meta = { id: "c", versionIndex: 0, clientIndex: 0, createdAtMs: 0, updatedAtMs: 0 };
  world.commit([
    {
      kind: "putCluster",
      cluster: {
        ...meta,
        spec,
        rootCertPem: "",
        rootKeyPem: "",
        joinTokens: { worker: "", manager: "" },
        defaultAddrPool: [],
        subnetSize: 24,
        dataPathPort: 4789,
        deniedNodes: [],
      },
    },
  ]);
  return world;
}

function crashTimes(world: World, times: number): void {
  for (let i = 0; i < times; i++) {
    const task = world.wanted()[0];
    if (task) world.report(task, "failed");
    world.advance(6000);
  }
}

describe("history", () => {
  test.each([
    { limit: 5, attempts: 0, crashes: 8, kept: 5 },
    { limit: 1, attempts: 0, crashes: 4, kept: 1 },
    { limit: 0, attempts: 0, crashes: 4, kept: 1 },
    { limit: -1, attempts: 0, crashes: 8, kept: 9 },
    { limit: 2, attempts: 7, crashes: 6, kept: 7 },
    { limit: 2, attempts: 3, crashes: 9, kept: 4 },
  ])(
    "limit $limit, $attempts attempts, $crashes crashes: $kept tasks in the slot",
    ({ limit, attempts, crashes, kept }) => {
      const world = withHistory(limit);
      world.createService({ template: { RestartPolicy: { MaxAttempts: attempts } } }).settle();
      crashTimes(world, crashes);
      expect(world.tasks()).toHaveLength(kept);
    },
  );

  test("the oldest go, and never what still runs on a node that cannot be heard", () => {
    const world = withHistory(2).addNodes("b").createService({ replicas: 1 }).settle();
    const old = world.wanted()[0]?.id ?? "";
    world.putNode("a", { state: "down" });
    world.settle();
    crashTimes(world, 3);
    const left = world.tasks();
    expect(left.map((task) => task.id)).toContain(old);
    expect(left.at(-1)?.state).toBe(TASK_STATE.running);
    expect(left).toHaveLength(2);
  });

  test("waits a quarter of a second for more to come along", () => {
    const world = withHistory(1).createService({ template: { RestartPolicy: { Delay: 0 } } });
    world.settle().advance(1000);
    const task = world.wanted()[0];
    if (task) world.report(task, "failed");
    world.settle();
    world.advance(249);
    expect(world.tasks()).toHaveLength(2);
    world.advance(1);
    expect(world.tasks()).toHaveLength(1);
  });

  test("but not when there is much to do", () => {
    const world = withHistory(1).createService({ replicas: 1200 }).settle().advance(1000);
    world.updateService({ replicas: 0 }).settle();
    expect(world.tasks().length).toBeLessThan(1000);
    world.advance(250);
    expect(world.tasks()).toEqual([]);
  });
});

describe("a reaper that starts", () => {
  test("finds what was left over", () => {
    const world = withHistory(2).createService({ replicas: 1 }).settle();
    for (let i = 0; i < 5; i++)
      world.putTask({
        id: `old${i}`,
        createdAtMs: 1000 + i,
        nodeId: "a",
        state: TASK_STATE.failed,
        desiredState: TASK_STATE.shutdown,
      });
    world.putTask({
      id: "gone",
      slot: 9,
      nodeId: "a",
      state: TASK_STATE.shutdown,
      desiredState: TASK_STATE.remove,
    });
    world.electLeader();
    world.advance(250);
    expect(
      world
        .tasks()
        .map((task) => task.id)
        .slice(0, -1),
    ).toEqual(["old4"]);
  });
});
