import { SpecError } from "./types.js";

/** Sysctls that the kernel keeps per IPC or UTS namespace; everything else would change the host. */
const NAMESPACED = new Set([
  "kernel.msgmax",
  "kernel.msgmnb",
  "kernel.msgmni",
  "kernel.sem",
  "kernel.shmall",
  "kernel.shmmax",
  "kernel.shmmni",
  "kernel.shm_rmid_forced",
  "kernel.domainname",
]);
const PREFIXES = ["fs.mqueue."];

/** So that an ordinary user may bind low ports and ping inside the container's own network namespace, as on Docker. */
const NETWORK_DEFAULTS: Readonly<Record<string, string>> = {
  "net.ipv4.ip_unprivileged_port_start": "0",
  "net.ipv4.ping_group_range": "0 2147483647",
};

export function resolveSysctls(
  asked: Readonly<Record<string, string>>,
  isHostNetwork: boolean,
): Readonly<Record<string, string>> {
  for (const key of Object.keys(asked)) {
    if (NAMESPACED.has(key) || PREFIXES.some((prefix) => key.startsWith(prefix))) continue;
    if (!key.startsWith("net.")) {
      throw new SpecError(
        `ContainerSpec.Sysctls: "${key}" is not namespaced and would change the whole node; set it on the node itself`,
      );
    }
    if (isHostNetwork) {
      throw new SpecError(
        `ContainerSpec.Sysctls: "${key}" is not allowed on the host network; set it on the node itself`,
      );
    }
  }
  return isHostNetwork ? { ...asked } : { ...NETWORK_DEFAULTS, ...asked };
}
