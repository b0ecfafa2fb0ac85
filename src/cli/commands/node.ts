import { type Command, Option } from "commander";
import type { ApiInfo, ApiNode } from "../api-types.js";
import { EngineClient } from "../client.js";
import { type JsonObject, objectAt } from "../json.js";
import { print, printError, table } from "../output.js";
import { type ApiGauged, topLines } from "../placement-table.js";
import { capitalise, UsageError } from "../units.js";
import { addDrainFlags, editDrain, waitForDrain } from "./node-drain.js";
import { printTasks } from "./service.js";

type Flags = Readonly<Record<string, unknown>>;

const clientOf = (command: Command): EngineClient =>
  new EngineClient(String(command.optsWithGlobals()["host"]).replace(/^unix:\/\//, ""));

const nodePath = (reference: string): string => `/nodes/${encodeURIComponent(reference)}`;

async function selfOr(client: EngineClient, reference: string): Promise<string> {
  return reference === "self"
    ? (await client.call<ApiInfo>("GET", "/info")).Swarm.NodeID
    : reference;
}

export function addNodeCommands(program: Command): void {
  const node = program.command("node").description("Look at and operate nodes");
  addNodeListing(node);
  addNodeChanges(node);
}

function addNodeListing(node: Command): void {
  const ls = node
    .command("ls")
    .description("List nodes")
    .option("-q, --quiet", "ids only")
    .option("--format <format>", "json, or a table when absent");
  ls.action(async (flags: Flags) => {
    const client = clientOf(ls);
    const nodes = await client.call<ApiNode[]>("GET", "/nodes");
    if (flags["format"] === "json") return print(JSON.stringify(nodes, undefined, 2));
    if (flags["quiet"] === true) return nodes.forEach((entry) => print(entry.ID));
    const self = (await client.call<ApiInfo>("GET", "/info")).Swarm.NodeID;
    const rows = nodes.map((entry) => [
      `${entry.ID}${entry.ID === self ? " *" : ""}`,
      entry.Spec.Name || (entry.Description?.Hostname ?? ""),
      capitalise(entry.Status.State),
      capitalise(entry.Spec.Availability),
      entry.ManagerStatus?.Leader === true
        ? "Leader"
        : capitalise(entry.ManagerStatus?.Reachability ?? ""),
      entry.Description?.Engine?.EngineVersion ?? "",
    ]);
    const head = ["ID", "HOSTNAME", "STATUS", "AVAILABILITY", "MANAGER STATUS", "ENGINE VERSION"];
    for (const line of table([head, ...rows])) print(line);
    for (const { ID, Spec, Description, Status } of nodes)
      if (Status.Message)
        printError(`${Spec.Name || (Description?.Hostname ?? ID)}: ${Status.Message}`);
  });

  const top = node
    .command("top")
    .description("Show what tasks use and have reserved of each node")
    .option("--format <format>", "json, or a table when absent");
  top.action(async (flags: Flags) => {
    const nodes = await clientOf(top).call<ApiGauged[]>("GET", "/nodes?resources=true");
    if (flags["format"] === "json") return print(JSON.stringify(nodes, undefined, 2));
    for (const line of topLines(nodes)) print(line);
  });

  const ps = node
    .command("ps [node...]")
    .description("List the tasks on nodes (this one when none is named)")
    .option("--no-trunc", "full ids and errors")
    .option("-q, --quiet", "ids only")
    .option("--format <format>", "json, or a table when absent");
  ps.action(async (references: string[], flags: Flags) => {
    const client = clientOf(ps);
    const names = references.length === 0 ? ["self"] : references;
    const ids = await Promise.all(names.map((name) => selfOr(client, name)));
    await printTasks(client, { node: ids }, flags);
  });

  const inspect = node.command("inspect <node...>").description("Show nodes as JSON");
  inspect.action(async (references: string[]) => {
    const client = clientOf(inspect);
    const found = await Promise.all(
      references.map(async (reference) =>
        client.call("GET", nodePath(await selfOr(client, reference))),
      ),
    );
    print(JSON.stringify(found, undefined, 4));
  });
}

function addNodeChanges(node: Command): void {
  const update = node
    .command("update <node>")
    .description("Change a node")
    .addOption(
      new Option("--availability <availability>", "active, pause or drain").choices([
        "active",
        "pause",
        "drain",
      ]),
    )
    .addOption(new Option("--role <role>", "worker or manager").choices(["worker", "manager"]))
    .option("--label-add <label...>", "add or change a label, key=value")
    .option("--label-rm <key...>", "remove a label");
  addDrainFlags(update);
  update.action(async (reference: string, flags: Flags) => {
    const nodeId = await change(clientOf(update), reference, (spec) => {
      if (flags["availability"] !== undefined) spec["Availability"] = flags["availability"];
      if (flags["role"] !== undefined) spec["Role"] = flags["role"];
      const labels = objectAt(spec, "Labels");
      for (const key of (flags["labelRm"] ?? []) as string[]) {
        if (!(key in labels)) throw new UsageError(`node ${reference} has no label ${key}`);
        delete labels[key];
      }
      for (const pair of (flags["labelAdd"] ?? []) as string[]) {
        const [key = "", ...rest] = pair.split("=");
        labels[key] = rest.join("=");
      }
      editDrain(spec, flags);
    });
    print(reference);
    if (flags["wait"] === true) await waitForDrain(clientOf(update), nodeId, flags);
  });
  addRoleChange(node, "promote", "manager", "Make workers managers");
  addRoleChange(node, "demote", "worker", "Make managers workers");

  const rm = node
    .command("rm <node...>")
    .description("Remove nodes that are down (demote managers first)")
    .option("-f, --force", "also a node that is up");
  rm.action(async (references: string[], flags: Flags) => {
    for (const reference of references) {
      await clientOf(rm).call(
        "DELETE",
        `${nodePath(reference)}${flags["force"] === true ? "?force=1" : ""}`,
      );
      print(reference);
    }
  });
}

function addRoleChange(node: Command, verb: string, role: string, help: string): void {
  const command = node.command(`${verb} <node...>`).description(help);
  command.action(async (references: string[]) => {
    for (const reference of references) {
      await change(clientOf(command), reference, (spec) => {
        spec["Role"] = role;
      });
      print(`node ${reference} is now to be a ${role}`);
    }
  });
}

async function change(
  client: EngineClient,
  reference: string,
  edit: (spec: JsonObject) => void,
): Promise<string> {
  const current = await client.call<ApiNode>("GET", nodePath(await selfOr(client, reference)));
  const spec = structuredClone(current.Spec) as unknown as JsonObject;
  edit(spec);
  await client.call("POST", `/nodes/${current.ID}/update?version=${current.Version.Index}`, {
    body: spec,
  });
  return current.ID;
}
