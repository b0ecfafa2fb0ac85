/** The `filters` query parameter: values within a key are alternatives, keys must all match (spec §2.1). */
import { doorError } from "../base/index.js";
import { parseJson } from "./body.js";
import { isObject } from "./parse/decoder.js";

export class Filters {
  readonly #values: ReadonlyMap<string, readonly string[]>;

  private constructor(values: ReadonlyMap<string, readonly string[]>) {
    this.#values = values;
  }

  /** Accepts `{"key":{"value":true}}` and `{"key":["value"]}`; keys outside `accepted` are a 400. */
  static parse(source: string, accepted: readonly string[]): Filters {
    const values = new Map<string, readonly string[]>();
    if (source.trim() === "") return new Filters(values);
    const parsed = parseJson(source);
    if (parsed === null) return new Filters(values);
    if (!isObject(parsed)) throw doorError("InvalidArgument", "invalid filter: not a JSON object");
    for (const [key, raw] of Object.entries(parsed)) {
      const list = valuesOf(raw);
      if (list === undefined) throw doorError("InvalidArgument", `invalid filter '${key}'`);
      if (!accepted.includes(key)) throw doorError("InvalidArgument", `Invalid filter '${key}'`);
      if (list.length > 0) values.set(key, list);
    }
    return new Filters(values);
  }

  has(key: string): boolean {
    return this.#values.has(key);
  }

  values(key: string): readonly string[] {
    return this.#values.get(key) ?? [];
  }

  /** No such key, or one of its values is `value`. */
  exact(key: string, value: string): boolean {
    return !this.has(key) || this.values(key).includes(value);
  }

  /** No such key, or one of its values begins `value` (any case). */
  prefix(key: string, value: string): boolean {
    if (!this.has(key)) return true;
    const folded = value.toLowerCase();
    return this.values(key).some((wanted) => folded.startsWith(wanted.toLowerCase()));
  }

  /** No such key, or one of its values occurs in `value`. */
  substring(key: string, value: string): boolean {
    return !this.has(key) || this.values(key).some((wanted) => value.includes(wanted));
  }

  /** All wanted labels, `k` or `k=v`, are there: the one key whose values must all match. */
  labels(key: string, labels: Readonly<Record<string, string>> | undefined): boolean {
    return this.values(key).every((wanted) => {
      const at = wanted.indexOf("=");
      const name = at < 0 ? wanted : wanted.slice(0, at);
      const found = labels?.[name];
      return found !== undefined && (at < 0 || found === wanted.slice(at + 1));
    });
  }

  /** A boolean key such as `dangling` or `_up-to-date`; undefined when absent. */
  flag(key: string): boolean | undefined {
    const [value] = this.values(key);
    if (value === undefined) return undefined;
    if (value === "1" || value.toLowerCase() === "true") return true;
    if (value === "0" || value.toLowerCase() === "false") return false;
    throw doorError("InvalidArgument", `invalid filter '${key}=${value}'`);
  }

  /** Every value must be one of `words`. */
  checkWords(key: string, words: readonly string[]): void {
    for (const value of this.values(key)) {
      if (!words.includes(value)) {
        throw doorError("InvalidArgument", `invalid filter '${key}=${value}'`);
      }
    }
  }
}

function valuesOf(raw: unknown): readonly string[] | undefined {
  if (Array.isArray(raw)) {
    return raw.every((value) => typeof value === "string") ? (raw as string[]) : undefined;
  }
  if (!isObject(raw)) return undefined;
  // `{"value": false}` is Go's encoding of a value that is not in the set.
  return Object.entries(raw)
    .filter(([, isSet]) => isSet !== false)
    .map(([value]) => value);
}
