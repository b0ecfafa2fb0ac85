import { SpecError } from "./types.js";

/** Linux capability names in the kernel's order: the index is the number. */
const ALL_CAPABILITIES: readonly string[] = [
  "CAP_CHOWN",
  "CAP_DAC_OVERRIDE",
  "CAP_DAC_READ_SEARCH",
  "CAP_FOWNER",
  "CAP_FSETID",
  "CAP_KILL",
  "CAP_SETGID",
  "CAP_SETUID",
  "CAP_SETPCAP",
  "CAP_LINUX_IMMUTABLE",
  "CAP_NET_BIND_SERVICE",
  "CAP_NET_BROADCAST",
  "CAP_NET_ADMIN",
  "CAP_NET_RAW",
  "CAP_IPC_LOCK",
  "CAP_IPC_OWNER",
  "CAP_SYS_MODULE",
  "CAP_SYS_RAWIO",
  "CAP_SYS_CHROOT",
  "CAP_SYS_PTRACE",
  "CAP_SYS_PACCT",
  "CAP_SYS_ADMIN",
  "CAP_SYS_BOOT",
  "CAP_SYS_NICE",
  "CAP_SYS_RESOURCE",
  "CAP_SYS_TIME",
  "CAP_SYS_TTY_CONFIG",
  "CAP_MKNOD",
  "CAP_LEASE",
  "CAP_AUDIT_WRITE",
  "CAP_AUDIT_CONTROL",
  "CAP_SETFCAP",
  "CAP_MAC_OVERRIDE",
  "CAP_MAC_ADMIN",
  "CAP_SYSLOG",
  "CAP_WAKE_ALARM",
  "CAP_BLOCK_SUSPEND",
  "CAP_AUDIT_READ",
  "CAP_PERFMON",
  "CAP_BPF",
  "CAP_CHECKPOINT_RESTORE",
];

/** What a container has when nothing is asked for: the set every Docker host gives. */
export const DEFAULT_CAPABILITIES: readonly string[] = [
  "CAP_CHOWN",
  "CAP_DAC_OVERRIDE",
  "CAP_FSETID",
  "CAP_FOWNER",
  "CAP_MKNOD",
  "CAP_NET_RAW",
  "CAP_SETGID",
  "CAP_SETUID",
  "CAP_SETFCAP",
  "CAP_SETPCAP",
  "CAP_NET_BIND_SERVICE",
  "CAP_SYS_CHROOT",
  "CAP_KILL",
  "CAP_AUDIT_WRITE",
];

const ALL = "ALL";

/**
 * The capabilities of a container. Docker's rules: add ALL = everything but what is dropped; drop ALL = only what is
 * added; otherwise the defaults, less drop, plus add. `lastCapability` is the highest number this kernel knows.
 */
export function resolveCapabilities(
  add: readonly string[],
  drop: readonly string[],
  lastCapability: number,
): readonly string[] {
  const known = ALL_CAPABILITIES.slice(0, lastCapability + 1);
  const added = add.map((name) => normalise("CapabilityAdd", name, known));
  const dropped = new Set(drop.map((name) => normalise("CapabilityDrop", name, known)));
  if (added.includes(ALL)) return known.filter((name) => !dropped.has(name));
  if (dropped.has(ALL)) return [...new Set(added)];
  return [...new Set([...DEFAULT_CAPABILITIES.filter((name) => !dropped.has(name)), ...added])];
}

function normalise(field: string, text: string, known: readonly string[]): string {
  const upper = text.toUpperCase();
  if (upper === ALL || upper === "CAP_ALL") return ALL;
  const name = upper.startsWith("CAP_") ? upper : `CAP_${upper}`;
  if (known.includes(name)) return name;
  const reason = ALL_CAPABILITIES.includes(name)
    ? "this node's kernel does not have it"
    : "unknown capability; see capabilities(7)";
  throw new SpecError(`ContainerSpec.${field}: "${text}": ${reason}`);
}
