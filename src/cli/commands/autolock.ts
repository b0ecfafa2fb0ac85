/** unlock, unlock-key: managers whose keys on disk are encrypted (docs/adr/0021). */
import { createInterface } from "node:readline/promises";
import type { Command } from "commander";
import type { ApiInfo } from "../api-types.js";
import { EngineClient } from "../client.js";
import { print } from "../output.js";
import { UsageError } from "../units.js";

type Flags = Readonly<Record<string, unknown>>;
type ClusterReply = {
  readonly Version: { readonly Index: number };
  readonly Spec: { readonly EncryptionConfig: { readonly AutoLockManagers: boolean } };
};

const clientOf = (command: Command): EngineClient =>
  new EngineClient(String(command.optsWithGlobals()["host"]).replace(/^unix:\/\//, ""));

export function addAutolockCommands(program: Command): void {
  const unlock = program
    .command("unlock")
    .description("Unlock this manager after a start; the key is read from the standard input");
  unlock.action(async () => {
    const client = clientOf(unlock);
    const { Swarm } = await client.call<ApiInfo>("GET", "/info");
    if (Swarm.LocalNodeState !== "locked") throw new UsageError("this node is not locked");
    const UnlockKey = await readKey();
    await client.call("POST", "/swarm/unlock", { body: { UnlockKey } });
  });

  const key = program
    .command("unlock-key")
    .description("Show, or with --rotate renew, the key that unlocks managers")
    .option("-q, --quiet", "the key only")
    .option("--rotate", "make a new key; managers that are off now still need the old one");
  key.action(async (flags: Flags) => {
    const client = clientOf(key);
    if (flags["rotate"] === true) {
      const now = await client.call<ClusterReply>("GET", "/swarm");
      if (!now.Spec.EncryptionConfig.AutoLockManagers)
        throw new UsageError("managers are not locked: swarm update --autolock=true");
      const query = `version=${now.Version.Index}&rotateManagerUnlockKey=true`;
      await client.call("POST", `/swarm/update?${query}`, { body: now.Spec });
    }
    await printUnlockKey(client, flags["quiet"] === true);
  });
}

export async function printUnlockKey(client: EngineClient, isQuiet: boolean): Promise<void> {
  const { UnlockKey } = await client.call<{ UnlockKey: string }>("GET", "/swarm/unlockkey");
  if (UnlockKey === "") throw new UsageError("managers are not locked: there is no unlock key");
  if (isQuiet) {
    print(UnlockKey);
    return;
  }
  print(
    "To unlock a manager after it was started, run on it `swarm unlock` and give it this key:\n",
  );
  print(`    ${UnlockKey}\n`);
  print("Keep it in a safe place: without it a manager that was started cannot be used again.");
}

/** One line. Not an argument: those are seen by every user of the host. */
async function readKey(): Promise<string> {
  const lines = createInterface({ input: process.stdin, terminal: false });
  if (process.stdin.isTTY) process.stderr.write("Unlock key: ");
  try {
    for await (const line of lines) return line.trim();
  } finally {
    lines.close();
  }
  throw new UsageError("no unlock key came in");
}
