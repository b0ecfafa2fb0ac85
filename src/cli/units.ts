/** Words that operators type and read: durations, sizes, counts. */

const DURATION_NS: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3_600e9,
};

export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** `1m30s`, `250ms`, `1.5h` → nanoseconds. */
export function parseDuration(text: string): number {
  if (text === "0") return 0;
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g)];
  if (parts.length === 0 || parts.map((part) => part[0]).join("") !== text) {
    throw new UsageError(`"${text}" is not a duration: write it like 10s, 1m30s or 250ms`);
  }
  return Math.round(
    parts.reduce(
      (sum, [, number, unit]) => sum + Number(number) * (DURATION_NS[unit ?? ""] ?? 0),
      0,
    ),
  );
}

/** `512m`, `1.5g`, `4096` → bytes (1024-based, as docker does). */
export function parseBytes(text: string): number {
  const match = /^(\d+(?:\.\d+)?)([bkmgt]?)b?$/i.exec(text);
  if (match === null) throw new UsageError(`"${text}" is not a size: write it like 512m or 2g`);
  const power = "bkmgt".indexOf((match[2] || "b").toLowerCase());
  return Math.round(Number(match[1]) * 1024 ** power);
}

/** `0.5` CPUs → 1e-9 CPUs. */
export function parseCpus(text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value < 0)
    throw new UsageError(`"${text}" is not a number of CPUs`);
  return Math.round(value * 1e9);
}

export function parseCount(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isInteger(value) || value < 0) {
    throw new UsageError(`"${text}" is not a whole number, 0 or more`);
  }
  return value;
}

export function parseRatio(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || Number.isNaN(value)) throw new UsageError(`"${text}" is not a number`);
  return value;
}

export function oneOf(...values: readonly string[]): (text: string) => string {
  return (text) => {
    if (!values.includes(text))
      throw new UsageError(`"${text}" is not one of ${values.join(", ")}`);
    return text;
  };
}

const AGES = [
  [31_536_000, "year"],
  [2_592_000, "month"],
  [604_800, "week"],
  [86_400, "day"],
  [3_600, "hour"],
  [60, "minute"],
  [1, "second"],
] as const;

/** `3 minutes ago`, as docker words it. */
export function ago(sinceMs: number, nowMs: number): string {
  const sec = Math.max(0, (nowMs - sinceMs) / 1000);
  for (const [unitSec, name] of AGES) {
    const count = Math.floor(sec / unitSec);
    if (count >= 1) return `${count} ${name}${count === 1 ? "" : "s"} ago`;
  }
  return "less than a second ago";
}

export function formatBytes(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${value >= 100 || unit === 0 ? value.toFixed(0) : value.toPrecision(3)}${units[unit]}`;
}

/** `web-1` → `Web-1`: the API's lower-case states as tables show them. */
export function capitalise(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
