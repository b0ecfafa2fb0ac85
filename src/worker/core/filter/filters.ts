/** The Engine API's `filters` query: a JSON object of lists, or of sets in the older form. */

export class FilterError extends Error {
  override readonly name = "FilterError";
}

export type Filters = Readonly<Record<string, readonly string[]>>;

/** `allowed`: keys this list understands; another one is an error, as nothing may be ignored. */
export function parseFilters(text: string, allowed: ReadonlySet<string>): Filters {
  if (text === "") return {};
  let raw: unknown;
  try {
    raw = JSON.parse(text);
  } catch {
    throw new FilterError(`invalid filters: ${text.slice(0, 100)} is not JSON`);
  }
  if (typeof raw !== "object" || raw === null || Array.isArray(raw)) {
    throw new FilterError("invalid filters: not an object");
  }
  return Object.fromEntries(
    Object.entries(raw).map(([key, value]) => {
      if (!allowed.has(key)) throw new FilterError(`invalid filter '${key}'`);
      return [key, toValues(key, value)];
    }),
  );
}

function toValues(key: string, value: unknown): readonly string[] {
  const list: unknown[] = Array.isArray(value)
    ? value
    : typeof value === "object" && value !== null
      ? Object.entries(value).flatMap(([name, isOn]) => (isOn === true ? [name] : []))
      : [value];
  return list.map((item) => {
    if (typeof item !== "string") throw new FilterError(`invalid filter '${key}': not a text`);
    return item;
  });
}

/** Whether one of the values matches; no values match everything. */
export function matchesAny(
  values: readonly string[] | undefined,
  matches: (value: string) => boolean,
): boolean {
  return values === undefined || values.length === 0 || values.some(matches);
}

/** Label filters: `key` or `key=value`, all of them must hold. */
export function matchesLabels(
  wanted: readonly string[] | undefined,
  labels: Readonly<Record<string, string>>,
): boolean {
  return (wanted ?? []).every((entry) => {
    const at = entry.indexOf("=");
    if (at < 0) return Object.hasOwn(labels, entry);
    return labels[entry.slice(0, at)] === entry.slice(at + 1);
  });
}

/** Name filters are a part of the name; `^` and `$` tie it to the ends. Real patterns would let a client stall the node. */
export function matchesName(wanted: string, name: string): boolean {
  const start = wanted.startsWith("^");
  const end = wanted.endsWith("$");
  const text = wanted.slice(start ? 1 : 0, end ? -1 : undefined).replace(/^\//, "");
  if (start && end) return name === text;
  if (start) return name.startsWith(text);
  return end ? name.endsWith(text) : name.includes(text);
}

/** "1", "true" and the like, as the Engine reads flags. */
export function isTrue(text: string): boolean {
  return !["", "0", "no", "false", "none"].includes(text.trim().toLowerCase());
}
