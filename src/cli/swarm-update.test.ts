import { Command } from "commander";
import { expect, test } from "vitest";
import { addSwarmUpdate, changed } from "./commands/swarm-update.js";

const SPEC = {
  Name: "default",
  Raft: { SnapshotInterval: 10_000, KeepOldSnapshots: 0, ElectionTick: 6 },
  CAConfig: { NodeCertExpiry: 1, ForceRotate: 2 },
  Journal: { URL: "redis://:***@host:6379" },
};

test.each([
  {
    flags: { maxSnapshots: 3 },
    expected: { ...SPEC, Raft: { ...SPEC.Raft, KeepOldSnapshots: 3 } },
  },
  {
    flags: { snapshotInterval: 500, taskHistoryLimit: 0 },
    expected: {
      ...SPEC,
      Raft: { ...SPEC.Raft, SnapshotInterval: 500 },
      Orchestration: { TaskHistoryRetentionLimit: 0 },
    },
  },
  {
    flags: { certExpiry: 3600e9, dispatcherHeartbeat: 5e9 },
    expected: {
      ...SPEC,
      CAConfig: { NodeCertExpiry: 3600e9, ForceRotate: 2 },
      Dispatcher: { HeartbeatPeriod: 5e9 },
    },
  },
  {
    flags: { autolock: true },
    expected: { ...SPEC, EncryptionConfig: { AutoLockManagers: true } },
  },
  { flags: {}, expected: SPEC },
])("$flags change their fields and nothing else", ({ flags, expected }) => {
  expect(changed(SPEC, flags)).toEqual(expected);
});

test("without a flag it prints its help, with every flag that Docker's has and this one serves", async () => {
  let text = "";
  const program = new Command().option("-H, --host <socket>", "", "unix:///nowhere");
  addSwarmUpdate(program);
  const update = program.commands[0];
  update?.configureOutput({ writeOut: (part) => (text += part) });
  await program.parseAsync(["update"], { from: "user" });
  for (const flag of [
    "--autolock",
    "--cert-expiry",
    "--dispatcher-heartbeat",
    "--max-snapshots",
    "--snapshot-interval",
    "--task-history-limit",
  ])
    expect(text).toContain(flag);
});

test("an interval of 0, which the API takes for any, is refused", async () => {
  const program = new Command().option("-H, --host <socket>", "", "unix:///nowhere");
  addSwarmUpdate(program);
  const run = program.parseAsync(["update", "--snapshot-interval", "0"], { from: "user" });
  await expect(run).rejects.toThrow(/1 or more/);
});
