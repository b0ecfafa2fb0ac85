/**
 * A small language for the fields of a spec: what type each has, what an absent one becomes, and whether this version
 * enforces it. One walk over the table type-checks a spec, drops what nobody knows (as the Engine does) and what says nothing, fills in
 * what the API requires, and refuses by name what is not built yet (contracts §9).
 */
import { ApiError, doorError, unreachable } from "../../base/index.js";

/** What can be built later without a change of this table: each names the fields and values it enables. */
export type Capability =
  | "encryption"
  | "globalMode"
  | "jobs"
  | "ingress"
  | "overlay"
  | "rollbackOnFailure";

/** "enforced", never, or once the manager has the capability. */
export type Support = "enforced" | "refused" | Capability;

type Common = { readonly support: Support };
export type Field =
  | (Common & { readonly kind: "text"; readonly fill?: string })
  | (Common & {
      readonly kind: "choice";
      readonly allowed: readonly string[];
      /** Values of the API that are not enforced (yet); "*" = every other one. */
      readonly notYet: Readonly<Record<string, Support>>;
      readonly fill?: string;
      readonly unknown: (value: string) => string;
    })
  | (Common & {
      readonly kind: "int" | "number";
      readonly min: number;
      /** Pointers of the Engine's API: 0 is a value. Otherwise 0 says nothing and is dropped. */
      readonly keepsZero: boolean;
      readonly fill?: number;
    })
  | (Common & { readonly kind: "bool"; readonly keepsZero: boolean })
  | (Common & { readonly kind: "texts" })
  | (Common & { readonly kind: "textMap"; readonly fill?: Readonly<Record<string, string>> })
  | (Common & { readonly kind: "list"; readonly item: Struct })
  /** Lists of lists of texts (tmpfs options). */
  | (Common & { readonly kind: "textLists" })
  | Struct
  /** Of a field that is refused anyway, the type does not matter. */
  | (Common & { readonly kind: "any" });
export type Struct = Common & {
  readonly kind: "struct";
  readonly fields: Readonly<Record<string, Field>>;
  /** Present means meant, even when empty (service modes). */
  readonly countsWhenEmpty: boolean;
};

const ENFORCED = { support: "enforced" } as const;

export function text(options: { readonly fill?: string } = {}): Field {
  return { kind: "text", ...ENFORCED, ...options };
}
export function choice(
  allowed: readonly string[],
  unknown: (value: string) => string,
  options: { readonly notYet?: Readonly<Record<string, Support>>; readonly fill?: string } = {},
): Field {
  return { kind: "choice", ...ENFORCED, allowed, unknown, notYet: {}, ...options };
}
type NumberOptions = {
  readonly min?: number;
  readonly keepsZero?: boolean;
  readonly fill?: number;
};
export function int(options: NumberOptions = {}): Field {
  return { kind: "int", ...ENFORCED, min: Number.NEGATIVE_INFINITY, keepsZero: false, ...options };
}
/** The Engine's unsigned numbers: a negative one is no number at all. */
export function uint(options: NumberOptions = {}): Field {
  return int({ min: 0, ...options });
}
export function number(options: NumberOptions = {}): Field {
  const base = { min: Number.NEGATIVE_INFINITY, keepsZero: false };
  return { kind: "number", ...ENFORCED, ...base, ...options };
}
export function bool(options: { readonly keepsZero?: boolean } = {}): Field {
  return { kind: "bool", ...ENFORCED, keepsZero: false, ...options };
}
export const texts: Field = { kind: "texts", ...ENFORCED };
export const textLists: Field = { kind: "textLists", ...ENFORCED };
export function textMap(options: { readonly fill?: Readonly<Record<string, string>> } = {}): Field {
  return { kind: "textMap", ...ENFORCED, ...options };
}
export function list(fields: Readonly<Record<string, Field>>): Field {
  return { kind: "list", ...ENFORCED, item: struct(fields) };
}
export function struct(fields: Readonly<Record<string, Field>>): Struct {
  return { kind: "struct", ...ENFORCED, fields, countsWhenEmpty: false };
}
export const refused: Field = { kind: "any", support: "refused" };
export function refusedUnless(capability: Capability, field: Struct): Struct {
  return { ...field, support: capability, countsWhenEmpty: true };
}

export type WalkContext = {
  /** "service create": begins every message. */
  readonly operation: string;
  readonly capabilities: ReadonlySet<Capability>;
};

type Json = Readonly<Record<string, unknown>>;

/** Walks one struct. Absent members stay absent but for fill-ins. Throws ApiError. */
export function walkStruct(
  struct: Struct,
  value: unknown,
  path: string,
  context: WalkContext,
): Json {
  if (!isObject(value)) throw typeError(path === "" ? "spec" : path, "an object", context);
  const members: Record<string, unknown> = {};
  for (const name of Object.keys(struct.fields)) {
    const field = struct.fields[name];
    if (field === undefined) continue;
    const member = Object.hasOwn(value, name) ? value[name] : undefined;
    // Most fields of most specs: whatever the type, an absent one is what it is filled in with.
    if (member === undefined && !("fill" in field)) continue;
    const walked = walk(field, member, path === "" ? name : `${path}.${name}`, context);
    if (walked !== undefined) members[name] = walked;
  }
  return members;
}

function walk(field: Field, given: unknown, path: string, context: WalkContext): unknown {
  const value = given === null ? undefined : given;
  if (!isSupported(field.support, context)) {
    const isMeant =
      field.kind === "struct" && field.countsWhenEmpty ? value !== undefined : saysSomething(value);
    if (isMeant) throw notSupported(path, context);
    return undefined;
  }
  switch (field.kind) {
    case "text": {
      if (value !== undefined && typeof value !== "string")
        throw typeError(path, "a text", context);
      return value || field.fill;
    }
    case "choice":
      return walkChoice(field, value, path, context);
    case "int":
    case "number": {
      if (value === undefined) return field.fill;
      const isFit =
        typeof value === "number" &&
        (field.kind === "int" ? Number.isSafeInteger(value) : Number.isFinite(value));
      if (!isFit)
        throw typeError(path, field.kind === "int" ? "a whole number" : "a number", context);
      if (value < field.min) throw typeError(path, `${field.min} or more`, context);
      return value === 0 && !field.keepsZero ? field.fill : value;
    }
    case "bool":
      if (value !== undefined && typeof value !== "boolean")
        throw typeError(path, "true or false", context);
      return value === false && !field.keepsZero ? undefined : value;
    case "texts":
      return value === undefined ? undefined : nonEmpty(textList(value, path, context));
    case "textLists": {
      const lists = value === undefined ? [] : array(value, path, context);
      return nonEmpty(lists.map((item, i) => textList(item, `${path}[${i}]`, context)));
    }
    case "textMap":
      return walkTextMap(value, path, context) ?? field.fill;
    case "list": {
      const items = value === undefined ? [] : array(value, path, context);
      return nonEmpty(
        items.map((item, i) => walkStruct(field.item, item ?? {}, `${path}[${i}]`, context)),
      );
    }
    case "struct":
      return value === undefined ? undefined : walkStruct(field, value, path, context);
    case "any":
      return value;
    default:
      return unreachable(field, "walk");
  }
}

function walkChoice(
  field: Extract<Field, { kind: "choice" }>,
  value: unknown,
  path: string,
  context: WalkContext,
): string | undefined {
  if (value !== undefined && typeof value !== "string") throw typeError(path, "a text", context);
  const chosen = value || field.fill;
  if (chosen === undefined || field.allowed.includes(chosen)) return chosen;
  const support = field.notYet[chosen] ?? field.notYet["*"];
  if (support === undefined) throw doorError("InvalidArgument", field.unknown(chosen));
  if (isSupported(support, context)) return chosen;
  const instead = field.allowed.join(", ");
  throw notSupported(path, context, ` with the value "${chosen}"; use ${instead}`);
}

function walkTextMap(
  value: unknown,
  path: string,
  context: WalkContext,
): Readonly<Record<string, string>> | undefined {
  if (value === undefined) return undefined;
  if (!isObject(value)) throw typeError(path, "an object of texts", context);
  const entries = Object.entries(value).map(([key, member]): [string, string] => {
    if (typeof member !== "string" && member !== null)
      throw typeError(`${path}[${JSON.stringify(key)}]`, "a text", context);
    return [key, member ?? ""];
  });
  return entries.length > 0 ? Object.fromEntries(entries) : undefined;
}

function textList(value: unknown, path: string, context: WalkContext): readonly string[] {
  return array(value, path, context).map((item, i) => {
    if (typeof item !== "string") throw typeError(`${path}[${i}]`, "a text", context);
    return item;
  });
}

function array(value: unknown, path: string, context: WalkContext): readonly unknown[] {
  if (!Array.isArray(value)) throw typeError(path, "a list", context);
  return value;
}

function nonEmpty<T>(items: readonly T[]): readonly T[] | undefined {
  return items.length > 0 ? items : undefined;
}

function isSupported(support: Support, context: WalkContext): boolean {
  if (support === "enforced") return true;
  return support !== "refused" && context.capabilities.has(support);
}

/** Zero values are what clients send for "nothing": they are no wish that could be ignored. */
function saysSomething(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0;
  if (isObject(value)) return Object.values(value).some(saysSomething);
  return Boolean(value);
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function typeError(path: string, expected: string, context: WalkContext): ApiError {
  return doorError("InvalidArgument", `${context.operation}: ${path} must be ${expected}`);
}

export function notSupported(path: string, context: WalkContext, detail = ""): ApiError {
  return new ApiError(
    "Unimplemented",
    `${context.operation}: field ${path} is not supported yet${detail}`,
  );
}

/** Every path of a table with its support; lists are written `Name[]`. For the table test and the coverage document. */
export function fieldPaths(
  struct: Struct,
  prefix = "",
): readonly { readonly path: string; readonly field: Field }[] {
  return Object.entries(struct.fields).flatMap(([name, field]) => {
    const path = prefix === "" ? name : `${prefix}.${name}`;
    if (field.kind === "struct") return [{ path, field }, ...fieldPaths(field, path)];
    if (field.kind === "list") return [{ path, field }, ...fieldPaths(field.item, `${path}[]`)];
    return [{ path, field }];
  });
}
