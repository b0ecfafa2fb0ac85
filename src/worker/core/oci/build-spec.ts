import type { ContainerRequest, ImageConfig } from "../../engine/index.js";
import { resolveCapabilities } from "./capabilities.js";
import { resolveArgs, resolveCwd, resolveEnv } from "./image-config.js";
import { INIT_TARGET, resolveMounts } from "./mounts.js";
import { resolveResources } from "./resources.js";
import { resolveRlimits } from "./rlimits.js";
import { parseSeccompProfile, resolveSeccomp } from "./seccomp.js";
import { DEFAULT_SECCOMP_PROFILE } from "./seccomp-default.js";
import { resolveSysctls } from "./sysctls.js";
import {
  type HostFacts,
  type LinuxSeccomp,
  type OciProcess,
  type OciSpec,
  type ResolvedUser,
  SpecError,
} from "./types.js";

const MASKED_PATHS: readonly string[] = [
  "/proc/asound",
  "/proc/acpi",
  "/proc/interrupts",
  "/proc/kcore",
  "/proc/keys",
  "/proc/latency_stats",
  "/proc/timer_list",
  "/proc/timer_stats",
  "/proc/sched_debug",
  "/proc/scsi",
  "/sys/firmware",
  "/sys/devices/virtual/powercap",
];
const READONLY_PATHS: readonly string[] = [
  "/proc/bus",
  "/proc/fs",
  "/proc/irq",
  "/proc/sys",
  "/proc/sysrq-trigger",
];

/**
 * The runtime spec of one container: the same effect as a Docker host's defaults, changed only where the service asks.
 * Throws SpecError for what cannot run on this node; nothing asked for is left out silently.
 */
export function buildSpec(
  request: ContainerRequest,
  image: ImageConfig,
  user: ResolvedUser,
  host: HostFacts,
): OciSpec {
  const { spec } = request;
  refuseUnsupported(request);
  const capabilities = resolveCapabilities(
    spec.CapabilityAdd ?? [],
    spec.CapabilityDrop ?? [],
    host.lastCapability,
  );
  const seccomp = chooseSeccomp(request, capabilities, host);
  return {
    ociVersion: "1.0.2",
    process: buildProcess(request, image, user, host, capabilities),
    root: { path: "rootfs", readonly: spec.ReadOnly === true },
    hostname: request.hostname,
    mounts: resolveMounts(request, host),
    linux: {
      namespaces: [
        { type: "mount" },
        { type: "uts" },
        { type: "pid" },
        { type: "ipc" },
        ...(request.netnsPath === ""
          ? [{ type: "network" }]
          : [{ type: "network", path: request.netnsPath }]),
        // On v1 the cgroup mount already shows only the container's own subtree.
        ...(host.cgroupVersion === 2 ? [{ type: "cgroup" }] : []),
      ],
      cgroupsPath: `${request.cgroupParent.replace(/\/+$/, "")}/${request.id}`,
      maskedPaths: MASKED_PATHS,
      readonlyPaths: READONLY_PATHS,
      resources: resolveResources(request.resources, host),
      sysctl: resolveSysctls(spec.Sysctls ?? {}, request.isHostNetwork),
      ...(seccomp === undefined ? {} : { seccomp }),
    },
  };
}

function buildProcess(
  request: ContainerRequest,
  image: ImageConfig,
  user: ResolvedUser,
  host: HostFacts,
  capabilities: readonly string[],
): OciProcess {
  const { spec } = request;
  const args = resolveArgs(spec, image);
  // A process that is not root has none in effect, as after execve; the bounding set still serves file capabilities.
  const held = user.uid === 0 ? capabilities : [];
  const profile = chooseAppArmor(request, host);
  const score = spec.OomScoreAdj ?? 0;
  if (score < -1000 || score > 1000)
    throw new SpecError("ContainerSpec.OomScoreAdj: must be from -1000 to 1000");
  return {
    terminal: spec.TTY === true,
    user,
    args: spec.Init === true ? [initTarget(host), "--", ...args] : args,
    env: resolveEnv(spec, image, request.hostname),
    cwd: resolveCwd(spec, image),
    capabilities: {
      bounding: capabilities,
      effective: held,
      permitted: held,
      inheritable: [],
      ambient: [],
    },
    rlimits: resolveRlimits(spec.Ulimits),
    noNewPrivileges: spec.Privileges?.NoNewPrivileges === true,
    oomScoreAdj: score,
    ...(profile === undefined ? {} : { apparmorProfile: profile }),
  };
}

function initTarget(host: HostFacts): string {
  if (host.initPath !== undefined) return INIT_TARGET;
  throw new SpecError(
    "ContainerSpec.Init: this node has no init program; install docker-init, tini or catatonit on it, or leave Init out",
  );
}

function chooseSeccomp(
  request: ContainerRequest,
  capabilities: readonly string[],
  host: HostFacts,
): LinuxSeccomp | undefined {
  const asked = request.spec.Privileges?.Seccomp;
  const facts = { architecture: host.architecture, kernel: host.kernel, capabilities };
  switch (asked?.Mode) {
    case undefined:
    case "default":
      return resolveSeccomp(DEFAULT_SECCOMP_PROFILE, facts);
    case "unconfined":
      return undefined;
    case "custom":
      return resolveSeccomp(parseSeccompProfile(asked.Profile ?? ""), facts);
    default:
      throw new SpecError(`ContainerSpec.Privileges.Seccomp.Mode: unknown mode`);
  }
}

/** Where AppArmor is off there is nothing to confine with, as on Docker; where it is on, an explicit wish must hold. */
function chooseAppArmor(request: ContainerRequest, host: HostFacts): string | undefined {
  const mode = request.spec.Privileges?.AppArmor?.Mode;
  if (host.appArmor === undefined) return undefined;
  if (mode === "disabled") return "unconfined";
  if (mode === "default" && host.appArmor.profile === undefined) {
    throw new SpecError(
      "ContainerSpec.Privileges.AppArmor: the profile docker-default is not loaded on this node; load it with apparmor_parser",
    );
  }
  return host.appArmor.profile;
}

function refuseUnsupported({ spec }: ContainerRequest): void {
  const refuse = (field: string, why: string): never => {
    throw new SpecError(`ContainerSpec.${field}: ${why}`);
  };
  if (spec.Isolation !== undefined && !["", "default"].includes(spec.Isolation.toLowerCase()))
    refuse("Isolation", `"${spec.Isolation}" exists on Windows only; leave it out`);
  if (spec.Privileges?.CredentialSpec !== undefined && spec.Privileges.CredentialSpec !== null)
    refuse("Privileges.CredentialSpec", "exists on Windows only; leave it out");
  const selinux = spec.Privileges?.SELinuxContext;
  if (selinux === undefined || selinux === null) return;
  const isOff = typeof selinux === "object" && "Disable" in selinux && selinux.Disable === true;
  const hasLabels =
    typeof selinux === "object" &&
    Object.entries(selinux).some(([key, value]) => key !== "Disable" && value !== "");
  if (!isOff && hasLabels)
    refuse("Privileges.SELinuxContext", "SELinux labels are not supported; leave the field out");
}
