import type { ResourceRequirements } from "../../../api/index.js";
import { type DeviceRule, type HostFacts, type LinuxResources, SpecError } from "./types.js";

const CPU_PERIOD_US = 100_000;
/** The kernel refuses less. */
const CPU_QUOTA_US_MIN = 1000;
const MEMORY_BYTES_MIN = 4 * 1024 * 1024;

/** Deny all, then: mknod of anything, and use of the devices every container has. */
const DEVICE_RULES: readonly DeviceRule[] = [
  { allow: false, access: "rwm" },
  { allow: true, type: "c", access: "m" },
  { allow: true, type: "b", access: "m" },
  ...[
    [1, 3], // null
    [1, 5], // zero
    [1, 7], // full
    [1, 8], // random
    [1, 9], // urandom
    [5, 0], // tty
    [5, 1], // console
  ].map(
    ([major = 0, minor = 0]): DeviceRule => ({
      allow: true,
      type: "c",
      major,
      minor,
      access: "rwm",
    }),
  ),
  { allow: true, type: "c", major: 136, access: "rwm" }, // pts
  { allow: true, type: "c", major: 5, minor: 2, access: "rwm" }, // ptmx
];

/** cgroup limits. runc translates them to v1 or v2 files; reservations only steer placement, as on Docker Swarm. */
export function resolveResources(resources: ResourceRequirements, host: HostFacts): LinuxResources {
  const limits = resources.Limits ?? {};
  const memory = resolveMemory(resources, host);
  const quota = Math.trunc(((limits.NanoCPUs ?? 0) * CPU_PERIOD_US) / 1e9);
  if ((limits.NanoCPUs ?? 0) > 0 && quota < CPU_QUOTA_US_MIN)
    throw new SpecError("Resources.Limits.NanoCPUs: must be at least 0.01 CPUs (10000000)");
  const pids = limits.Pids ?? 0;
  return {
    devices: DEVICE_RULES,
    ...(memory === undefined ? {} : { memory }),
    ...(quota > 0 ? { cpu: { quota, period: CPU_PERIOD_US } } : {}),
    ...(pids > 0 ? { pids: { limit: pids } } : {}),
  };
}

function resolveMemory(
  resources: ResourceRequirements,
  host: HostFacts,
): LinuxResources["memory"] | undefined {
  const limit = resources.Limits?.MemoryBytes ?? 0;
  if (limit > 0 && limit < MEMORY_BYTES_MIN)
    throw new SpecError("Resources.Limits.MemoryBytes: must be at least 4 MiB");
  const swap = resolveSwap(limit, resources.SwapBytes, host);
  const swappiness = resources.MemorySwappiness ?? -1;
  if (swappiness > 100)
    throw new SpecError("Resources.MemorySwappiness: must be from 0 to 100, or -1 for the default");
  if (swappiness >= 0 && host.cgroupVersion === 2) {
    throw new SpecError(
      "Resources.MemorySwappiness: this node uses cgroup v2, which has no swappiness per container; leave it out",
    );
  }
  if (limit === 0 && swappiness < 0) return undefined;
  return {
    ...(limit > 0 ? { limit } : {}),
    ...(swap === undefined ? {} : { swap }),
    ...(swappiness >= 0 ? { swappiness } : {}),
  };
}

/** The OCI value counts memory and swap together. Without SwapBytes a container gets as much swap as memory. */
function resolveSwap(
  limit: number,
  swapBytes: number | undefined,
  host: HostFacts,
): number | undefined {
  if (swapBytes !== undefined && limit === 0)
    throw new SpecError("Resources.SwapBytes: needs Resources.Limits.MemoryBytes");
  if (limit === 0) return undefined;
  if (!host.hasSwapAccounting) {
    if (swapBytes === undefined) return undefined;
    throw new SpecError(
      "Resources.SwapBytes: this node's kernel does not account swap; boot it with swapaccount=1 or leave the field out",
    );
  }
  if (swapBytes === undefined) return 2 * limit;
  return swapBytes < 0 ? -1 : limit + swapBytes;
}
