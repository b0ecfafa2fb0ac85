/** The fields in which two versions of an object differ, as texts and within bounds. */
import { isShown } from "./shown-fields.js";

/** Changed fields kept of one entry. */
export const FIELDS_MAX = 32;
/** Characters kept of one value, and of one field's path. */
export const VALUE_LENGTH_MAX = 256;
export const PATH_LENGTH_MAX = 128;
/** Deeper values are compared and shown as one. */
const DEPTH_MAX = 8;
/** Stands for a value that may be secret or is of no use to a reader: only that it is set, or changed, is told. */
export const HIDDEN = "(hidden)";

export type Diff = {
  readonly old: Record<string, string>;
  readonly new: Record<string, string>;
  readonly moreFields: number;
};

type Json = Readonly<Record<string, unknown>>;

/** Compares by fields, in the order of their names; lists as one value each, but for `KEY=value` lists, by key. */
export class FieldDiff implements Diff {
  readonly old: Record<string, string> = {};
  readonly new: Record<string, string> = {};
  moreFields = 0;
  #count = 0;

  /** `path` names the value; "" for the object itself. Values shared by reference are equal without a look. */
  compare(path: string, before: unknown, after: unknown, depth = 0): void {
    if (before === after) return;
    const isBranch = isObject(before) || isObject(after);
    if (isBranch && isLeafOrObject(before) && isLeafOrObject(after) && depth < DEPTH_MAX) {
      this.#compareFields(path, membersOf(before), membersOf(after), depth);
      return;
    }
    if (path.endsWith("Env") && isTextList(before) && isTextList(after)) {
      this.#compareFields(path, byKey(before), byKey(after), depth);
      return;
    }
    if (textOf(before) === textOf(after)) return;
    const shown = isShown(fieldOf(path));
    const members = typeof shown === "boolean" ? undefined : shown;
    this.changed(path, textOf(before, members), textOf(after, members));
  }

  /** Notes one changed field. `undefined`: absent. */
  changed(path: string, before: string | undefined, after: string | undefined): void {
    if (this.#count >= FIELDS_MAX) {
      this.moreFields++;
      return;
    }
    this.#count++;
    const key = path.slice(0, PATH_LENGTH_MAX);
    const isHidden = isShown(fieldOf(path)) === false;
    if (before !== undefined) this.old[key] = isHidden ? HIDDEN : cut(before);
    if (after !== undefined) this.new[key] = isHidden ? HIDDEN : cut(after);
  }

  #compareFields(path: string, before: Json, after: Json, depth: number): void {
    const names = new Set([...Object.keys(before), ...Object.keys(after)]);
    for (const name of [...names].sort()) {
      const inner = path === "" ? name : `${path}.${name}`;
      this.compare(inner, before[name], after[name], depth + 1);
    }
  }
}

/** Label and variable names are the user's: the field they belong to decides. */
function fieldOf(path: string): string {
  const at = path.search(/(^|\.)(Labels|Env|Options|Sysctls|DriverOpts)\./);
  return at === -1 ? path : `${path.slice(0, path.indexOf(".", at + 1))}.*`;
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** An absent object is compared field by field too: what was in it is what went away. */
function isLeafOrObject(value: unknown): boolean {
  return value === undefined || isObject(value);
}

function membersOf(value: unknown): Json {
  return isObject(value) ? value : {};
}

function isTextList(value: unknown): value is readonly string[] | undefined {
  return value === undefined || (Array.isArray(value) && value.every((v) => typeof v === "string"));
}

function byKey(list: readonly string[] | undefined): Json {
  return Object.fromEntries(
    (list ?? []).map((item) => {
      const at = item.indexOf("=");
      return at === -1 ? [item, ""] : [item.slice(0, at), item.slice(at + 1)];
    }),
  );
}

/** `members`: of the objects in it only these are told. */
function textOf(value: unknown, members?: readonly string[]): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === "string") return value;
  return members === undefined ? JSON.stringify(value) : JSON.stringify(value, [...members]);
}

/** Cut between characters, never within a surrogate pair. */
export function cut(text: string, lengthMax = VALUE_LENGTH_MAX): string {
  if (text.length <= lengthMax) return text;
  const last = text.charCodeAt(lengthMax - 2);
  const isHalf = last >= 0xd800 && last < 0xdc00;
  return `${text.slice(0, lengthMax - (isHalf ? 2 : 1))}…`;
}
