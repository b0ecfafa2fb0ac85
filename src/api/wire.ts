/** The generated codecs, with 64-bit fields as plain numbers. Import them from here only: the switch must come first. */
import "./no-long.js";
import { swarm as generated } from "./gen/proto.js";

export { generated as swarm };

/** Checks a 64-bit number from the wire: beyond 2^53 it would have lost digits. */
export function safeUint(value: number, what: string): number {
  if (!Number.isSafeInteger(value) || value < 0)
    throw new RangeError(`${what} out of range: ${value}`);
  return value;
}
