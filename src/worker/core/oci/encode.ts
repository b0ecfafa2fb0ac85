import { SpecError } from "./types.js";

const MARK = "\u0000";
const MARKED = /"\\u0000(\d+)"/g;

/**
 * JSON text of a spec. 64-bit values beyond 2^53 (an unlimited rlimit, seccomp masks) are bigint in our types and must
 * come out as plain digits, which JSON.stringify cannot do.
 */
export function encodeSpec(spec: object): string {
  const text = JSON.stringify(spec, (_key, value: unknown) => {
    if (typeof value === "bigint") return `${MARK}${value}`;
    if (typeof value === "string" && value.includes(MARK))
      throw new SpecError("a NUL character is not possible in arguments, environment or paths");
    return value;
  });
  return text.replace(MARKED, "$1");
}
