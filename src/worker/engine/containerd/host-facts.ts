/** Looks once at what this node can do. Reads only; everything absent has a safe answer. */
import { closeSync, existsSync, openSync, readFileSync, readSync } from "node:fs";
import { release } from "node:os";
import type { HostFacts } from "../../core/oci/index.js";
import { platformOf } from "../../images/index.js";

/** Where init programs are installed. Only a static one runs in any image's root. */
const INIT_PATHS: readonly string[] = [
  "/usr/bin/docker-init",
  "/usr/sbin/docker-init",
  "/usr/libexec/docker/docker-init",
  "/usr/local/bin/docker-init",
  "/usr/bin/tini-static",
  "/usr/bin/catatonit",
  "/usr/libexec/podman/catatonit",
  "/usr/libexec/catatonit/catatonit",
  "/usr/bin/tini",
  "/sbin/tini",
];
const LAST_CAPABILITY_FALLBACK = 37;
const APPARMOR_PROFILE = "docker-default";

export function gatherHostFacts(): HostFacts {
  const [major = 0, minor = 0] = release()
    .split(".")
    .map((part) => Number.parseInt(part, 10));
  const cgroupVersion = existsSync("/sys/fs/cgroup/cgroup.controllers") ? 2 : 1;
  return {
    architecture: platformOf(process.arch).architecture,
    kernel: { major, minor },
    cgroupVersion,
    hasSwapAccounting:
      cgroupVersion === 2
        ? hasSwapOnV2()
        : existsSync("/sys/fs/cgroup/memory/memory.memsw.limit_in_bytes"),
    lastCapability:
      Number.parseInt(readText("/proc/sys/kernel/cap_last_cap"), 10) || LAST_CAPABILITY_FALLBACK,
    initPath: INIT_PATHS.find(isStaticProgram),
    appArmor: findAppArmor(),
  };
}

/** The root group has no memory.swap.max itself; any child does if the kernel accounts swap. */
function hasSwapOnV2(): boolean {
  const own = /^0::(.*)$/m.exec(readText("/proc/self/cgroup"))?.[1] ?? "/";
  return own === "/" || existsSync(`/sys/fs/cgroup${own}/memory.swap.max`);
}

function findAppArmor(): HostFacts["appArmor"] {
  if (!readText("/sys/module/apparmor/parameters/enabled").startsWith("Y")) return undefined;
  const loaded = readText("/sys/kernel/security/apparmor/profiles");
  const isLoaded = loaded.split("\n").some((line) => line.startsWith(`${APPARMOR_PROFILE} (`));
  return { profile: isLoaded ? APPARMOR_PROFILE : undefined };
}

/** A 64-bit ELF file without an interpreter segment. */
function isStaticProgram(path: string): boolean {
  const PT_INTERP = 3;
  if (!existsSync(path)) return false;
  const head = Buffer.alloc(4096);
  const file = openSync(path, "r");
  try {
    const length = readSync(file, head, 0, head.length, 0);
    if (length < 64 || head.toString("latin1", 1, 4) !== "ELF" || head[4] !== 2) return false;
    const table = Number(head.readBigUInt64LE(32));
    const entrySize = head.readUInt16LE(54);
    const count = head.readUInt16LE(56);
    for (let i = 0; i < count; i++) {
      const at = table + i * entrySize;
      if (at + 4 > length) return false;
      if (head.readUInt32LE(at) === PT_INTERP) return false;
    }
    return true;
  } finally {
    closeSync(file);
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
