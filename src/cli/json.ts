/** JSON documents that are edited in place: specs as the API gives and takes them. */
export type JsonObject = { [key: string]: unknown };

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The object at `path`, made where it is absent. */
export function objectAt(root: JsonObject, ...path: readonly string[]): JsonObject {
  let here = root;
  for (const key of path) {
    const next = here[key];
    if (isObject(next)) here = next;
    else {
      const made: JsonObject = {};
      here[key] = made;
      here = made;
    }
  }
  return here;
}

/** The list at `key`, copied; [] when absent. */
export function listAt(object: JsonObject, key: string): unknown[] {
  const value = object[key];
  return Array.isArray(value) ? [...value] : [];
}

export function stringsAt(object: JsonObject, key: string): string[] {
  return listAt(object, key).map(String);
}
