/** What differs between two specs of a service, in few words. */
import { isObject, type JsonObject } from "./json.js";

/** Names of what people change most; other paths are shown as they are. */
const SHORT: Readonly<Record<string, string>> = {
  "TaskTemplate.ContainerSpec.Image": "image",
  "Mode.Replicated.Replicas": "replicas",
  "TaskTemplate.ForceUpdate": "forced",
};
const PREFIXES = ["TaskTemplate.ContainerSpec.", "TaskTemplate."];
const VALUE_LENGTH_MAX = 40;

/** One text per changed path, such as "image a:1 → a:2", "Labels.x added". Empty: nothing differs. */
export function specChanges(before: unknown, after: unknown, path = ""): readonly string[] {
  if (isObject(before) && isObject(after)) {
    const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
    return names.flatMap((name) =>
      specChanges(before[name], after[name], path === "" ? name : `${path}.${name}`),
    );
  }
  if (JSON.stringify(sorted(before)) === JSON.stringify(sorted(after))) return [];
  const name = shortName(path);
  if (before === undefined) return [`${name} added`];
  if (after === undefined) return [`${name} removed`];
  if (!isPlain(before) || !isPlain(after)) return [`${name} changed`];
  return [`${name} ${text(before)} → ${text(after)}`];
}

function shortName(path: string): string {
  const known = SHORT[path];
  if (known !== undefined) return known;
  const prefix = PREFIXES.find((each) => path.startsWith(each)) ?? "";
  return path.slice(prefix.length);
}

function isPlain(value: unknown): boolean {
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean";
}

function text(value: unknown): string {
  const whole = String(value).replace(/@sha256:[0-9a-f]+$/, "");
  return whole.length > VALUE_LENGTH_MAX ? `${whole.slice(0, VALUE_LENGTH_MAX - 1)}…` : whole;
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isObject(value)) return value;
  const copy: JsonObject = {};
  for (const key of Object.keys(value).sort()) copy[key] = sorted(value[key]);
  return copy;
}
