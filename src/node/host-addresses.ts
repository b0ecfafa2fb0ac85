/** The addresses of this host's interfaces, for the choice of listen and advertise addresses. */
import { readFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import type { HostAddress } from "./core/address.js";

/** Interfaces of container engines, by name: docker's and containerd's usual ones. Ours carry an alias (contracts §8). */
const VIRTUAL_NAME = /^(docker|br-|veth|cni|virbr|podman|lxc|swarm)/;
const OWN_ALIAS = /^swarm:/;

export function hostAddresses(): readonly HostAddress[] {
  return Object.entries(networkInterfaces()).flatMap(([interfaceName, addresses]) => {
    const isVirtual = VIRTUAL_NAME.test(interfaceName) || OWN_ALIAS.test(aliasOf(interfaceName));
    return (addresses ?? []).map((each) => ({
      interfaceName,
      ip: each.address,
      family: each.family === "IPv6" ? (6 as const) : (4 as const),
      isLoopback: each.internal,
      isLinkLocal: each.address.startsWith("fe80:") || each.address.startsWith("169.254."),
      isVirtual,
    }));
  });
}

function aliasOf(interfaceName: string): string {
  try {
    return readFileSync(`/sys/class/net/${interfaceName}/ifalias`, "utf8").trim();
  } catch {
    // Gone since it was listed, or no sysfs: no alias.
    return "";
  }
}
