/** `swarm node update --availability drain`: its settings, and waiting for it. */
import type { Command } from "commander";
import type { ApiNode, ApiService, ApiTask } from "../api-types.js";
import { ClientError, type EngineClient } from "../client.js";
import { Draining, type DrainRow, type DrainSeen, drainLine, drainTable } from "../draining.js";
import { ExitError } from "../exit-codes.js";
import { type JsonObject, objectAt } from "../json.js";
import { print } from "../output.js";
import { parseCount, parseDuration, UsageError } from "../units.js";
import type { WaitEnd } from "../waiting.js";

type Flags = Readonly<Record<string, unknown>>;

const POLL_MS = 200;
/** Longer than the managers' own budget for a call (20 s): an answer later than this does not come. */
const CALL_MS = 25_000;

export function addDrainFlags(command: Command): Command {
  return command
    .option("--deadline <duration>", "drain: stop then what has not moved yet (10m; 0 = at once)")
    .option(
      "--max-parallel <n>",
      "drain: tasks of a service replaced at a time (its update parallelism; 0 = all)",
    )
    .option("--wait", "drain: wait until the node has no tasks and they run elsewhere")
    .option("--timeout <duration>", "with --wait: give up after this time (exit code 4)");
}

/** Puts the flags into the spec. Settings that are not given stay as they are while the drain goes on. */
export function editDrain(spec: JsonObject, flags: Flags): void {
  if (spec["Availability"] !== "drain") {
    for (const flag of ["deadline", "maxParallel", "wait", "timeout"])
      if (flags[flag] !== undefined)
        throw new UsageError(`--${flag.replace("P", "-p")} needs --availability drain`);
    delete spec["Drain"];
    return;
  }
  if (flags["timeout"] !== undefined && flags["wait"] !== true)
    throw new UsageError("--timeout needs --wait");
  const { deadline, maxParallel } = flags;
  if (typeof deadline === "string") objectAt(spec, "Drain")["Deadline"] = parseDuration(deadline);
  if (typeof maxParallel === "string")
    objectAt(spec, "Drain")["MaxParallel"] = parseCount(maxParallel);
}

/** Throws ExitError unless the node is drained in the end, with every task running elsewhere. */
export async function waitForDrain(
  client: EngineClient,
  nodeId: string,
  flags: Flags,
): Promise<void> {
  const { timeout } = flags;
  const timeoutMs = typeof timeout === "string" ? parseDuration(timeout) / 1e6 : undefined;
  const draining = new Draining(timeoutMs, performance.now());
  const services = new Set<string>();
  const show = printer(process.stdout.isTTY === true);
  for (;;) {
    const seen = await look(client, nodeId, draining, services);
    show(seen.rows);
    if (seen.end) return finish(seen.end);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

function finish({ exitCode, message }: WaitEnd): void {
  if (exitCode !== 0) throw new ExitError(exitCode, message);
  print(message);
}

async function look(
  client: EngineClient,
  nodeId: string,
  draining: Draining,
  serviceIds: Set<string>,
): Promise<DrainSeen> {
  const get = <T>(path: string): Promise<T> =>
    client.call<T>("GET", path, { signal: AbortSignal.timeout(CALL_MS) });
  const filtered = (path: string, filters: JsonObject): string =>
    `${path}?filters=${encodeURIComponent(JSON.stringify(filters))}`;
  try {
    for (const task of await get<ApiTask[]>(filtered("/tasks", { node: [nodeId] })))
      serviceIds.add(task.ServiceID);
    const ids = [...serviceIds];
    const isEmpty = ids.length === 0;
    // Services last: what is removed meanwhile has no task any more.
    const tasks = isEmpty ? [] : await get<ApiTask[]>(filtered("/tasks", { service: ids }));
    const services = isEmpty ? [] : await get<ApiService[]>(filtered("/services", { id: ids }));
    const node = await get<ApiNode>(`/nodes/${nodeId}`);
    return draining.see({ node, services, tasks }, performance.now(), Date.now());
  } catch (error) {
    // No connection, no leader, or a manager that is just starting.
    if (!(error instanceof ClientError) || (error.status !== 0 && error.status < 500)) throw error;
    return { rows: [], end: draining.lost(error.message, performance.now()) };
  }
}

/** On a terminal a table that is drawn over the one before; elsewhere a line per service whenever it has changed. */
function printer(isTerminal: boolean): (rows: readonly DrainRow[]) => void {
  const last = new Map<string, string>();
  let drawnCount = 0;
  return (rows) => {
    if (rows.length === 0) return;
    if (isTerminal) {
      const lines = drainTable(rows);
      const back = drawnCount === 0 ? "" : `\u001b[${drawnCount}A`;
      process.stdout.write(`${back}${lines.map((line) => `\u001b[K${line}\n`).join("")}`);
      drawnCount = lines.length;
      return;
    }
    for (const row of rows) {
      const line = drainLine(row);
      if (last.get(row.service) !== line) print(line);
      last.set(row.service, line);
    }
  };
}
