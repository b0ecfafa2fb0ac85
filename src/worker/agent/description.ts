/** This machine as the cluster sees it: looked at anew every 20 s, because cgroup limits, routes and the engine may change. */
import { readFile } from "node:fs/promises";
import { arch, availableParallelism, totalmem } from "node:os";
import type { GenericResource, NodeDescription, ProxiedPort6 } from "../../api/index.js";
import { routeCidrs, routeCidrs6 } from "../core/node/routes.js";
import { smallestMtu, underlayLinks, underlayLinks6 } from "../core/node/underlay.js";
import type { Engine } from "../engine/port.js";

const NANO = 1e9;
/** What a node tells of its networks is in every copy of the cluster's state. */
const PROBLEMS_MAX = 16;
const PROBLEM_CHARS = 300;
const PROXIED_MAX = 64;

const PLUGINS: NodeDescription["Engine"]["Plugins"] = [
  ...["json-file", "local", "none"].map((Name) => ({ Type: "Log", Name })),
  ...["bridge", "host", "null", "overlay"].map((Name) => ({ Type: "Network", Name })),
  { Type: "Volume", Name: "local" },
];

export function dockerArchitecture(nodeArch: string): string {
  return (
    ({ x64: "x86_64", arm64: "aarch64" } as Readonly<Record<string, string>>)[nodeArch] ?? nodeArch
  );
}

/** `engineVersion`: as the engine reports it. `net`: the bridge, and what does not work. */
export async function describeNode(
  hostname: string,
  engine: Engine,
  engineVersion: string,
  genericResources: readonly GenericResource[],
  net: {
    readonly subnet: string;
    readonly problems: readonly string[];
    readonly wireGuard?: NonNullable<NodeDescription["WireGuard"]>;
    readonly proxied?: readonly ProxiedPort6[];
  },
): Promise<NodeDescription> {
  const read = (path: string): Promise<string> => readFile(path, "utf8").catch(() => "");
  const problems = net.problems.slice(0, PROBLEMS_MAX).map((text) => text.slice(0, PROBLEM_CHARS));
  const proxied = (net.proxied ?? []).slice(0, PROXIED_MAX);
  // Of the network namespace that the node runs in.
  const routes = await read("/proc/net/route");
  const routes6 = await read("/proc/net/ipv6_route");
  const mtu = await underlayMtu(routes, routes6);
  return {
    Hostname: hostname,
    Platform: { Architecture: dockerArchitecture(arch()), OS: "linux" },
    Resources: {
      NanoCPUs: await nanoCpus(),
      MemoryBytes: memoryBytes(),
      ...(genericResources.length > 0 && { GenericResources: genericResources }),
    },
    Engine: { EngineVersion: engineVersion, Labels: {}, Plugins: PLUGINS },
    EngineKind: engine.kind,
    Routes: [...routeCidrs(routes), ...routeCidrs6(routes6)],
    ...(net.subnet !== "" && { Bridge: net.subnet }),
    ...(problems.length > 0 && { NetworkProblems: problems }),
    ...(mtu !== undefined && { UnderlayMtu: mtu }),
    ...(net.wireGuard !== undefined && { WireGuard: net.wireGuard }),
    ...(proxied.length > 0 && { Proxied6: proxied }),
  };
}

/** As IPv6 has it, which is the link's: sysfs shows the namespace it was mounted in, not ours. undefined where IPv6 is off. */
async function underlayMtu(routes: string, routes6: string): Promise<number | undefined> {
  const links4 = underlayLinks(routes);
  const links = links4.length > 0 ? links4 : underlayLinks6(routes6);
  const files = links.map((link) => `/proc/sys/net/ipv6/conf/${link}/mtu`);
  const read = (file: string): Promise<string> => readFile(file, "utf8").catch(() => "");
  return smallestMtu(await Promise.all(files.map(read)));
}

export function memoryBytes(): number {
  const limit = process.constrainedMemory();
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem();
}

export async function nanoCpus(): Promise<number> {
  const available = availableParallelism() * NANO;
  const quota = await cpuQuota();
  return quota === undefined ? available : Math.min(available, Math.floor(quota * NANO));
}

/** CPUs that this process's cgroup may use; undefined without a limit. */
async function cpuQuota(): Promise<number | undefined> {
  const read = (path: string): Promise<string> => readFile(path, "utf8").catch(() => "");
  const v2 = parseCpuMax(await read("/sys/fs/cgroup/cpu.max"));
  if (v2 !== undefined) return v2;
  const [quota, period] = await Promise.all([
    read("/sys/fs/cgroup/cpu/cpu.cfs_quota_us"),
    read("/sys/fs/cgroup/cpu/cpu.cfs_period_us"),
  ]);
  return parseCpuMax(`${quota.trim()} ${period.trim()}`);
}

/** `<quota> <period>` in µs; `max` or a negative quota means no limit. */
export function parseCpuMax(text: string): number | undefined {
  const [quota, period] = text.trim().split(/\s+/).map(Number);
  if (quota === undefined || period === undefined) return undefined;
  return quota > 0 && period > 0 ? quota / period : undefined;
}
