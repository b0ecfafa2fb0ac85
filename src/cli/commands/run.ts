/** Containers outside services: `swarm run`, `swarm task ls`, `swarm task rm`. */
import type { Command } from "commander";
import type { ApiTask } from "../api-types.js";
import { EngineClient } from "../client.js";
import { EXIT, ExitError } from "../exit-codes.js";
import type { JsonObject } from "../json.js";
import { parseNetwork } from "../network-spec.js";
import { print, printError, table } from "../output.js";
import { parseDuration, UsageError } from "../units.js";

type Flags = Readonly<Record<string, unknown>>;
/** Tasks of no service have a name of their own. */
type Attached = ApiTask & { readonly Name?: string };

const POLL_MS = 200;
const START_LIMIT_MS = 60_000;
const ENDED = new Set(["failed", "rejected", "shutdown", "orphaned", "remove"]);
const UP = new Set(["running", "complete"]);

const clientOf = (command: Command): EngineClient =>
  new EngineClient(String(command.optsWithGlobals()["host"]).replace(/^unix:\/\//, ""));
const gather = (value: string, before: readonly string[]): string[] => [...before, value];
const taskPath = (reference: string): string => `/tasks/${encodeURIComponent(reference)}`;

export function addRunCommands(program: Command): void {
  addRun(program);
  const task = program.command("task").description("Containers outside services");
  addListing(task);
  addRemoval(task);
}

function addRun(program: Command): void {
  const run = program
    .command("run <image> [command...]")
    .description("Run one container on attachable networks, outside services")
    .option("--name <name>", "its name, also on its networks (default: invented)")
    .option("--network <network>", "attachable network (repeatable)", gather, [])
    .option("--node <node>", "where (default: the node that is asked)")
    .option("-e, --env <name=value>", "environment (repeatable)", gather, [])
    .option("--stop-grace-period <duration>", "between its stop signal and its end (default: 10s)")
    .option("-d, --detach", "do not wait until it runs")
    .passThroughOptions();
  run.action(async (image: string, args: string[], flags: Flags) => {
    const client = clientOf(run);
    const query =
      flags["node"] === undefined ? "" : `?node=${encodeURIComponent(String(flags["node"]))}`;
    const { ID } = await client.call<{ ID: string }>("POST", `/tasks/create${query}`, {
      body: runBody(image, args, flags),
    });
    print(ID);
    if (flags["detach"] !== true) await untilUp(client, ID);
  });
}

/** Body of `POST /tasks/create`. */
export function runBody(image: string, args: readonly string[], flags: Flags): JsonObject {
  const networks = (flags["network"] ?? []) as readonly string[];
  if (networks.length === 0) throw new UsageError("name an attachable network: --network NET");
  const env = (flags["env"] ?? []) as readonly string[];
  const grace = flags["stopGracePeriod"];
  return {
    Name: typeof flags["name"] === "string" ? flags["name"] : "",
    TaskTemplate: {
      ContainerSpec: {
        Image: image,
        ...(args.length > 0 ? { Args: [...args] } : {}),
        ...(env.length > 0 ? { Env: [...env] } : {}),
        ...(grace === undefined ? {} : { StopGracePeriod: parseDuration(String(grace)) }),
      },
      Networks: networks.map(parseNetwork),
    },
  };
}

/** The container goes on whatever becomes of this wait. */
async function untilUp(client: EngineClient, id: string): Promise<void> {
  const deadline = performance.now() + START_LIMIT_MS;
  let said = "";
  for (;;) {
    const { Status: status } = await client.call<ApiTask>("GET", taskPath(id));
    if (UP.has(status.State)) return;
    const reason = status.Err ?? "";
    if (ENDED.has(status.State))
      throw new ExitError(EXIT.failed, `${status.State}${reason === "" ? "" : `: ${reason}`}`);
    if (reason !== "" && reason !== said) printError(`waits: ${reason}`);
    said = reason;
    if (performance.now() > deadline)
      throw new ExitError(
        EXIT.timedOut,
        `it does not run after ${START_LIMIT_MS / 1000} s; it is tried further until: swarm task rm ${id}`,
      );
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

function addListing(task: Command): void {
  const ls = task
    .command("ls")
    .description("List containers outside services")
    .option("-q, --quiet", "ids only")
    .option("--format <format>", "json, or a table when absent");
  ls.action(async (flags: Flags) => {
    const filters = encodeURIComponent(JSON.stringify({ runtime: ["attachment"] }));
    const all = await clientOf(ls).call<Attached[]>("GET", `/tasks?filters=${filters}`);
    // The others are networks of containers: their container is listed by itself.
    const found = all.filter(({ Spec }) => Spec.ContainerSpec !== undefined);
    if (flags["format"] === "json") return print(JSON.stringify(found, undefined, 2));
    if (flags["quiet"] === true) return found.forEach(({ ID }) => print(ID));
    const rows = found.map(({ ID, Name, Spec, NodeID, Status }) => [
      ID.slice(0, 12),
      Name ?? "",
      Spec.ContainerSpec?.Image ?? "",
      (NodeID ?? "").slice(0, 12),
      Status.State,
      Status.Err ?? "",
    ]);
    for (const line of table([["ID", "NAME", "IMAGE", "NODE", "STATE", "ERROR"], ...rows]))
      print(line);
  });
}

function addRemoval(task: Command): void {
  const rm = task
    .command("rm <task...>")
    .description("Stop and remove containers outside services, by name or id");
  rm.action(async (references: string[]) => {
    const client = clientOf(rm);
    for (const reference of references) {
      await client.call("DELETE", taskPath(reference));
      print(reference);
    }
  });
}
