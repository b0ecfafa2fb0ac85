import { CodecError } from "./codec-error.js";

/** Nesting a document may have; specs need about ten levels. */
const DEPTH_MAX = 64;

/**
 * The one text of a JSON value: keys sorted by code unit, no blanks, absent (`undefined`) members left out. Equal values have
 * equal texts, so texts can be compared and used as keys. Throws CodecError MALFORMED for what JSON cannot carry.
 */
export function canonicalJson(value: unknown): string {
  return write(value, 0);
}

function write(value: unknown, depth: number): string {
  if (depth > DEPTH_MAX)
    throw new CodecError("OUT_OF_RANGE", `JSON is nested more than ${DEPTH_MAX} levels deep`);
  switch (typeof value) {
    case "string":
    case "boolean":
      return JSON.stringify(value);
    case "number":
      if (!Number.isFinite(value)) throw new CodecError("MALFORMED", `JSON has no ${value}`);
      return JSON.stringify(value);
    case "object": {
      if (value === null) return "null";
      if (Array.isArray(value)) return `[${value.map((item) => write(item, depth + 1)).join(",")}]`;
      return writeMembers(value, depth);
    }
    default:
      throw new CodecError("MALFORMED", `JSON has no ${typeof value}`);
  }
}

function writeMembers(value: object, depth: number): string {
  // Any object is read as one of unknown members; sort() without a comparison is by code unit.
  const members = value as Readonly<Record<string, unknown>>;
  let text = "{";
  for (const key of Object.keys(value).sort()) {
    const member = members[key];
    if (member === undefined) continue;
    text += `${text === "{" ? "" : ","}${JSON.stringify(key)}:${write(member, depth + 1)}`;
  }
  return `${text}}`;
}
