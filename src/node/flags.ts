/** swarmd's flags (contracts §8) → NodeConfig. Defaults are those of a real host. */
import { hostname } from "node:os";
import { Command, InvalidArgumentError, Option } from "commander";
import type { GenericResource, NodeConfig } from "../api/index.js";
import { resolveListenAddr } from "./core/address.js";
import { parseGenericResources } from "./core/generic-resources.js";
import { hostAddresses } from "./host-addresses.js";

const NAMESPACE = /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,75})$/;
const HOSTNAME = /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,252})$/;

export function parseFlags(argv: readonly string[], version: string): NodeConfig {
  const command = new Command("swarmd")
    .description("Node daemon of a swarm: runs containers, and the cluster itself on managers.")
    .version(version)
    .option("--hostname <name>", "name of this node", matches(HOSTNAME, "a host name"), hostname())
    .option("--state-dir <dir>", "what must survive a restart", absolute, "/var/lib/swarm")
    .option("--run-dir <dir>", "sockets and mounts, gone after a reboot", absolute, "/run/swarm")
    .option("--socket <path>", "REST socket (default: <run-dir>/swarm.sock)", absolute)
    .option(
      "--containerd-address <path>",
      "socket of containerd",
      absolute,
      "/run/containerd/containerd.sock",
    )
    .option(
      "--containerd-namespace <name>",
      "containerd namespace of this node's containers",
      matches(NAMESPACE, "a containerd namespace"),
      "swarm",
    )
    .option("--cgroup-parent <path>", "cgroup above the containers", absolute, "/swarm")
    .option("--advertise-addr <addr>", "IP or interface[:port] others reach this node at", "")
    .option("--listen-addr <addr>", "IP or interface[:port] a manager listens on", listenable, "")
    .option(
      "--gwbridge-pool <cidr>",
      "addresses the node's bridge takes its /20 from",
      matches(/^\d{1,3}(\.\d{1,3}){3}\/([1-9]|1\d|20)$/, "an IPv4 network of /20 or larger"),
      "172.20.0.0/14",
    )
    .option(
      "--generic-resource <kind=value>",
      "what tasks can reserve here: gpu=2, or named gpu=UUID1,gpu=UUID2 (may be repeated)",
      collectGeneric,
      [],
    )
    .addOption(
      new Option("--engine <kind>", "simulated: no containers, no networks; for trying things out")
        .choices(["containerd", "simulated"])
        .default("containerd"),
    )
    .addOption(
      new Option(
        "--runtime <program>",
        "what runs containers; auto: crun where it works, else runc",
      )
        .choices(["auto", "runc", "crun"])
        .default("auto"),
    )
    .addOption(
      new Option("--log-level <level>", "least important lines shown")
        .choices(["debug", "info", "warn", "error"])
        .default("info"),
    )
    .allowExcessArguments(false);
  command.parse([...argv], { from: "user" });
  const flags = command.opts<Flags>();
  const { genericResource, ...rest } = flags;
  return {
    ...rest,
    genericResources: genericResource,
    socket: flags.socket ?? `${flags.runDir}/swarm.sock`,
  };
}

function collectGeneric(
  text: string,
  before: readonly GenericResource[],
): readonly GenericResource[] {
  try {
    return parseGenericResources(text, before);
  } catch (error) {
    throw new InvalidArgumentError(error instanceof Error ? error.message : String(error));
  }
}

/** As commander hands them over, checked by the parsers above. */
type Flags = Omit<NodeConfig, "socket" | "genericResources"> & {
  readonly socket?: string;
  readonly genericResource: readonly GenericResource[];
};

function absolute(text: string): string {
  if (!text.startsWith("/") || text.includes("\0"))
    throw new InvalidArgumentError(`must be an absolute path, not "${text}".`);
  return text.length > 1 ? text.replace(/\/+$/, "") : text;
}

function matches(pattern: RegExp, what: string): (text: string) => string {
  return (text) => {
    if (!pattern.test(text)) throw new InvalidArgumentError(`"${text}" is not ${what}.`);
    return text;
  };
}

/** Wrong ones are found at the start rather than at init. */
function listenable(text: string): string {
  try {
    resolveListenAddr(text, hostAddresses());
  } catch (error) {
    throw new InvalidArgumentError(error instanceof Error ? error.message : String(error));
  }
  return text;
}
