import { type Command, Option } from "commander";
import type { ApiInfo, ApiNode } from "../api-types.js";
import { EngineClient } from "../client.js";
import { print } from "../output.js";
import { UsageError } from "../units.js";
import { printUnlockKey } from "./autolock.js";

type Flags = Readonly<Record<string, unknown>>;
type ClusterReply = {
  readonly Version: { readonly Index: number };
  readonly Spec: unknown;
  readonly JoinTokens: { readonly Worker: string; readonly Manager: string };
};

const clientOf = (command: Command): EngineClient =>
  new EngineClient(String(command.optsWithGlobals()["host"]).replace(/^unix:\/\//, ""));

const gather = (value: string, before: readonly string[]): string[] => [
  ...before,
  ...value.split(","),
];

const number = (text: string): number => {
  if (!/^\d+$/.test(text)) throw new UsageError(`"${text}" is not a whole number`);
  return Number(text);
};

const availability = (): Option =>
  new Option("--availability <availability>", "tasks on this node")
    .choices(["active", "pause", "drain"])
    .default("active");

const FORCE_HELP = `
--force-new-cluster is for a cluster that has lost more than half of its managers for good. Run it on the manager that was up to date
last, and keep the lost ones off or out of its reach until it has answered. Services, tasks, networks, join tokens and the CA stay, and
containers run on. What the lost managers agreed on and this one never heard of is gone. Together with it only the addresses can be set.`;

/** What is left to do for whoever runs a cluster with one manager. */
const AFTER_FORCE = `The nodes of the other managers are workers now, should they come back. For those that will not: swarm node rm NODE
One manager is none too many: swarm node promote NODE, on two others`;

/** init, join, join-token, leave. */
export function addClusterCommands(program: Command): void {
  const init = program
    .command("init")
    .description("Make a new cluster with this node as its first manager")
    .option(
      "--advertise-addr <address>",
      "address or interface that the other nodes use, IP[:port]",
    )
    .option("--listen-addr <address>", "address to listen on", "0.0.0.0:2377")
    .option(
      "--data-path-addr <address>",
      "address or interface that networks' traffic between nodes uses, when it is another one",
    )
    .option(
      "--data-path-port <port>",
      "UDP port of that traffic, 1024-49151 (default: 4789)",
      number,
    )
    .option(
      "--default-addr-pool <cidr>",
      "address pool of overlay networks (repeatable)",
      gather,
      [] as readonly string[],
    )
    .option(
      "--default-addr-pool-mask-length <length>",
      "prefix length of a network in the pool",
      number,
      24,
    )
    .option(
      "--force-new-cluster",
      "recover a cluster whose other managers are lost: go on as its only manager, with all it has",
    )
    .option(
      "--autolock",
      "encrypt the managers' keys on disk: after each start they must be unlocked",
    )
    .addOption(availability())
    .addHelpText("after", FORCE_HELP);
  init.action(async (flags: Flags) => {
    const client = clientOf(init);
    const isForced = flags["forceNewCluster"] === true;
    const id = await client.call<string>("POST", "/swarm/init", {
      body: {
        ListenAddr: flags["listenAddr"],
        AdvertiseAddr: flags["advertiseAddr"] ?? "",
        Availability: flags["availability"],
        DataPathAddr: flags["dataPathAddr"] ?? "",
        DataPathPort: flags["dataPathPort"] ?? 0,
        DefaultAddrPool: flags["defaultAddrPool"],
        SubnetSize: flags["defaultAddrPoolMaskLength"],
        ForceNewCluster: isForced,
        AutoLockManagers: flags["autolock"] === true,
      },
    });
    if (isForced) {
      print(`This node (${id}) is now the only manager of its cluster.\n`);
      print(AFTER_FORCE);
      return;
    }
    print(`This node (${id}) is now the first manager of a new cluster.\n`);
    print("To add a worker, run on it:\n");
    await printJoin(client, id, "Worker");
    print("\nTo add a manager: swarm join-token manager");
    if (flags["autolock"] === true) {
      print("");
      await printUnlockKey(client, false);
    }
  });

  const join = program
    .command("join <host:port>")
    .description("Join this node to a cluster; the token decides whether as worker or manager")
    .requiredOption("--token <token>", "join token; a manager prints it: swarm join-token worker")
    .option(
      "--advertise-addr <address>",
      "address or interface that the other nodes use, IP[:port]",
    )
    .option("--listen-addr <address>", "address to listen on", "0.0.0.0:2377")
    .option(
      "--data-path-addr <address>",
      "address or interface that networks' traffic between nodes uses, when it is another one",
    )
    .addOption(availability());
  join.action(async (remote: string, flags: Flags) => {
    const client = clientOf(join);
    await client.call("POST", "/swarm/join", {
      body: {
        ListenAddr: flags["listenAddr"],
        AdvertiseAddr: flags["advertiseAddr"] ?? "",
        DataPathAddr: flags["dataPathAddr"] ?? "",
        Availability: flags["availability"],
        RemoteAddrs: [remote],
        JoinToken: flags["token"],
      },
    });
    const info = await client.call<ApiInfo>("GET", "/info");
    print(
      `This node joined the cluster as a ${info.Swarm.ControlAvailable ? "manager" : "worker"}.`,
    );
  });

  const token = program
    .command("join-token <role>")
    .description("Show, or with --rotate renew, the token that admits workers or managers")
    .option("-q, --quiet", "the token only")
    .option("--rotate", "make a new token; the old one admits nobody any more");
  token.action(async (role: string, flags: Flags) => {
    if (role !== "worker" && role !== "manager")
      throw new UsageError(`"${role}": worker or manager`);
    const client = clientOf(token);
    const key = role === "worker" ? "Worker" : "Manager";
    if (flags["rotate"] === true) {
      const now = await client.call<ClusterReply>("GET", "/swarm");
      await client.call(
        "POST",
        `/swarm/update?version=${now.Version.Index}&rotate${key}Token=true`,
        { body: now.Spec },
      );
    }
    if (flags["quiet"] === true) {
      print((await client.call<ClusterReply>("GET", "/swarm")).JoinTokens[key]);
      return;
    }
    const info = await client.call<ApiInfo>("GET", "/info");
    print(`To add a ${role}, run on it:\n`);
    await printJoin(client, info.Swarm.NodeID, key);
  });

  const leave = program
    .command("leave")
    .description("Take this node out of its cluster; its containers are removed")
    .option("-f, --force", "also when it is a manager (better: demote it first)");
  leave.action(async (flags: Flags) => {
    const path = `/swarm/leave${flags["force"] === true ? "?force=1" : ""}`;
    const reply = await clientOf(leave).call<{ Warnings?: string[] } | undefined>("POST", path);
    for (const warning of reply?.Warnings ?? []) process.stderr.write(`warning: ${warning}\n`);
    print("Node left the cluster.");
  });
}

async function printJoin(
  client: EngineClient,
  nodeId: string,
  key: "Worker" | "Manager",
): Promise<void> {
  const [cluster, node] = await Promise.all([
    client.call<ClusterReply>("GET", "/swarm"),
    client.call<ApiNode>("GET", `/nodes/${nodeId}`),
  ]);
  print(
    `    swarm join --token ${cluster.JoinTokens[key]} ${node.ManagerStatus?.Addr ?? "MANAGER:2377"}`,
  );
}
