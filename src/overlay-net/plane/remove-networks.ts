import { type Logger, SystemClock } from "../../base/index.js";
import { nodeNames, tunnelLink } from "../core/names.js";
import type { NetnsKernel } from "../kernel/netns-kernel.js";
import { LinuxTunnelDevice } from "../wireguard/linux-tunnel-device.js";
import { ForeignRules } from "./foreign-rules.js";
import { KernelProgrammer } from "./kernel-programmer.js";

/**
 * Takes away all that a node's plane made, by this process or an earlier one: sandboxes, its place on ingress, routes, rules and tables.
 * Containers' namespaces and the bridge are NodeNetwork's. May be repeated. Rejects when something is left.
 */
export async function removeNetworks(
  kernel: NetnsKernel,
  nodeId: string,
  logger: Logger,
): Promise<void> {
  const names = nodeNames(nodeId);
  const common = { kernel, names, logger, clock: new SystemClock(), removesContainers: false };
  const failures = await new KernelProgrammer(common).removeAll();
  if (kernel.kind !== "simulated") {
    await new ForeignRules(kernel, names).remove();
    await new LinuxTunnelDevice(common.clock).remove(tunnelLink(names));
  }
  if (failures.size > 0)
    throw new Error(`networks could not be removed: ${[...failures.values()].join("; ")}`);
}
