/** What differs between two documents, field by field, for people who look before they leap. */
import { canonicalJson } from "../../api/index.js";

/** `path` names the field (`TaskTemplate.ContainerSpec.Env[]` for one entry of a list); undefined = absent. */
export type FieldChange = { readonly path: string; readonly old: unknown; readonly next: unknown };

/** In the order of paths. Lists are compared as bags of entries; one that only changed its order is told as a whole. */
export function diffFields(old: unknown, next: unknown, path = ""): readonly FieldChange[] {
  if (same(old, next)) return [];
  if (Array.isArray(old ?? next) && Array.isArray(next ?? old))
    return diffLists((old ?? []) as readonly unknown[], (next ?? []) as readonly unknown[], path);
  if (!isObject(old ?? next) || !isObject(next ?? old)) return [{ path, old, next }];
  const before = (old ?? {}) as Readonly<Record<string, unknown>>;
  const after = (next ?? {}) as Readonly<Record<string, unknown>>;
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  // An object that says nothing by itself, appearing or going, is a change all the same (Mode.Global).
  if (keys.length === 0) return [{ path, old, next }];
  return keys.flatMap((key) =>
    diffFields(own(before, key), own(after, key), path === "" ? key : `${path}.${key}`),
  );
}

function diffLists(
  old: readonly unknown[],
  next: readonly unknown[],
  path: string,
): readonly FieldChange[] {
  const gone = without(old, next);
  const added = without(next, old);
  if (gone.length === 0 && added.length === 0) return [{ path, old, next }];
  return [
    ...gone.map((entry) => ({ path: `${path}[]`, old: entry, next: undefined })),
    ...added.map((entry) => ({ path: `${path}[]`, old: undefined, next: entry })),
  ];
}

/** Entries of `list` beyond those that `other` has too. */
function without(list: readonly unknown[], other: readonly unknown[]): unknown[] {
  const left = other.map(text);
  return list.filter((entry) => {
    const at = left.indexOf(text(entry));
    if (at < 0) return true;
    left.splice(at, 1);
    return false;
  });
}

function own(object: Readonly<Record<string, unknown>>, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

function same(a: unknown, b: unknown): boolean {
  return a === b || (a !== undefined && b !== undefined && text(a) === text(b));
}

function text(value: unknown): string {
  return typeof value === "object" && value !== null ? canonicalJson(value) : JSON.stringify(value);
}

function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
