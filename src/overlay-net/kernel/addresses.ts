/** IP and MAC addresses between their text and their bytes. Text is canonical: lower case, RFC 5952 for IPv6. */

export type Family = 4 | 6;
export type Prefix = {
  readonly family: Family;
  readonly bytes: Buffer;
  readonly length: number;
};

export class AddressError extends Error {
  override readonly name = "AddressError";
}

/** 4 or 16 bytes in network order. Throws AddressError. */
export function ipBytes(text: string): Buffer {
  return text.includes(":") ? ipv6Bytes(text) : ipv4Bytes(text);
}

export function ipText(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join(".");
  if (bytes.length !== 16) throw new AddressError(`an address has ${bytes.length} bytes`);
  const groups = Array.from({ length: 8 }, (_, i) =>
    (((bytes[2 * i] ?? 0) << 8) | (bytes[2 * i + 1] ?? 0)).toString(16),
  );
  const zeros = longestZeroRun(groups);
  if (zeros.length < 2) return groups.join(":");
  const head = groups.slice(0, zeros.start).join(":");
  const tail = groups.slice(zeros.start + zeros.length).join(":");
  return `${head}::${tail}`;
}

export function familyOf(text: string): Family {
  return text.includes(":") ? 6 : 4;
}

/** `address/length`; without a length the whole address. Host bits are kept. Throws AddressError. */
export function parsePrefix(text: string): Prefix {
  const slash = text.indexOf("/");
  const bytes = ipBytes(slash === -1 ? text : text.slice(0, slash));
  const bitCount = bytes.length * 8;
  const length = slash === -1 ? bitCount : Number(text.slice(slash + 1));
  if (!Number.isInteger(length) || length < 0 || length > bitCount || text.endsWith("/"))
    throw new AddressError(`"${text}" has no valid prefix length`);
  return { family: bytes.length === 4 ? 4 : 6, bytes, length };
}

export function prefixText(bytes: Uint8Array, length: number): string {
  return `${ipText(bytes)}/${length}`;
}

/** Six bytes. Throws AddressError. */
export function macBytes(text: string): Buffer {
  if (!/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i.test(text))
    throw new AddressError(`"${text}" is no MAC address`);
  // By hand: a decoder for hex costs more than the whole message around it.
  const bytes = Buffer.allocUnsafe(6);
  for (let i = 0; i < 6; i++)
    bytes[i] = (hexDigit(text.charCodeAt(3 * i)) << 4) | hexDigit(text.charCodeAt(3 * i + 1));
  return bytes;
}

export function macText(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += text === "" ? HEX[byte] : `:${HEX[byte]}`;
  return text;
}

/** Bytes as two hex digits: a kernel's tables hold MAC addresses by the ten thousand. */
const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

/** Of a character that is known to be one. */
function hexDigit(code: number): number {
  return code <= 57 ? code - 48 : (code | 32) - 87;
}

const ZERO = "0".charCodeAt(0);
const DOT = ".".charCodeAt(0);

/** By hand, as for MAC addresses: it is asked for with every entry of a kernel's table. */
function ipv4Bytes(text: string): Buffer {
  const fail = (): never => {
    throw new AddressError(`"${text}" is no IPv4 address`);
  };
  const bytes = Buffer.allocUnsafe(4);
  let at = 0;
  let value = 0;
  let digitCount = 0;
  for (let i = 0; i <= text.length; i++) {
    const code = i === text.length ? DOT : text.charCodeAt(i);
    if (code === DOT) {
      if (digitCount === 0 || at === 4) return fail();
      bytes[at++] = value;
      value = 0;
      digitCount = 0;
      continue;
    }
    const digit = code - ZERO;
    value = value * 10 + digit;
    if (digit < 0 || digit > 9 || ++digitCount > 3 || value > 255) return fail();
  }
  return at === 4 ? bytes : fail();
}

function ipv6Bytes(text: string): Buffer {
  const fail = (): never => {
    throw new AddressError(`"${text}" is no IPv6 address`);
  };
  const halves = text.split("::");
  if (halves.length > 2) return fail();
  const [head = [], tail = []] = halves.map((half) => ipv6Groups(half) ?? fail());
  const missing = 8 - head.length - tail.length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) return fail();
  const groups = [...head, ...Array.from({ length: missing }, () => 0), ...tail];
  const bytes = Buffer.alloc(16);
  groups.forEach((group, i) => {
    bytes.writeUInt16BE(group, 2 * i);
  });
  return bytes;
}

/** 16-bit groups of one side of `::`; a dotted IPv4 address may end it (RFC 4291 §2.2). */
function ipv6Groups(text: string): number[] | undefined {
  if (text === "") return [];
  const parts = text.split(":");
  const last = parts.at(-1) ?? "";
  if (last.includes(".")) {
    const v4 = ipv4Bytes(last);
    parts.splice(-1, 1, v4.readUInt16BE(0).toString(16), v4.readUInt16BE(2).toString(16));
  }
  if (!parts.every((part) => /^[0-9a-f]{1,4}$/i.test(part))) return undefined;
  return parts.map((part) => Number.parseInt(part, 16));
}

function longestZeroRun(groups: readonly string[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  let start = 0;
  groups.forEach((group, i) => {
    if (group !== "0") start = i + 1;
    else if (i + 1 - start > best.length) best = { start, length: i + 1 - start };
  });
  return best;
}
