/** Query parameters with the Engine's two rules for booleans (spec §2.1). */
import { doorError } from "../base/index.js";

const FALSE_WORDS = new Set(["", "0", "no", "false", "none"]);
const STRICT_TRUE = new Set(["1", "t", "T", "TRUE", "true", "True"]);
const STRICT_FALSE = new Set(["0", "f", "F", "FALSE", "false", "False"]);
const UINT_MAX = 2n ** 64n - 1n;

export class Query {
  readonly #params: URLSearchParams;

  constructor(url: string) {
    const at = url.indexOf("?");
    this.#params = new URLSearchParams(at < 0 ? "" : url.slice(at + 1));
  }

  /** "" when absent. */
  text(name: string): string {
    return this.#params.get(name) ?? "";
  }

  /** Lenient: everything but a few words is true (docker-py sends `True`). */
  flag(name: string): boolean {
    return !FALSE_WORDS.has(this.text(name).trim().toLowerCase());
  }

  /** Strict: Go's ParseBool, 400 for anything else. Absent is false. */
  strictFlag(name: string): boolean {
    const value = this.text(name);
    if (value === "" || STRICT_FALSE.has(value)) return false;
    if (STRICT_TRUE.has(value)) return true;
    throw doorError("InvalidArgument", `invalid value for ${name}: ${value}`);
  }

  /** The `version` of an update, or another index. `type` names the object in the complaint. */
  version(type: string, name = "version"): number {
    const raw = this.text(name);
    const problem = !/^[0-9]+$/.test(raw)
      ? "invalid syntax"
      : BigInt(raw) > UINT_MAX
        ? "value out of range"
        : undefined;
    if (problem !== undefined) {
      throw doorError(
        "InvalidArgument",
        `invalid ${type} ${name} '${raw}': strconv.ParseUint: parsing ${JSON.stringify(raw)}: ${problem}`,
      );
    }
    // An index beyond 2^53 belongs to no object; the largest safe one is refused as out of sequence all the same.
    return Math.min(Number(raw), Number.MAX_SAFE_INTEGER);
  }
}
