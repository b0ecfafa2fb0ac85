import type { Random } from "./random.js";

const ID_LENGTH = 25;
const ID_PATTERN = /^[0-9a-z]{25}$/;

/**
 * A new object id: 25 characters of [0-9a-z], about 129 bits. 17 random bytes with the top bit forced on are
 * printed in base 36; the first digit, which is not uniform, is dropped.
 */
export function newId(random: Random): string {
  const bytes = random.bytes(17);
  let value = 0n;
  for (const [i, byte] of bytes.entries())
    value = (value << 8n) | BigInt(i === 0 ? byte | 0x80 : byte);
  return value.toString(36).slice(1, 1 + ID_LENGTH);
}

/** Whether `text` has the form of a full object id. */
export function isFullId(text: string): boolean {
  return ID_PATTERN.test(text);
}
