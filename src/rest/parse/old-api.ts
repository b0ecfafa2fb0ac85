/** Fields that a client of an older API version does not know: dropped from what it sends, as the Engine does (spec §2.1). */
import { versionNumber } from "../api-version.js";
import { isObject } from "./decoder.js";

/** A path through a body; `*` stands for every element of an array. */
type Drop = { readonly since: string; readonly path: readonly string[] };

const CONTAINER = ["TaskTemplate", "ContainerSpec"];

export const SERVICE_SPEC_DROPS: readonly Drop[] = [
  { since: "1.40", path: [...CONTAINER, "Sysctls"] },
  { since: "1.40", path: ["TaskTemplate", "Placement", "MaxReplicas"] },
  { since: "1.40", path: [...CONTAINER, "Configs", "*", "Runtime"] },
  { since: "1.40", path: [...CONTAINER, "Privileges", "CredentialSpec", "Config"] },
  { since: "1.41", path: ["Mode", "ReplicatedJob"] },
  { since: "1.41", path: ["Mode", "GlobalJob"] },
  { since: "1.41", path: [...CONTAINER, "CapabilityAdd"] },
  { since: "1.41", path: [...CONTAINER, "CapabilityDrop"] },
  { since: "1.41", path: [...CONTAINER, "Ulimits"] },
  { since: "1.41", path: ["TaskTemplate", "Resources", "Limits", "Pids"] },
  { since: "1.44", path: [...CONTAINER, "Privileges", "Seccomp"] },
  { since: "1.44", path: [...CONTAINER, "Privileges", "AppArmor"] },
  { since: "1.44", path: [...CONTAINER, "Privileges", "NoNewPrivileges"] },
  { since: "1.44", path: [...CONTAINER, "Healthcheck", "StartInterval"] },
  { since: "1.46", path: [...CONTAINER, "OomScoreAdj"] },
  { since: "1.46", path: [...CONTAINER, "Mounts", "*", "TmpfsOptions", "Options"] },
  { since: "1.52", path: ["TaskTemplate", "Resources", "SwapBytes"] },
  { since: "1.52", path: ["TaskTemplate", "Resources", "MemorySwappiness"] },
];

export const INIT_DROPS: readonly Drop[] = [
  { since: "1.39", path: ["DefaultAddrPool"] },
  { since: "1.39", path: ["SubnetSize"] },
  { since: "1.40", path: ["DataPathPort"] },
];

/** The body without the fields that came after `version`. The body itself is not changed. */
export function dropNewerFields(body: unknown, version: string, drops: readonly Drop[]): unknown {
  const asked = versionNumber(version);
  return drops
    .filter((drop) => versionNumber(drop.since) > asked)
    .reduce((rest, drop) => without(rest, drop.path), body);
}

function without(value: unknown, path: readonly string[]): unknown {
  const [head, ...tail] = path;
  if (head === undefined) return value;
  if (head === "*") {
    return Array.isArray(value) ? value.map((item: unknown) => without(item, tail)) : value;
  }
  if (!isObject(value) || !Object.hasOwn(value, head)) return value;
  const { [head]: inner, ...rest } = value;
  return tail.length === 0 ? rest : { ...rest, [head]: without(inner, tail) };
}
