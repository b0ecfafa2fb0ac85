import type { Command } from "commander";
import { EngineClient } from "../client.js";
import { ExitError } from "../exit-codes.js";
import { connectBody, type NetworkFlags, networkBody } from "../network-spec.js";
import { print, printError, table } from "../output.js";
import { isAsWanted, type NodeVerification, verifyRows } from "../verify-table.js";

type Flags = Readonly<Record<string, unknown>>;
type ApiNetwork = {
  readonly Id: string;
  readonly Name: string;
  readonly Driver: string;
  readonly Scope: string;
};

const clientOf = (command: Command): EngineClient =>
  new EngineClient(String(command.optsWithGlobals()["host"]).replace(/^unix:\/\//, ""));

const networkPath = (reference: string): string => `/networks/${encodeURIComponent(reference)}`;
const gather = (value: string, before: readonly string[]): string[] => [...before, value];

/** network create, ls, inspect, rm, prune, connect, disconnect, verify, repair. */
export function addNetworkCommands(program: Command): void {
  const network = program.command("network").description("Networks that span the nodes");
  addCreate(network);
  addListing(network);
  addRemoval(network);
  addConnection(network);
  addVerification(network, "verify", "Compare the nodes' kernels with what the network should be");
  addVerification(network, "repair", "The same, and put right what differs");
}

/** Ends with 1 while something differs, or a node did not answer. */
function addVerification(network: Command, name: "verify" | "repair", description: string): void {
  const command = network
    .command(`${name} <network>`)
    .description(description)
    .option("--node <node>", "this node only; otherwise all that are ready")
    .option("--format <format>", "json, or a table when absent");
  command.action(async (reference: string, flags: Flags) => {
    const query = new URLSearchParams({ repair: String(name === "repair") });
    if (flags["node"] !== undefined) query.set("node", String(flags["node"]));
    const path = `${networkPath(reference)}/verify?${query}`;
    const { Nodes: nodes } = await clientOf(command).call<{ Nodes: NodeVerification[] }>(
      "POST",
      path,
    );
    if (flags["format"] === "json") print(JSON.stringify(nodes, undefined, 2));
    else for (const line of table(verifyRows(nodes))) print(line);
    if (!isAsWanted(nodes)) throw new ExitError(1, "not all nodes hold the network as they should");
  });
}

function addCreate(network: Command): void {
  const create = network
    .command("create <name>")
    .description("Create a network")
    .option("-d, --driver <driver>", "driver", "overlay")
    .option("--attachable", "containers that are no tasks may join")
    .option("--ingress", "the network that published ports go through")
    .option("--internal", "no way out of the cluster")
    .option("--ipv6", "IPv6 addresses too")
    .option("--subnet <cidr>", "subnet (repeatable, one per family)", gather, [])
    .option("--gateway <address>", "gateway of the subnet", gather, [])
    .option("--ip-range <cidr>", "give out addresses of this part of the subnet", gather, [])
    .option("-o, --opt <name=value>", "driver option", gather, [])
    .option("--label <name=value>", "label", gather, []);
  create.action(async (name: string, flags: NetworkFlags) => {
    const body = networkBody(name, flags);
    const client = clientOf(create);
    const made = await client.call<{ Id: string; Warning?: string }>("POST", "/networks/create", {
      body,
    });
    if (made.Warning) printError(`Warning: ${made.Warning}`);
    print(made.Id);
  });
}

function addListing(network: Command): void {
  const ls = network
    .command("ls")
    .description("List networks")
    .option("-f, --filter <key=value>", "show some only", gather, [])
    .option("-q, --quiet", "ids only")
    .option("--no-trunc", "full ids")
    .option("--format <format>", "json, or a table when absent");
  ls.action(async (flags: Flags) => {
    const filters = filtersOf(flags["filter"] as readonly string[]);
    const networks = await clientOf(ls).call<ApiNetwork[]>("GET", `/networks?filters=${filters}`);
    if (flags["format"] === "json") return print(JSON.stringify(networks, undefined, 2));
    const shown = ({ Id }: ApiNetwork): string => (flags["trunc"] === false ? Id : Id.slice(0, 12));
    const sorted = [...networks].sort((a, b) => (a.Name < b.Name ? -1 : 1));
    if (flags["quiet"] === true) return sorted.forEach((entry) => print(shown(entry)));
    const rows = sorted.map((entry) => [shown(entry), entry.Name, entry.Driver, entry.Scope]);
    for (const line of table([["NETWORK ID", "NAME", "DRIVER", "SCOPE"], ...rows])) print(line);
  });

  const inspect = network
    .command("inspect <network...>")
    .description("Show networks as JSON")
    .option("-v, --verbose", "with the services on them");
  inspect.action(async (references: string[], flags: Flags) => {
    const client = clientOf(inspect);
    const query = flags["verbose"] === true ? "?verbose=true" : "";
    const found = await Promise.all(
      references.map((reference) => client.call("GET", `${networkPath(reference)}${query}`)),
    );
    print(JSON.stringify(found, undefined, 4));
  });
}

function addRemoval(network: Command): void {
  const rm = network
    .command("rm <network...>")
    .aliases(["remove"])
    .description("Remove networks that no service is on");
  rm.action(async (references: string[]) => {
    const client = clientOf(rm);
    let isComplete = true;
    for (const reference of references) {
      try {
        await client.call("DELETE", networkPath(reference));
        print(reference);
      } catch (error) {
        isComplete = false;
        printError(error instanceof Error ? error.message : String(error));
      }
    }
    if (!isComplete) throw new ExitError(1, "not all networks were removed");
  });

  const prune = network
    .command("prune")
    .description("Remove all networks of users that no service is on")
    .option("--filter <key=value>", "label=…, label!=…, until=…", gather, []);
  prune.action(async (flags: Flags) => {
    const filters = filtersOf(flags["filter"] as readonly string[]);
    const { NetworksDeleted: names } = await clientOf(prune).call<{
      NetworksDeleted: readonly string[] | null;
    }>("POST", `/networks/prune?filters=${filters}`);
    for (const name of names ?? []) print(name);
  });
}

/** Of containers of the node whose socket is asked. */
function addConnection(network: Command): void {
  const connect = network
    .command("connect <network> <container>")
    .description("Put a running container of this node on an attachable network")
    .option("--ip <address>", "its IPv4 address there, e.g. 172.30.100.104")
    .option("--ip6 <address>", "its IPv6 address there, e.g. 2001:db8::33")
    .option("--alias <name>", "another name for it on that network (repeatable)", gather, []);
  connect.action(async (reference: string, container: string, flags: Flags) => {
    const body = connectBody(container, flags);
    await clientOf(connect).call("POST", `${networkPath(reference)}/connect`, { body });
  });

  const disconnect = network
    .command("disconnect <network> <container>")
    .description("Take a container of this node off a network that it was connected to")
    .option("-f, --force", "at once, even if the container is gone");
  disconnect.action(async (reference: string, container: string, flags: Flags) => {
    const body = { Container: container, Force: flags["force"] === true };
    await clientOf(disconnect).call("POST", `${networkPath(reference)}/disconnect`, { body });
  });
}

/** `key=value` texts as the API's JSON, ready for a query. */
function filtersOf(texts: readonly string[]): string {
  const filters: Record<string, string[]> = {};
  for (const text of texts) {
    const at = text.indexOf("=");
    const key = at < 0 ? text : text.slice(0, at);
    filters[key] = [...(filters[key] ?? []), at < 0 ? "" : text.slice(at + 1)];
  }
  return encodeURIComponent(JSON.stringify(filters));
}
