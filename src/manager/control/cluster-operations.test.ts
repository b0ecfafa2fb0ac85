import { beforeEach, describe, expect, test } from "vitest";
import type { ClusterSpec } from "../../api/index.js";
import { cluster, type Leader, leader, run } from "./testing/leader.js";

let l: Leader;
beforeEach(async () => {
  l = leader();
  await l.proposer.propose({
    requestId: "",
    atMs: 1,
    isClient: true,
    preconditions: [],
    changes: [{ kind: "putCluster", cluster: cluster() }],
    resultJson: "",
  });
});

type Set = {
  version?: number;
  worker?: boolean;
  manager?: boolean;
  unlockKey?: boolean;
};
function update(change: object = {}, set: Set = {}) {
  return run(l, {
    kind: "cluster.update",
    version: set.version ?? l.store.cluster()?.versionIndex ?? 0,
    spec: { ...cluster().spec, ...change } as ClusterSpec,
    rotateWorkerToken: set.worker ?? false,
    rotateManagerToken: set.manager ?? false,
    rotateManagerUnlockKey: set.unlockKey ?? false,
  });
}

const autolock = (isOn: boolean) => ({ EncryptionConfig: { AutoLockManagers: isOn } });
const unlockKey = (): string | undefined => l.store.cluster()?.unlockKey;

describe("locking managers", () => {
  test("makes a key, which stays through other changes and goes when it is turned off", async () => {
    await update(autolock(true));
    const key = unlockKey();
    expect(key).toMatch(/^SWMKEY-1-/);
    expect(l.store.cluster()?.spec.EncryptionConfig).toEqual({ AutoLockManagers: true });
    await update({ ...autolock(true), Labels: { a: "b" } });
    expect(unlockKey()).toBe(key);
    await update(autolock(false));
    expect(unlockKey()).toBeUndefined();
    await update(autolock(true));
    expect(unlockKey()).not.toBe(key);
  });

  test("its key is rotated when asked for, while there is one", async () => {
    await expect(update(autolock(false), { unlockKey: true })).rejects.toMatchObject({
      code: "InvalidArgument",
      message: expect.stringContaining("managers are not locked") as string,
    });
    await update(autolock(true));
    const key = unlockKey();
    await update(autolock(true), { unlockKey: true });
    expect(unlockKey()).toMatch(/^SWMKEY-1-/);
    expect(unlockKey()).not.toBe(key);
  });
});

describe("cluster.update", () => {
  test("stores the whole spec: what is absent becomes zero", async () => {
    await update({
      Labels: { a: "b" },
      Orchestration: undefined,
      Dispatcher: { HeartbeatPeriod: 2e9 },
      CAConfig: { NodeCertExpiry: 3600e9 },
    });
    expect(l.store.cluster()).toMatchObject({
      clientIndex: 2,
      spec: {
        ...cluster().spec,
        Labels: { a: "b" },
        Orchestration: { TaskHistoryRetentionLimit: 0 },
        Dispatcher: { HeartbeatPeriod: 2e9 },
        CAConfig: { NodeCertExpiry: 3600e9 },
      },
      joinTokens: { worker: "worker-0", manager: "manager-0" },
    });
  });

  test.each([
    {
      name: "another name",
      change: { Name: "other" },
      code: "InvalidArgument",
      text: 'it is "default", not "other"',
    },
    {
      name: "certificates of less than an hour",
      change: { CAConfig: { NodeCertExpiry: 3599e9 } },
      code: "InvalidArgument",
      text: "minimum certificate expiry time is: 1h0m0s",
    },
    {
      name: "a negative heartbeat",
      change: { Dispatcher: { HeartbeatPeriod: -1 } },
      code: "InvalidArgument",
      text: "heartbeat time period cannot be a negative duration",
    },
    {
      name: "an external CA",
      change: { CAConfig: { NodeCertExpiry: 7776e12, ExternalCAs: [{ URL: "https://ca" }] } },
      code: "Unimplemented",
      text: "field CAConfig.ExternalCAs is not supported yet",
    },
    {
      name: "a new root",
      change: { CAConfig: { NodeCertExpiry: 7776e12, ForceRotate: 1 } },
      code: "Unimplemented",
      text: "field CAConfig.ForceRotate is not supported yet",
    },
    {
      name: "a log driver for all",
      change: { TaskDefaults: { LogDriver: { Name: "local" } } },
      code: "Unimplemented",
      text: "field TaskDefaults.LogDriver is not supported yet",
    },
    {
      name: "kept snapshots",
      change: { Raft: { ...cluster().spec.Raft, KeepOldSnapshots: 5 } },
      code: "Unimplemented",
      text: "field Raft.KeepOldSnapshots is not supported yet with another value than 0",
    },
  ])("refuses $name", async ({ change, code, text }) => {
    await expect(update(change)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(text),
    });
    expect(l.store.index).toBe(1);
  });

  test.each([
    { given: { SnapshotInterval: 500 }, expected: { SnapshotInterval: 500 } },
    {
      given: { LogEntriesForSlowFollowers: 50 },
      expected: { SnapshotInterval: 10_000, LogEntriesForSlowFollowers: 50 },
    },
    {
      given: { SnapshotInterval: 0, LogEntriesForSlowFollowers: 0, ElectionTick: 0 },
      expected: cluster().spec.Raft,
    },
  ])("takes Raft's $given", async ({ given, expected }) => {
    await update({ Raft: { ...cluster().spec.Raft, ...given } });
    expect(l.store.cluster()?.spec.Raft).toMatchObject(expected);
  });

  test("rotates the tokens that are asked for", async () => {
    await update({}, { worker: true });
    expect(l.store.cluster()?.joinTokens).toEqual({
      worker: "SWMTKN-1-worker-1",
      manager: "manager-0",
    });
    await update({}, { manager: true });
    expect(l.store.cluster()?.joinTokens).toEqual({
      worker: "SWMTKN-1-worker-1",
      manager: "SWMTKN-1-manager-2",
    });
  });

  test("refuses a stale version", async () => {
    await update();
    await expect(update({}, { version: 1 })).rejects.toMatchObject({
      http: 500,
      message: "update out of sequence",
    });
  });

  test("without a cluster says so", async () => {
    l = leader();
    await expect(update()).rejects.toMatchObject({ code: "FailedPrecondition" });
  });
});

describe("the journal's Redis", () => {
  const URL = "redis://swarm:s3cret@r1:6380/2";
  const journal = () => l.store.cluster()?.spec.Journal;

  test("is set, stays when a client leaves it out, and goes when it is empty", async () => {
    await update({ Journal: { URL, MaxEntries: 5000 } });
    expect(journal()).toEqual({ URL, MaxEntries: 5000 });
    await update({ Labels: { a: "b" } });
    expect(journal()).toEqual({ URL, MaxEntries: 5000 });
    await update({ Journal: {} });
    expect(journal()).toBeUndefined();
  });

  test("keeps its password when it comes back as it was shown", async () => {
    await update({ Journal: { URL } });
    await update({ Journal: { URL: "redis://swarm:***@r1:6380/2", MaxEntries: 2000 } });
    expect(journal()).toEqual({ URL, MaxEntries: 2000 });
  });

  test.each([
    {
      name: "a mark for another server",
      set: { URL: "redis://swarm:***@r2" },
      says: /mark \*\*\*/,
    },
    {
      name: "another scheme",
      set: { URL: "http://r1" },
      says: /Journal\.URL: .*begin with redis:/,
    },
    { name: "no host", set: { URL: "redis://" }, says: /no host/ },
    { name: "few entries", set: { URL, MaxEntries: 10 }, says: /MaxEntries must be within/ },
    { name: "a CA without TLS", set: { URL, CACert: "x" }, says: /CACert needs/ },
    { name: "a CA that is none", set: { URL: "rediss://r1", CACert: "x" }, says: /PEM/ },
    { name: "settings of no Redis", set: { MaxEntries: 5000 }, says: /URL is missing/ },
  ])("$name is refused, and no password is in the answer", async ({ set, says }) => {
    const refusal = await update({ Journal: set }).catch((error: unknown) => error);
    expect(refusal).toMatchObject({
      code: "InvalidArgument",
      message: expect.stringMatching(says),
    });
    expect(String(refusal)).not.toContain("s3cret");
  });
});
