import type { ContainerSpec } from "../../../api/index.js";
import { type Rlimit, SpecError } from "./types.js";

const NAMES = new Set([
  "as",
  "core",
  "cpu",
  "data",
  "fsize",
  "locks",
  "memlock",
  "msgqueue",
  "nice",
  "nofile",
  "nproc",
  "rss",
  "rtprio",
  "rttime",
  "sigpending",
  "stack",
]);
const UNLIMITED = 2n ** 64n - 1n;

/** `Ulimits` as rlimits; −1 means unlimited. A hard limit of 0 with a soft one above it takes the soft one, as Docker does. */
export function resolveRlimits(ulimits: ContainerSpec["Ulimits"]): readonly Rlimit[] {
  return (ulimits ?? []).map(({ Name, Soft, Hard }) => {
    const name = Name.toLowerCase();
    if (!NAMES.has(name)) throw new SpecError(`ContainerSpec.Ulimits: unknown limit "${Name}"`);
    const soft = toLimit(Soft);
    const hard = Hard === 0 ? soft : toLimit(Hard);
    if (BigInt(soft) > BigInt(hard)) {
      throw new SpecError(
        `ContainerSpec.Ulimits: ${Name}: soft limit ${Soft} is above hard limit ${Hard}`,
      );
    }
    return { type: `RLIMIT_${name.toUpperCase()}`, soft, hard };
  });
}

function toLimit(value: number): number | bigint {
  return value < 0 ? UNLIMITED : value;
}
