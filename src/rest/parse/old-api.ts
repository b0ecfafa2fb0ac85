/** Fields that a client of an older API version does not know: dropped from what it sends, as the Engine does (spec §2.1). */
import { versionNumber } from "../api-version.js";
import { isObject } from "./decoder.js";

/** A path through a body; `*` stands for every element of an array. */
type Drop = { readonly since: number; readonly path: readonly string[] };

const CONTAINER = ["TaskTemplate", "ContainerSpec"];

export const SERVICE_SPEC_DROPS: readonly Drop[] = [
  { since: versionNumber("1.40"), path: [...CONTAINER, "Sysctls"] },
  { since: versionNumber("1.40"), path: ["TaskTemplate", "Placement", "MaxReplicas"] },
  { since: versionNumber("1.40"), path: [...CONTAINER, "Configs", "*", "Runtime"] },
  { since: versionNumber("1.40"), path: [...CONTAINER, "Privileges", "CredentialSpec", "Config"] },
  { since: versionNumber("1.41"), path: ["Mode", "ReplicatedJob"] },
  { since: versionNumber("1.41"), path: ["Mode", "GlobalJob"] },
  { since: versionNumber("1.41"), path: [...CONTAINER, "CapabilityAdd"] },
  { since: versionNumber("1.41"), path: [...CONTAINER, "CapabilityDrop"] },
  { since: versionNumber("1.41"), path: [...CONTAINER, "Ulimits"] },
  { since: versionNumber("1.41"), path: ["TaskTemplate", "Resources", "Limits", "Pids"] },
  { since: versionNumber("1.44"), path: [...CONTAINER, "Privileges", "Seccomp"] },
  { since: versionNumber("1.44"), path: [...CONTAINER, "Privileges", "AppArmor"] },
  { since: versionNumber("1.44"), path: [...CONTAINER, "Privileges", "NoNewPrivileges"] },
  { since: versionNumber("1.44"), path: [...CONTAINER, "Healthcheck", "StartInterval"] },
  { since: versionNumber("1.46"), path: [...CONTAINER, "OomScoreAdj"] },
  { since: versionNumber("1.46"), path: [...CONTAINER, "Mounts", "*", "TmpfsOptions", "Options"] },
  { since: versionNumber("1.52"), path: ["TaskTemplate", "Resources", "SwapBytes"] },
  { since: versionNumber("1.52"), path: ["TaskTemplate", "Resources", "MemorySwappiness"] },
];

export const INIT_DROPS: readonly Drop[] = [
  { since: versionNumber("1.39"), path: ["DefaultAddrPool"] },
  { since: versionNumber("1.39"), path: ["SubnetSize"] },
  { since: versionNumber("1.40"), path: ["DataPathPort"] },
];

export const NETWORK_DROPS: readonly Drop[] = [
  { since: versionNumber("1.48"), path: ["EnableIPv4"] },
];

/** The body without the fields that came after `version`. The body itself is not changed. */
export function dropNewerFields(body: unknown, version: string, drops: readonly Drop[]): unknown {
  const asked = versionNumber(version);
  return drops
    .filter((drop) => drop.since > asked)
    .reduce((rest, drop) => without(rest, drop.path), body);
}

/** The value itself where there is nothing to drop. `at`: where in the path it is. */
function without(value: unknown, path: readonly string[], at = 0): unknown {
  const head = path[at];
  if (head === undefined) return value;
  if (head === "*") {
    if (!Array.isArray(value)) return value;
    const items = value.map((item: unknown) => without(item, path, at + 1));
    return items.every((item, i) => item === value[i]) ? value : items;
  }
  if (!isObject(value) || !Object.hasOwn(value, head)) return value;
  const kept = at + 1 < path.length ? without(value[head], path, at + 1) : undefined;
  if (kept !== undefined && kept === value[head]) return value;
  const { [head]: _inner, ...rest } = value;
  return at + 1 < path.length ? { ...rest, [head]: kept } : rest;
}
