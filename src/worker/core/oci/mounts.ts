/** The mount table: what every container has, what the agent made, what the service asks; shallow paths first. */
import type { MountSpec } from "../../../api/index.js";
import type { ContainerRequest } from "../../engine/index.js";
import { type HostFacts, type OciMount, SpecError } from "./types.js";

const PROPAGATIONS = new Set(["private", "rprivate", "shared", "rshared", "slave", "rslave"]);

function systemMounts(): readonly OciMount[] {
  const mount = (destination: string, type: string, source: string, options: string): OciMount => ({
    destination,
    type,
    source,
    options: options.split(","),
  });
  return [
    mount("/proc", "proc", "proc", "nosuid,noexec,nodev"),
    mount("/dev", "tmpfs", "tmpfs", "nosuid,strictatime,mode=755,size=65536k"),
    mount(
      "/dev/pts",
      "devpts",
      "devpts",
      "nosuid,noexec,newinstance,ptmxmode=0666,mode=0620,gid=5",
    ),
    mount("/sys", "sysfs", "sysfs", "nosuid,noexec,nodev,ro"),
    mount("/sys/fs/cgroup", "cgroup", "cgroup", "ro,nosuid,noexec,nodev"),
    mount("/dev/mqueue", "mqueue", "mqueue", "nosuid,noexec,nodev"),
    mount("/dev/shm", "tmpfs", "shm", "nosuid,noexec,nodev,mode=1777,size=67108864"),
  ];
}

export const INIT_TARGET = "/sbin/docker-init";

/** All mounts in the order runc must make them. A user's mount replaces ours at the same place; two of his there are an error. */
export function resolveMounts(request: ContainerRequest, host: HostFacts): readonly OciMount[] {
  const spec = request.spec;
  const own = (spec.Mounts ?? [])
    .filter((mount) => mount.Type !== "volume") // The agent made these: they come as extraMounts.
    .map((mount) => userMount(mount, host));
  const extra = request.extraMounts.map(
    (mount): OciMount => bind(mount.source, mount.target, mount.isReadOnly ? ["ro"] : ["rw"]),
  );
  const asked = [...own, ...extra];
  const seen = new Set<string>();
  for (const { destination } of asked) {
    if (seen.has(destination)) throw new SpecError(`Duplicate mount point: ${destination}`);
    seen.add(destination);
  }
  const files = (
    [
      ["/etc/hosts", request.hostsPath],
      ["/etc/hostname", request.hostnamePath],
      ["/etc/resolv.conf", request.resolvConfPath],
    ] as const
  ).flatMap(([target, source]) => (source === "" ? [] : [bind(source, target, ["rw"])]));
  const init =
    spec.Init === true && host.initPath !== undefined
      ? [bind(host.initPath, INIT_TARGET, ["ro"])]
      : [];
  const base = [...systemMounts(), ...files, ...init].filter(
    ({ destination }) => !seen.has(destination),
  );
  return [...base, ...asked].sort((a, b) => depth(a.destination) - depth(b.destination));
}

function userMount(mount: MountSpec, host: HostFacts): OciMount {
  const target = cleanTarget(mount.Target);
  switch (mount.Type) {
    case "bind":
      return bindMount(mount, target, host);
    case "tmpfs":
      return { destination: target, type: "tmpfs", source: "tmpfs", options: tmpfsOptions(mount) };
    default:
      throw new SpecError(
        `ContainerSpec.Mounts: ${target}: type "${mount.Type}" is not possible on this node; use bind, volume or tmpfs`,
      );
  }
}

function bindMount(mount: MountSpec, target: string, host: HostFacts): OciMount {
  const source = mount.Source ?? "";
  const at = `invalid mount config for type "bind": ${target}`;
  if (!source.startsWith("/")) throw new SpecError(`${at}: source "${source}" must be absolute`);
  const options = mount.BindOptions ?? {};
  const propagation = options.Propagation || "rprivate";
  if (!PROPAGATIONS.has(propagation))
    throw new SpecError(`${at}: invalid propagation mode "${propagation}"`);
  const kernelCan = host.kernel.major > 5 || (host.kernel.major === 5 && host.kernel.minor >= 12);
  if (options.ReadOnlyForceRecursive === true && !(mount.ReadOnly === true && kernelCan))
    throw new SpecError(
      `${at}: ReadOnlyForceRecursive needs ReadOnly and a kernel of 5.12 or later`,
    );
  const isRecursive = options.NonRecursive !== true;
  const isDeepReadOnly = isRecursive && options.ReadOnlyNonRecursive !== true && kernelCan;
  const access = mount.ReadOnly === true ? (isDeepReadOnly ? ["ro", "rro"] : ["ro"]) : ["rw"];
  return {
    destination: target,
    type: "bind",
    source,
    options: [isRecursive ? "rbind" : "bind", ...access, propagation],
  };
}

function bind(source: string, destination: string, access: readonly string[]): OciMount {
  return { destination, type: "bind", source, options: ["rbind", ...access, "rprivate"] };
}

const TMPFS_FLAGS = new Set(["exec", "noexec"]);

function tmpfsOptions(mount: MountSpec): readonly string[] {
  const asked = mount.TmpfsOptions ?? {};
  const flags = (asked.Options ?? []).map((option) => {
    const text = option.join("=");
    if (!TMPFS_FLAGS.has(text))
      throw new SpecError(
        `ContainerSpec.Mounts: ${mount.Target}: tmpfs option "${text}" not allowed`,
      );
    return text;
  });
  return [
    flags.at(-1) ?? "noexec",
    "nosuid",
    "nodev",
    "rprivate",
    ...(mount.ReadOnly === true ? ["ro"] : []),
    ...(asked.SizeBytes === undefined || asked.SizeBytes === 0 ? [] : [`size=${asked.SizeBytes}`]),
    ...(asked.Mode === undefined || asked.Mode === 0 ? [] : [`mode=${asked.Mode.toString(8)}`]),
  ];
}

/** Absolute, without `.`, `..` and doubled slashes: so that two spellings of one place are seen as one. */
function cleanTarget(target: string): string {
  if (!target.startsWith("/"))
    throw new SpecError(`ContainerSpec.Mounts: target "${target}" must be an absolute path`);
  const parts: string[] = [];
  for (const part of target.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  if (parts.length === 0)
    throw new SpecError("ContainerSpec.Mounts: the target cannot be the root directory");
  return `/${parts.join("/")}`;
}

function depth(path: string): number {
  return path.split("/").length;
}
