/** `swarm update`: the cluster's settings that Docker's `swarm update` has too. */
import type { Command } from "commander";
import { EngineClient } from "../client.js";
import { isObject, type JsonObject } from "../json.js";
import { print } from "../output.js";
import { parseCount, parseDuration, UsageError } from "../units.js";
import { printUnlockKey } from "./autolock.js";

type Flags = Readonly<Record<string, number | boolean | undefined>>;

/** Flag → where its value is in the cluster's spec. */
const PLACES: Readonly<Record<string, readonly [group: string, field: string]>> = {
  autolock: ["EncryptionConfig", "AutoLockManagers"],
  certExpiry: ["CAConfig", "NodeCertExpiry"],
  dispatcherHeartbeat: ["Dispatcher", "HeartbeatPeriod"],
  maxSnapshots: ["Raft", "KeepOldSnapshots"],
  snapshotInterval: ["Raft", "SnapshotInterval"],
  taskHistoryLimit: ["Orchestration", "TaskHistoryRetentionLimit"],
};

export function addSwarmUpdate(program: Command): void {
  const update = program
    .command("update")
    .description("Change the cluster's settings (its journal: cluster update)")
    .option(
      "--autolock <on>",
      "whether managers must be unlocked after a start: true or false",
      isOn,
    )
    .option(
      "--cert-expiry <duration>",
      "validity of nodes' certificates, 1h or more",
      parseDuration,
    )
    .option(
      "--dispatcher-heartbeat <duration>",
      "between two signs of life of a node",
      parseDuration,
    )
    .option(
      "--max-snapshots <count>",
      "older Raft snapshots kept; another number than the present one is refused",
      parseCount,
    )
    .option("--snapshot-interval <count>", "Raft log entries between two snapshots", intervalOf)
    .option(
      "--task-history-limit <count>",
      "tasks kept per slot, the running one among them",
      parseCount,
    );
  update.action(async (flags: Flags) => {
    if (Object.keys(flags).length === 0) {
      update.outputHelp();
      return;
    }
    const host = String(update.optsWithGlobals()["host"]).replace(/^unix:\/\//, "");
    const client = new EngineClient(host);
    const now = await client.call<{ Version: { Index: number }; Spec: JsonObject }>(
      "GET",
      "/swarm",
    );
    const version = now.Version.Index;
    await client.call("POST", `/swarm/update?version=${version}`, {
      body: changed(now.Spec, flags),
    });
    print("Swarm updated.");
    if (flags["autolock"] === true) await printUnlockKey(client, false);
  });
}

function isOn(text: string): boolean {
  if (text === "true" || text === "false") return text === "true";
  throw new UsageError(`--autolock: true or false, not "${text}"`);
}

/** 0 would leave it as it is, as the API has it. */
function intervalOf(text: string): number {
  const count = parseCount(text);
  if (count > 0) return count;
  throw new UsageError("--snapshot-interval: 1 or more");
}

/** The spec with what the flags set; all else, also what this command does not know, stays. */
export function changed(spec: JsonObject, flags: Flags): JsonObject {
  let next = spec;
  for (const [flag, [group, field]] of Object.entries(PLACES)) {
    const value = flags[flag];
    if (value === undefined) continue;
    const before = next[group];
    next = { ...next, [group]: { ...(isObject(before) ? before : {}), [field]: value } };
  }
  return next;
}
