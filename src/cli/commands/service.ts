import { type Command, Option } from "commander";
import type { ApiNode, ApiService, ApiTask } from "../api-types.js";
import { EngineClient } from "../client.js";
import { newerFirst } from "../creation.js";
import { type JsonObject, listAt, objectAt } from "../json.js";
import { editReplicas, modeOf } from "../mode-flags.js";
import { print, table } from "../output.js";
import { type ApiPlan, planLines } from "../placement-table.js";
import { LIST_FLAGS, SWITCHES, splitWords, VALUE_FLAGS } from "../service-spec.js";
import { formatPort, serviceTable, shortImage } from "../service-table.js";
import { ago, capitalise, parseCount, UsageError } from "../units.js";
import { addLogsCommand } from "./logs.js";
import { addRebalanceCommand } from "./service-rebalance.js";
import { addRollbackCommands } from "./service-rollback.js";
import { addWaitFlags, converge, reportOf } from "./service-wait.js";

type Flags = Readonly<Record<string, unknown>>;
/** commander's option name → the edit it stands for, in the order given on the command line. */
type Edits = ((spec: JsonObject) => void)[];

const clientOf = (command: Command): EngineClient => {
  const host = String(command.optsWithGlobals()["host"]);
  return new EngineClient(host.replace(/^unix:\/\//, ""));
};

function collector(edits: Edits, edit: (spec: JsonObject, value: string) => void) {
  return (value: string): string => {
    edits.push((spec) => edit(spec, value));
    return value;
  };
}

/** Every edit is recorded while commander parses, so that order is kept and nothing is parsed twice. */
function addSpecFlags(command: Command, edits: Edits, isUpdate: boolean): void {
  for (const { flag, help, edit } of VALUE_FLAGS)
    command.option(flag, help, collector(edits, edit));
  for (const { flag, help, edit } of SWITCHES) {
    command.addOption(
      new Option(`${flag} [bool]`, help).argParser(collector(edits, edit)).preset("true"),
    );
  }
  for (const { flag, help, add, remove } of LIST_FLAGS) {
    if (isUpdate) {
      command.option(`--${flag}-add <value>`, help, collector(edits, add));
      command.option(`--${flag}-rm <value>`, `remove: ${help}`, collector(edits, remove));
    } else {
      const short = { label: "-l, ", env: "-e, ", publish: "-p, " }[flag] ?? "";
      command.option(`${short}--${flag} <value>`, help, collector(edits, add));
    }
  }
  command.option("--dry-run", "only show what would change (exit code 0: nothing, 2: something)");
  command.option("--format <format>", "of --dry-run: json, or a table when absent");
  addWaitFlags(command);
}

export function addServiceCommands(program: Command): void {
  const service = program.command("service").description("Create and operate services");
  addCreate(service);
  addUpdate(service);
  addScale(service);
  addRollbackCommands(service, clientOf);
  addRebalanceCommand(service, clientOf);
  addListing(service);
  addLogsCommand(service, clientOf);
}

function addCreate(service: Command): void {
  const edits: Edits = [];
  const command = service
    .command("create <image> [command...]")
    .description("Create a service")
    .option("--name <name>", "service name")
    .option("--mode <mode>", "replicated (default), global, replicated-job, global-job");
  command.passThroughOptions();
  addSpecFlags(command, edits, false);
  command.action(async (image: string, args: string[], flags: Flags) => {
    const client = clientOf(command);
    const spec: JsonObject = {};
    if (typeof flags["name"] === "string") spec["Name"] = flags["name"];
    spec["Mode"] = modeOf(flags["mode"]);
    const container = objectAt(spec, "TaskTemplate", "ContainerSpec");
    container["Image"] = image;
    if (args.length > 0) container["Args"] = args;
    for (const edit of edits) edit(spec);
    if (flags["dryRun"] === true)
      return showPlan(
        await client.call("POST", "/services/create?plan=true", { body: spec }),
        flags,
      );
    const reply = await client.call<{ ID: string; Warnings?: string[] | null }>(
      "POST",
      "/services/create",
      { body: spec },
    );
    const report = reportOf(flags);
    report.accepted(reply.ID, reply.ID, reply.Warnings ?? []);
    await converge({ client, serviceId: reply.ID, goal: "create" }, flags, report);
  });
}

function addUpdate(service: Command): void {
  const edits: Edits = [];
  const command = service
    .command("update <service>")
    .description("Change a service")
    .option("--image <image>", "image of the service")
    .option("--args <command>", "arguments of the container")
    .option("--force", "restart all tasks although nothing changed")
    .option("--rollback", "go back to the previous spec")
    .option("--check-index <index>", "only if the service is as --dry-run showed it", parseCount);
  addSpecFlags(command, edits, true);
  command.action(async (name: string, flags: Flags) => {
    const client = clientOf(command);
    const current = await client.call<ApiService>("GET", `/services/${encodeURIComponent(name)}`);
    const spec = structuredClone(current.Spec) as unknown as JsonObject;
    if (typeof flags["image"] === "string") {
      objectAt(spec, "TaskTemplate", "ContainerSpec")["Image"] = flags["image"];
    }
    if (typeof flags["args"] === "string") {
      objectAt(spec, "TaskTemplate", "ContainerSpec")["Args"] = splitWords(flags["args"]);
    }
    if (flags["force"] === true) {
      const task = objectAt(spec, "TaskTemplate");
      task["ForceUpdate"] = Number(task["ForceUpdate"] ?? 0) + 1;
    }
    if (flags["networkRm"] !== undefined) await nameNetworks(client, spec);
    for (const edit of edits) edit(spec);
    const seen = flags["checkIndex"];
    const index = typeof seen === "number" ? seen : current.Version.Index;
    const isRollback = flags["rollback"] === true;
    const query = isRollback ? "&rollback=previous" : "";
    const path = `/services/${current.ID}/update?version=${index}&registryAuthFrom=spec${query}`;
    if (flags["dryRun"] === true)
      return showPlan(await client.call("POST", `${path}&plan=true`, { body: spec }), flags);
    const reply = await client.call<{ Warnings?: string[] | null }>("POST", path, { body: spec });
    const report = reportOf(flags);
    report.accepted(current.ID, name, reply.Warnings ?? []);
    const goal = isRollback ? "rollback" : "update";
    await converge({ client, serviceId: current.ID, goal, before: current }, flags, report);
  });
}

/** Exit code 2 says that something would change, as `diff` and `plan` of other tools do. */
function showPlan(plan: ApiPlan, flags: Flags): void {
  if (flags["format"] === "json") print(JSON.stringify(plan, undefined, 2));
  else for (const line of planLines(plan)) print(line);
  if (plan.HasChanges) process.exitCode = 2;
}

async function update(
  client: EngineClient,
  current: ApiService,
  spec: JsonObject,
): Promise<readonly string[]> {
  const path = `/services/${current.ID}/update?version=${current.Version.Index}&registryAuthFrom=spec`;
  const reply = await client.call<{ Warnings?: string[] | null }>("POST", path, { body: spec });
  return reply.Warnings ?? [];
}

/** Services keep networks by id; people take them away by name. The API takes both. */
async function nameNetworks(client: EngineClient, spec: JsonObject): Promise<void> {
  const task = objectAt(spec, "TaskTemplate");
  task["Networks"] = await Promise.all(
    listAt(task, "Networks").map(async (entry) => {
      const target = entry as JsonObject;
      const path = `/networks/${encodeURIComponent(String(target["Target"]))}?scope=swarm`;
      return { ...target, Target: (await client.call<{ Name: string }>("GET", path)).Name };
    }),
  );
}

function addScale(service: Command): void {
  const command = service
    .command("scale <service=replicas...>")
    .description("Scale services: swarm service scale web=5 api=3");
  addWaitFlags(command);
  command.action(async (pairs: string[], flags: Flags) => {
    const client = clientOf(command);
    const wanted = pairs.map((pair) => {
      const [name = "", count] = pair.split("=");
      if (name === "" || count === undefined)
        throw new UsageError(`"${pair}": write SERVICE=REPLICAS`);
      return { name, replicas: parseCount(count) };
    });
    const report = reportOf(flags);
    const scaled: ApiService[] = [];
    for (const { name, replicas } of wanted) {
      const current = await client.call<ApiService>("GET", `/services/${encodeURIComponent(name)}`);
      const spec = structuredClone(current.Spec) as unknown as JsonObject;
      if (current.Spec.Mode.Replicated === undefined && !current.Spec.Mode.ReplicatedJob) {
        throw new UsageError(
          `${name}: scale can only be used with replicated or replicated-job mode`,
        );
      }
      editReplicas(spec, replicas);
      const warnings = await update(client, current, spec);
      report.accepted(current.ID, `${name} scaled to ${replicas}`, warnings);
      scaled.push(current);
    }
    for (const before of scaled)
      await converge({ client, serviceId: before.ID, goal: "scale", before }, flags, report);
  });
}

function addListing(service: Command): void {
  const ls = service
    .command("ls")
    .description("List services")
    .option("-q, --quiet", "ids only")
    .option("--format <format>", "json, or a table when absent");
  ls.action(async (flags: Flags) => {
    const services = await clientOf(ls).call<ApiService[]>("GET", "/services?status=true");
    if (flags["format"] === "json") return print(JSON.stringify(services, undefined, 2));
    if (flags["quiet"] === true) return services.forEach((entry) => print(entry.ID.slice(0, 12)));
    for (const line of serviceTable(services)) print(line);
  });

  const ps = service
    .command("ps <service...>")
    .description("List the tasks of services")
    .option("--no-trunc", "full ids and errors")
    .option("-q, --quiet", "ids only")
    .option("--format <format>", "json, or a table when absent");
  ps.action(async (names: string[], flags: Flags) => {
    const client = clientOf(ps);
    const services = await Promise.all(
      names.map((name) => client.call<ApiService>("GET", `/services/${encodeURIComponent(name)}`)),
    );
    await printTasks(client, { service: services.map((entry) => entry.ID) }, flags);
  });

  const inspect = service.command("inspect <service...>").description("Show services as JSON");
  inspect.action(async (names: string[]) => {
    const client = clientOf(inspect);
    const found = await Promise.all(
      names.map((name) =>
        client.call("GET", `/services/${encodeURIComponent(name)}?insertDefaults=true`),
      ),
    );
    print(JSON.stringify(found, undefined, 4));
  });

  const rm = service.command("rm <service...>").description("Remove services and their tasks");
  rm.action(async (names: string[]) => {
    for (const name of names) {
      await clientOf(rm).call("DELETE", `/services/${encodeURIComponent(name)}`);
      print(name);
    }
  });
}

/** The table of tasks that `service ps` and `node ps` share. */
export async function printTasks(
  client: EngineClient,
  filters: JsonObject,
  flags: Flags,
): Promise<void> {
  const tasks = await client.call<ApiTask[]>(
    "GET",
    `/tasks?filters=${encodeURIComponent(JSON.stringify(filters))}`,
  );
  if (flags["format"] === "json") return print(JSON.stringify(tasks, undefined, 2));
  if (flags["quiet"] === true) return tasks.forEach((task) => print(task.ID.slice(0, 12)));
  const [nodes, services] = await Promise.all([
    client.call<ApiNode[]>("GET", "/nodes"),
    client.call<ApiService[]>("GET", "/services"),
  ]);
  const nodeNames = new Map(
    nodes.map((node) => [node.ID, node.Spec.Name || node.Description?.Hostname || node.ID]),
  );
  const serviceNames = new Map(services.map((entry) => [entry.ID, entry.Spec.Name]));
  const isShort = flags["trunc"] !== false;
  const sorted = [...tasks].sort(
    (a, b) =>
      (serviceNames.get(a.ServiceID) ?? "").localeCompare(serviceNames.get(b.ServiceID) ?? "") ||
      (a.Slot ?? 0) - (b.Slot ?? 0) ||
      newerFirst(a, b),
  );
  const nowMs = Date.now();
  let before = "";
  const rows = sorted.map((task) => {
    const name = `${serviceNames.get(task.ServiceID) ?? task.ServiceID}.${task.Slot ?? task.NodeID ?? ""}`;
    const shown = name === before ? ` \\_ ${name}` : name;
    before = name;
    const since = Date.parse(task.Status.Timestamp ?? task.CreatedAt);
    const error = task.Status.Err ?? "";
    return [
      isShort ? task.ID.slice(0, 12) : task.ID,
      shown,
      shortImage(task.Spec.ContainerSpec?.Image),
      nodeNames.get(task.NodeID ?? "") ?? "",
      capitalise(task.DesiredState),
      `${capitalise(task.Status.State)} ${ago(since, nowMs)}`,
      error === "" ? "" : `"${isShort && error.length > 60 ? `${error.slice(0, 59)}…` : error}"`,
      (task.Status.PortStatus?.Ports ?? []).map(formatPort).join(","),
    ];
  });
  const head = ["ID", "NAME", "IMAGE", "NODE", "DESIRED STATE", "CURRENT STATE", "ERROR", "PORTS"];
  for (const line of table([head, ...rows])) print(line);
}
