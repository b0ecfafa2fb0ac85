/** The generated codecs, with 64-bit fields as plain numbers. Import them from here only: the switch must come first. */
import protobuf from "protobufjs/minimal.js";
import { swarm as generated } from "./gen/proto.js";

// `--force-number` changes the types alone: at run time a uint64 is a Long wherever the package `long` is installed.
// Codecs read this setting when they run, so it is enough to set it before the first one is used.
protobuf.util.Long = null as never;
protobuf.configure();

export { generated as swarm };

/** Checks a 64-bit number from the wire: beyond 2^53 it would have lost digits. */
export function safeUint(value: number, what: string): number {
  if (!Number.isSafeInteger(value) || value < 0)
    throw new RangeError(`${what} out of range: ${value}`);
  return value;
}
