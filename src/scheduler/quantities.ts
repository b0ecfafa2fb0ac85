/** Amounts as operators read and type them. */
import type { GenericResource } from "../api/index.js";

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"] as const;

/** `1.2GiB`: 1024-based, at most one digit behind the point, rounded down so that "free" is never too much. */
export function bytesText(bytes: number): string {
  const [value, power] = scaled(bytes);
  return `${value}${UNITS[power] ?? ""}`;
}

/** The same as a flag takes it: `1.2g`. */
export function bytesFlag(bytes: number): string {
  const [value, power] = scaled(bytes);
  return `${value}${"bkmgtp"[power] ?? ""}`;
}

function scaled(bytes: number): readonly [value: number, power: number] {
  let power = 0;
  let unit = 1;
  while (Math.abs(bytes) >= unit * 1024 && power < UNITS.length - 1) {
    unit *= 1024;
    power++;
  }
  return [Math.floor((bytes / unit) * 10) / 10, power];
}

/** `0.5`: CPUs, at most three digits behind the point. */
export function cpuText(nano: number): string {
  return String(Math.floor(nano / 1e6) / 1000);
}

/** `2 gpu` or `gpu UUID1`. */
export function amountText(resource: GenericResource): string {
  if ("DiscreteResourceSpec" in resource)
    return `${resource.DiscreteResourceSpec.Value} ${resource.DiscreteResourceSpec.Kind}`;
  return `${resource.NamedResourceSpec.Kind} ${resource.NamedResourceSpec.Value}`;
}
