/** Writes the files that the engine mounts over a container's /etc/hosts, /etc/hostname and /etc/resolv.conf. */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import type { ContainerSpec } from "../../api/index.js";
import {
  hostNetworkHostsText,
  hostsText,
  parseResolvConf,
  resolvConfText,
} from "../core/files/network-files.js";
import type { Attachment } from "../net/index.js";

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

export async function writeNetworkFiles(
  dir: string,
  spec: ContainerSpec,
  hostname: string,
  attachment: Attachment,
): Promise<NetworkFiles> {
  const files = networkFilesIn(dir);
  await mkdir(dir, { recursive: true, mode: 0o755 });
  const isHost = attachment.mode === "host";
  const extraHosts = spec.Hosts ?? [];
  const hosts = isHost
    ? hostNetworkHostsText(await readIfThere("/etc/hosts"), extraHosts)
    : hostsText({ address: attachment.address, hostname, extraHosts });
  const own = {
    nameservers: spec.DNSConfig?.Nameservers ?? [],
    search: spec.DNSConfig?.Search ?? [],
    options: spec.DNSConfig?.Options ?? [],
  };
  const network = {
    nameservers: attachment.nameservers,
    search: attachment.search,
    options: [],
  };
  const host = parseResolvConf(await readIfThere("/etc/resolv.conf"), isHost);
  // Containers may run as any user: these files are for everybody to read.
  await writeFile(files.hostsPath, hosts, { mode: 0o644 });
  await writeFile(files.hostnamePath, `${hostname}\n`, { mode: 0o644 });
  await writeFile(files.resolvConfPath, resolvConfText(own, network, host), { mode: 0o644 });
  return files;
}

async function readIfThere(path: string): Promise<string> {
  return readFile(path, "utf8").catch(() => "");
}
