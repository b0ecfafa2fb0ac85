/** Writes the files that the engine mounts over a container's /etc/hosts, /etc/hostname and /etc/resolv.conf. */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import type { ContainerSpec, TaskNetwork } from "../../api/index.js";
import {
  type DnsChoice,
  hostNetworkHostsText,
  hostsText,
  parseResolvConf,
  resolvConfText,
} from "../core/files/network-files.js";
import type { Attachment } from "../net/index.js";

const NO_CHOICE: DnsChoice = { nameservers: [], search: [], options: [] };

export type NetworkFiles = {
  readonly hostsPath: string;
  readonly hostnamePath: string;
  readonly resolvConfPath: string;
};

export function networkFilesIn(dir: string): NetworkFiles {
  return {
    hostsPath: `${dir}/hosts`,
    hostnamePath: `${dir}/hostname`,
    resolvConfPath: `${dir}/resolv.conf`,
  };
}

export function dnsChoice(config: ContainerSpec["DNSConfig"]): DnsChoice {
  return {
    nameservers: config?.Nameservers ?? [],
    search: config?.Search ?? [],
    options: config?.Options ?? [],
  };
}

/** On overlay networks the container is known by its first address there, and asks the node's resolver, which knows the spec's choice. */
export async function writeNetworkFiles(
  dir: string,
  task: {
    readonly spec: ContainerSpec;
    readonly hostname: string;
    readonly attachment: Attachment;
    readonly networks: readonly TaskNetwork[];
  },
): Promise<NetworkFiles> {
  const { spec, hostname, attachment } = task;
  const [first] = task.networks;
  const files = networkFilesIn(dir);
  await mkdir(dir, { recursive: true, mode: 0o755 });
  const isHost = attachment.mode === "host";
  const extraHosts = spec.Hosts ?? [];
  const hosts = isHost
    ? hostNetworkHostsText(await readIfThere("/etc/hosts"), extraHosts)
    : hostsText({ address: ownAddress(first) ?? attachment.address, hostname, extraHosts });
  const { nameservers, search, options } = attachment;
  const own = first === undefined ? dnsChoice(spec.DNSConfig) : NO_CHOICE;
  const network = { nameservers, search, options };
  const host = parseResolvConf(await readIfThere("/etc/resolv.conf"), isHost);
  // Containers may run as any user: these files are for everybody to read.
  await writeFile(files.hostsPath, hosts, { mode: 0o644 });
  await writeFile(files.hostnamePath, `${hostname}\n`, { mode: 0o644 });
  await writeFile(files.resolvConfPath, resolvConfText(own, network, host), { mode: 0o644 });
  return files;
}

/**
 * For a container that was on no network of the cluster when it started and is now: it asks the node's resolver. Written in place, since the
 * file is mounted. It stays so when the container leaves the network: the resolver passes on what it does not know.
 */
export async function rewriteResolvConf(dir: string, resolver: DnsChoice): Promise<void> {
  const { nameservers, search, options } = resolver;
  if (nameservers.length === 0) return;
  const text = resolvConfText(NO_CHOICE, { nameservers, search, options }, NO_CHOICE);
  await writeFile(networkFilesIn(dir).resolvConfPath, text, { mode: 0o644 });
}

function ownAddress(network: TaskNetwork | undefined): string | undefined {
  return network === undefined ? undefined : network.address || network.address6;
}

async function readIfThere(path: string): Promise<string> {
  return readFile(path, "utf8").catch(() => "");
}
