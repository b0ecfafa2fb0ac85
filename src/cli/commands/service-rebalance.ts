/** `swarm service rebalance`: tasks move to emptier nodes, one after the other, and the service stays whole. */
import type { Command } from "commander";
import type { ApiService } from "../api-types.js";
import { ClientError, type EngineClient } from "../client.js";
import { ExitError } from "../exit-codes.js";
import { print } from "../output.js";
import { type ApiRebalancePlan, Rebalancing, rebalanceLines } from "../rebalancing.js";
import { parseDuration } from "../units.js";

type Flags = Readonly<Record<string, unknown>>;
const POLL_MS = 200;
/** Longer than the managers' own budget for a call (20 s): an answer later than this does not come. */
const CALL_MS = 25_000;

export function addRebalanceCommand(
  service: Command,
  clientOf: (command: Command) => EngineClient,
): void {
  const command = service
    .command("rebalance <service>")
    .description("Move tasks from nodes with many of them to nodes with few")
    .option("--dry-run", "only show what would move (exit code 0: nothing, 2: something)")
    .option("--format <format>", "of the plan: json, or a table when absent")
    .option("-d, --detach", "do not wait for its end")
    .option("--timeout <duration>", "give up waiting after this time (exit code 4)");
  command.action(async (name: string, flags: Flags) => {
    const client = clientOf(command);
    const current = await client.call<ApiService>("GET", `/services/${encodeURIComponent(name)}`);
    const isDry = flags["dryRun"] === true;
    const path = `/services/${current.ID}/rebalance?version=${current.Version.Index}`;
    const plan = await client.call<ApiRebalancePlan>("POST", isDry ? `${path}&plan=true` : path);
    if (flags["format"] === "json") print(JSON.stringify(plan, undefined, 2));
    else for (const line of rebalanceLines(current.Spec.Name, plan)) print(line);
    if (isDry) {
      if (plan.Moves.length > 0) process.exitCode = 2;
      return;
    }
    if (flags["detach"] !== true) await waitForRebalance(client, current.ID, flags);
  });
}

/** Throws ExitError unless it is completed in the end. */
async function waitForRebalance(
  client: EngineClient,
  serviceId: string,
  { timeout }: Flags,
): Promise<void> {
  const timeoutMs = typeof timeout === "string" ? parseDuration(timeout) / 1e6 : undefined;
  const rebalancing = new Rebalancing(timeoutMs, performance.now());
  for (;;) {
    const { line, end } = await look(client, serviceId, rebalancing);
    if (line !== undefined) print(line);
    if (end && end.exitCode !== 0) throw new ExitError(end.exitCode, end.message);
    if (end) return print(end.message);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

async function look(
  client: EngineClient,
  serviceId: string,
  rebalancing: Rebalancing,
): Promise<ReturnType<Rebalancing["see"]>> {
  try {
    const options = { signal: AbortSignal.timeout(CALL_MS) };
    const service = await client.call<ApiService>("GET", `/services/${serviceId}`, options);
    return rebalancing.see(service, performance.now());
  } catch (error) {
    // No connection, no leader, or a manager that is just starting.
    if (!(error instanceof ClientError) || (error.status !== 0 && error.status < 500)) throw error;
    const end = rebalancing.lost(error.message, performance.now());
    return end ? { end } : {};
  }
}
