/** What a cgroup says that it and all below it use, from the texts of its files. */

/** Totals since the group was made, and memory now. */
export type CgroupUsage = { readonly cpuTimeNano: number; readonly memBytes: number };

export type CgroupTexts = {
  readonly version: 1 | 2;
  /** v1: cpuacct.usage (ns). v2: cpu.stat. */
  readonly cpu: string;
  /** v1: memory.usage_in_bytes. v2: memory.current. */
  readonly memory: string;
  readonly memoryStat: string;
};

/** Throws RangeError naming the file when a number is not there. */
export function cgroupUsage({ version, cpu, memory, memoryStat }: CgroupTexts): CgroupUsage {
  const isV2 = version === 2;
  const cpuTimeNano = isV2
    ? 1000 * field(cpu, "usage_usec", "cpu.stat")
    : count(cpu, "cpuacct.usage");
  const used = count(memory, isV2 ? "memory.current" : "memory.usage_in_bytes");
  // Pages of files that nobody has used lately are given back before anybody goes short; `docker stats` leaves them out too.
  const idle = field(memoryStat, isV2 ? "inactive_file" : "total_inactive_file", "memory.stat");
  return { cpuTimeNano, memBytes: Math.max(0, used - idle) };
}

function field(text: string, name: string, file: string): number {
  const line = text.split("\n").find((each) => each.startsWith(`${name} `));
  return count(line?.slice(name.length) ?? "", `${name} of ${file}`);
}

function count(text: string, what: string): number {
  const trimmed = text.trim();
  const value = Number(trimmed);
  if (trimmed === "" || !Number.isSafeInteger(value) || value < 0)
    throw new RangeError(`${what} is no count: ${JSON.stringify(trimmed.slice(0, 40))}`);
  return value;
}

/** CPU ns per second between two totals; what went backwards (the group was made anew) counts from zero. */
export function cpuRate(
  before: { readonly cpuTimeNano: number; readonly atMs: number },
  now: { readonly cpuTimeNano: number; readonly atMs: number },
): number {
  const tookMs = now.atMs - before.atMs;
  if (tookMs <= 0) return 0;
  const spent =
    now.cpuTimeNano >= before.cpuTimeNano ? now.cpuTimeNano - before.cpuTimeNano : now.cpuTimeNano;
  return Math.round((spent * 1000) / tookMs);
}
