/** Rules of a container spec (spec §1.10). The walk over the field table has checked types and values of choice already. */
import { isIP } from "node:net";
import type { ContainerSpec, HealthcheckSpec, MountSpec } from "../../api/index.js";
import { doorError } from "../../base/index.js";
import { isImageReference } from "./image-reference.js";
import { invalid } from "./invalid.js";
import { templateFault } from "./template-check.js";

const HEALTH_TIME_MIN_NS = 1_000_000;
const HEALTH_TESTS: ReadonlySet<string> = new Set(["NONE", "CMD", "CMD-SHELL"]);
const SIGNAL = /^(?:(?:SIG)?[A-Za-z][A-Za-z0-9]*(?:[+-][0-9]+)?|[0-9]{1,3})$/;

export function checkContainer(spec: ContainerSpec): void {
  if (!spec.Image) throw invalid("ContainerSpec: image reference must be provided");
  if (!isImageReference(spec.Image))
    throw invalid(`ContainerSpec: "${spec.Image}" is not a valid repository/tag`);
  checkMounts(spec.Mounts ?? []);
  if (spec.Healthcheck) checkHealthcheck(spec.Healthcheck);
  if ((spec.StopGracePeriod ?? 0) < 0)
    throw invalid("ContainerSpec: StopGracePeriod cannot be negative");
  if (spec.StopSignal !== undefined && !SIGNAL.test(spec.StopSignal))
    throw invalid(
      `ContainerSpec: StopSignal "${spec.StopSignal}" is not a signal's name or number`,
    );
  if (Math.abs(spec.OomScoreAdj ?? 0) > 1000)
    throw invalid("ContainerSpec: OomScoreAdj must be from -1000 to 1000");
  for (const server of spec.DNSConfig?.Nameservers ?? [])
    if (isIP(server) === 0)
      throw invalid(`ContainerSpec: DNSConfig.Nameservers: "${server}" is not an IP address`);
  for (const limit of spec.Ulimits ?? [])
    if (limit.Name === "" || limit.Name === undefined)
      throw invalid("ContainerSpec: Ulimits: every limit needs a Name");
    else if (limit.Hard >= 0 && limit.Soft > limit.Hard)
      throw invalid(
        `ContainerSpec: Ulimits: soft limit of ${limit.Name} (${limit.Soft}) is above its hard limit (${limit.Hard})`,
      );
  checkTemplates(spec);
}

function checkMounts(mounts: readonly MountSpec[]): void {
  const targets = new Set<string>();
  for (const mount of mounts) {
    // Absent is not a choice the walk could have judged.
    if (mount.Type === undefined) throw doorError("InvalidArgument", 'invalid MountType: ""');
    const target = mount.Target ?? "";
    const at = `ContainerSpec: mount ${target || `of ${mount.Source ?? "nothing"}`}`;
    if (!isAbsolute(target)) throw invalid(`${at}: Target must be an absolute path`);
    if (targets.has(target)) throw invalid(`ContainerSpec: duplicate mount point: ${target}`);
    targets.add(target);
    const source = mount.Source ?? "";
    if (mount.Type === "bind" && !isAbsolute(source))
      throw invalid(`${at}: Source of a bind must be an absolute path, not "${source}"`);
    if (mount.Type === "volume" && source.startsWith("/"))
      throw invalid(`${at}: Source of a volume must be a name, not the path "${source}"`);
    if (mount.Type === "tmpfs" && source !== "")
      throw invalid(`${at}: a tmpfs has no Source, not "${source}"`);
    checkMountOptions(mount, at);
  }
}

/** A template may make the path: what it starts with is known on the node only. */
function isAbsolute(path: string): boolean {
  return path.startsWith("/") || path.startsWith("{{");
}

function checkMountOptions(mount: MountSpec, at: string): void {
  const options = {
    bind: mount.BindOptions,
    volume: mount.VolumeOptions,
    tmpfs: mount.TmpfsOptions,
  };
  const names = { bind: "BindOptions", volume: "VolumeOptions", tmpfs: "TmpfsOptions" } as const;
  for (const type of ["bind", "volume", "tmpfs"] as const) {
    const isMeant = Object.keys(options[type] ?? {}).length > 0;
    if (isMeant && type !== mount.Type)
      throw invalid(`${at}: ${names[type]} belong to a mount of type ${type}, not ${mount.Type}`);
  }
  if ((mount.TmpfsOptions?.SizeBytes ?? 0) < 0)
    throw invalid(`${at}: TmpfsOptions.SizeBytes cannot be negative`);
}

function checkHealthcheck(health: HealthcheckSpec): void {
  for (const field of ["Interval", "Timeout", "StartPeriod", "StartInterval"] as const) {
    const ns = health[field] ?? 0;
    if (ns !== 0 && ns < HEALTH_TIME_MIN_NS)
      throw invalid(`ContainerSpec: ${field} in HealthConfig cannot be less than 1ms`);
  }
  if ((health.Retries ?? 0) < 0)
    throw invalid("ContainerSpec: Retries in HealthConfig cannot be negative");
  const [kind] = health.Test ?? [];
  if (kind !== undefined && kind !== "" && !HEALTH_TESTS.has(kind))
    throw invalid(
      `ContainerSpec: Test in HealthConfig must begin with NONE, CMD or CMD-SHELL, not "${kind}"`,
    );
}

function checkTemplates(spec: ContainerSpec): void {
  const check = (field: string, text: string | undefined): void => {
    const fault = text === undefined ? undefined : templateFault(text);
    if (fault !== undefined) throw invalid(`ContainerSpec: ${field}: ${fault}`);
  };
  check("Hostname", spec.Hostname);
  for (const [i, text] of (spec.Env ?? []).entries()) check(`Env[${i}]`, text);
  for (const [i, mount] of (spec.Mounts ?? []).entries()) {
    check(`Mounts[${i}].Source`, mount.Source);
    check(`Mounts[${i}].Target`, mount.Target);
    for (const text of Object.values(mount.VolumeOptions?.Labels ?? {}))
      check(`Mounts[${i}].VolumeOptions.Labels`, text);
  }
}
