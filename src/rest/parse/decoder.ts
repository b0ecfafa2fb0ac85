/**
 * Decoders of JSON values with the rules of Go's encoding/json, which every client was written against: null and absent are the
 * zero value, unknown fields are ignored, field names match in any case, and a value of the wrong type is a 400 naming the field.
 */
import { doorError } from "../../base/index.js";

export interface Decoder<T> {
  /** Go's name of the type, for messages. */
  readonly goType: string;
  /** What null stands for inside an array. */
  readonly zero: T;
  /** Go's `omitempty`: fields with this value are as good as absent. */
  isEmpty(value: T): boolean;
  decode(value: unknown, at: string): T;
}

/** Throws the 400 of a value of the wrong type. */
export function wrongType(value: unknown, at: string, goType: string): never {
  throw doorError(
    "InvalidArgument",
    `json: cannot unmarshal ${describe(value)} into Go struct field ${at} of type ${goType}`,
  );
}

function describe(value: unknown): string {
  if (Array.isArray(value)) return "array";
  if (typeof value === "number") return `number ${value}`;
  if (typeof value === "boolean") return "bool";
  return typeof value;
}

export const text: Decoder<string> = {
  goType: "string",
  zero: "",
  isEmpty: (value) => value === "",
  decode: (value, at) => (typeof value === "string" ? value : wrongType(value, at, "string")),
};

export const flag: Decoder<boolean> = {
  goType: "bool",
  zero: false,
  isEmpty: (value) => !value,
  decode: (value, at) => (typeof value === "boolean" ? value : wrongType(value, at, "bool")),
};

function number(goType: string, accepts: (value: number) => boolean): Decoder<number> {
  return {
    goType,
    zero: 0,
    isEmpty: (value) => value === 0,
    decode: (value, at) =>
      typeof value === "number" && accepts(value) ? value : wrongType(value, at, goType),
  };
}

/** Integers beyond 2^53 would lose digits: refused like a value out of range. */
export const int64 = number("int64", Number.isSafeInteger);
export const uint64 = number("uint64", (value) => Number.isSafeInteger(value) && value >= 0);
export const uint32 = number(
  "uint32",
  (value) => Number.isInteger(value) && value >= 0 && value <= 0xffff_ffff,
);
export const float = number("float32", Number.isFinite);
/** A duration in nanoseconds. */
export const duration = number("time.Duration", Number.isSafeInteger);

/** A Go pointer: present even when zero. */
export function pointer<T>(inner: Decoder<T>): Decoder<T> {
  return { ...inner, isEmpty: () => false };
}

export function list<T>(inner: Decoder<T>): Decoder<readonly T[]> {
  return {
    goType: `[]${inner.goType}`,
    zero: [],
    isEmpty: (value) => value.length === 0,
    decode: (value, at) => {
      if (!Array.isArray(value)) return wrongType(value, at, `[]${inner.goType}`);
      return value.map((item: unknown) => (item === null ? inner.zero : inner.decode(item, at)));
    },
  };
}

export function map<T>(inner: Decoder<T>): Decoder<Readonly<Record<string, T>>> {
  return {
    goType: `map[string]${inner.goType}`,
    zero: {},
    isEmpty: (value) => Object.keys(value).length === 0,
    decode: (value, at) => {
      if (!isObject(value)) return wrongType(value, at, `map[string]${inner.goType}`);
      return Object.fromEntries(
        Object.entries(value).map(([key, item]) => [
          key,
          item === null ? inner.zero : inner.decode(item, at),
        ]),
      );
    },
  };
}

export const textList = list(text);
export const textMap = map(text);

/** One of a set of words. An unknown one gets `complaint`, since clients match on the texts of their fields. */
export function oneOf<const W extends string>(
  words: readonly W[],
  complaint: (value: string) => string,
): Decoder<W | ""> {
  return {
    goType: "string",
    zero: "",
    isEmpty: (value) => value === "",
    decode: (value, at) => {
      const word = text.decode(value, at);
      if (word === "") return "";
      const found = words.find((candidate) => candidate === word.toLowerCase());
      if (found === undefined) throw doorError("InvalidArgument", complaint(word));
      return found;
    },
  };
}

type Fields = Readonly<Record<string, Decoder<unknown>>>;
/** What a struct's decoder yields: zero values left out. */
export type Decoded<F extends Fields> = {
  readonly [K in keyof F]?: F[K] extends Decoder<infer T> ? Exclude<T, ""> : never;
};

/** A struct as a pointer: an empty object stays present. Field paths in messages start at `name`. */
export function struct<F extends Fields>(name: string, fields: F): Decoder<Decoded<F>> {
  const table = Object.entries(fields);
  return {
    goType: name,
    zero: {},
    isEmpty: () => false,
    decode: (value, at) => {
      if (!isObject(value)) return wrongType(value, at, name);
      const get = fieldGetter(value, fields);
      const result: Record<string, unknown> = {};
      for (const [field, decoder] of table) {
        const raw = get(field);
        if (raw === undefined || raw === null) continue;
        const decoded = decoder.decode(raw, at === "" ? `${name}.${field}` : `${at}.${field}`);
        if (!decoder.isEmpty(decoded)) result[field] = decoded;
      }
      // Every key was checked by its own decoder; the mapped type cannot be built key by key.
      return result as Decoded<F>;
    },
  };
}

/** A decoder whose result is made from another's. */
export function mapped<A, B>(inner: Decoder<A>, convert: (value: A, at: string) => B): Decoder<B> {
  return {
    goType: inner.goType,
    get zero() {
      return convert(inner.zero, inner.goType);
    },
    isEmpty: () => false,
    decode: (value, at) => convert(inner.decode(value, at), at),
  };
}

/** A field of which the door knows nothing but the name: its value goes on as it is, for the control plane to judge. */
export const passedOn: Decoder<unknown> = {
  goType: "object",
  zero: undefined,
  isEmpty: isZero,
  decode: (value) => value,
};

/** A field that this version cannot carry: any value but zero is refused, so that nothing is accepted and ignored. */
export function unsupported(): Decoder<never[]> {
  return {
    goType: "",
    zero: [],
    isEmpty: () => true,
    decode: (value, at) => {
      if (isZero(value)) return [];
      const dot = at.indexOf(".");
      throw doorError(
        "Unimplemented",
        `${at.slice(0, dot)}: field ${at.slice(dot + 1)} is not supported yet`,
      );
    },
  };
}

function isZero(value: unknown): boolean {
  if (value === undefined || value === null || value === "" || value === 0 || value === false)
    return true;
  if (Array.isArray(value)) return value.length === 0;
  return isObject(value) && Object.values(value).every(isZero);
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Looks a field up by its exact name first, then in any case. */
function fieldGetter(
  value: Readonly<Record<string, unknown>>,
  fields: Fields,
): (field: string) => unknown {
  // As nearly every client sends it: no key is left over that could be a field in another case.
  if (Object.keys(value).every((key) => Object.hasOwn(fields, key))) return (field) => value[field];
  let folded: Map<string, unknown> | undefined;
  return (field) => {
    if (Object.hasOwn(value, field)) return value[field];
    folded ??= new Map(Object.entries(value).map(([key, item]) => [key.toLowerCase(), item]));
    return folded.get(field.toLowerCase());
  };
}
