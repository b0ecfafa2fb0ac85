/** Waiting for a service after a change of it, as all commands that change one do. */
import type { Command } from "commander";
import type { ApiService } from "../api-types.js";
import type { EngineClient } from "../client.js";
import { parseDuration } from "../units.js";
import { waitForService } from "../wait.js";
import { jsonReport, textReport, type WaitReport } from "../wait-report.js";
import type { Goal } from "../waiting.js";

type Flags = Readonly<Record<string, unknown>>;

export function addWaitFlags(command: Command): Command {
  return command
    .option("-d, --detach", "do not wait for the service to converge")
    .option("-q, --quiet", "no progress")
    .option("--timeout <duration>", "give up waiting after this time (exit code 4)")
    .option("--json", "tell the progress as one JSON object per line");
}

export function reportOf(flags: Flags): WaitReport {
  const streams = {
    out: (text: string): void => void process.stdout.write(text),
    err: (text: string): void => void process.stderr.write(text),
    isTerminal: process.stdout.isTTY === true,
  };
  if (flags["json"] === true) return jsonReport(streams, Date.now);
  return textReport(streams, flags["quiet"] === true);
}

export type Change = {
  readonly client: EngineClient;
  readonly serviceId: string;
  readonly goal: Goal;
  /** As it was before the change. */
  readonly before?: ApiService;
};

/** Throws ExitError unless the service is as asked in the end. */
export async function converge(change: Change, flags: Flags, report: WaitReport): Promise<void> {
  if (flags["detach"] === true) return;
  const { client, serviceId, goal, before } = change;
  const timeout = flags["timeout"];
  const end = await waitForService({
    client,
    serviceId,
    goal,
    wasPaused: goal === "scale" && before?.UpdateStatus?.State === "paused",
    isForced: flags["force"] === true,
    timeoutMs: typeof timeout === "string" ? parseDuration(timeout) / 1e6 : undefined,
    onSeen: (seen) => report.seen(serviceId, seen),
    onLost: (reason) => report.lost(serviceId, reason),
  });
  report.ended(serviceId, end);
}
