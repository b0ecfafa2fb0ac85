/**
 * Netlink framing: RFC 3549 §2.3 headers and the attributes (TLVs, 4-byte aligned) after them. Numbers are in host order,
 * which is little endian on the hosts that this runs on (x64, arm64); others take the tools.
 */

export const HEADER_BYTES = 16;
const ATTR_HEADER_BYTES = 4;
/** The two top bits say "nested" and "network byte order". */
const ATTR_TYPE_MASK = 0x3fff;
/** Marks an attribute that holds attributes. */
export const ATTR_NESTED = 0x8000;

export const NLM_F_REQUEST = 0x001;
export const NLM_F_ACK = 0x004;
export const NLM_F_DUMP = 0x300;
export const NLM_F_REPLACE = 0x100;
export const NLM_F_EXCL = 0x200;
export const NLM_F_CREATE = 0x400;
/** In an answer: the dump was not taken at one moment. */
export const NLM_F_DUMP_INTR = 0x010;
const NLM_F_CAPPED = 0x100;
const NLM_F_ACK_TLVS = 0x200;

export const NLMSG_ERROR = 2;
export const NLMSG_DONE = 3;
const NLMSGERR_ATTR_MSG = 1;

export type NetlinkMessage = {
  readonly type: number;
  readonly flags: number;
  readonly seq: number;
  /** Of an answer or a notification: the socket that asked for it; 0: the kernel by itself, or it does not say. */
  readonly port: number;
  readonly payload: Buffer;
};
/** `errno` 0 is an acknowledgement; `text` is the extended one, "" without. */
export type Ack = { readonly errno: number; readonly text: string };

/** Attributes after one another, found when they are asked for: a link has some sixty, of which a handful is wanted. */
export class Attributes {
  readonly #bytes: Buffer;
  readonly #offset: number;

  /** From `offset` on. */
  constructor(bytes: Buffer, offset: number) {
    this.#bytes = bytes;
    this.#offset = offset;
  }

  /** Of a repeated type the last one. */
  get(type: number): Buffer | undefined {
    const at = this.#find(type);
    if (at === -1) return undefined;
    return this.#bytes.subarray(at + ATTR_HEADER_BYTES, at + readU16(this.#bytes, at));
  }

  has(type: number): boolean {
    return this.#find(type) !== -1;
  }

  /** Of one, two or four bytes. */
  number(type: number, absent: number): number {
    const at = this.#find(type);
    if (at === -1) return absent;
    const size = readU16(this.#bytes, at) - ATTR_HEADER_BYTES;
    const from = at + ATTR_HEADER_BYTES;
    if (size >= 4) return readU32(this.#bytes, from);
    if (size >= 2) return readU16(this.#bytes, from);
    return size === 1 ? (this.#bytes[from] ?? absent) : absent;
  }

  /** Place of its header; -1: it is not there. */
  #find(type: number): number {
    const bytes = this.#bytes;
    let found = -1;
    for (let at = this.#offset; at + ATTR_HEADER_BYTES <= bytes.length; ) {
      const size = readU16(bytes, at);
      if (size < ATTR_HEADER_BYTES || at + size > bytes.length) break;
      if ((readU16(bytes, at + 2) & ATTR_TYPE_MASK) === type) found = at;
      at += align(size);
    }
    return found;
  }
}

const NO_ATTRIBUTES = new Attributes(Buffer.alloc(0), 0);

/** One message with sequence number 0: the socket that sends it writes its own. */
export function encodeMessage(type: number, flags: number, ...parts: readonly Buffer[]): Buffer {
  const size = parts.reduce((sum, part) => sum + part.length, 0);
  const message = startMessage(type, flags, size);
  let at = HEADER_BYTES;
  for (const part of parts) {
    message.set(part, at);
    at += part.length;
  }
  return message;
}

/**
 * A message whose header alone is written: its `size` bytes after HEADER_BYTES are the caller's. Filled in place, a message is one buffer,
 * where `encodeMessage` takes one for each of its parts.
 */
export function startMessage(type: number, flags: number, size: number): Buffer {
  const message = zeroed(align(HEADER_BYTES + size));
  message.writeUInt32LE(HEADER_BYTES + size, 0);
  message.writeUInt16LE(type, 4);
  message.writeUInt16LE(flags, 6);
  return message;
}

/** Bytes that `writeAttr` takes up. */
export function attrBytes(payload: Uint8Array): number {
  return align(ATTR_HEADER_BYTES + payload.length);
}

/** Returns the place of the next one. */
export function writeAttr(message: Buffer, at: number, type: number, payload: Uint8Array): number {
  message.writeUInt16LE(ATTR_HEADER_BYTES + payload.length, at);
  message.writeUInt16LE(type, at + 2);
  message.set(payload, at + ATTR_HEADER_BYTES);
  return at + attrBytes(payload);
}

export function setSequence(message: Buffer, seq: number): void {
  message.writeUInt32LE(seq, 8);
}

/** What succeeds is not answered then; failures are. */
export function withoutAck(message: Buffer): void {
  message.writeUInt16LE(message.readUInt16LE(6) & ~NLM_F_ACK, 6);
}

/** All messages of a datagram. A truncated tail is an error: the receive buffer is larger than the kernel's largest message. */
export function decodeMessages(datagram: Buffer): NetlinkMessage[] {
  const messages: NetlinkMessage[] = [];
  for (let at = 0; at + HEADER_BYTES <= datagram.length; ) {
    const size = readU32(datagram, at);
    if (size < HEADER_BYTES || at + size > datagram.length)
      throw new RangeError(`a netlink message of ${size} bytes in ${datagram.length - at}`);
    messages.push({
      type: readU16(datagram, at + 4),
      flags: readU16(datagram, at + 6),
      seq: readU32(datagram, at + 8),
      port: readU32(datagram, at + 12),
      payload: datagram.subarray(at + HEADER_BYTES, at + size),
    });
    at += align(size);
  }
  return messages;
}

/** Of an NLMSG_ERROR: errno as a positive number, then the header it answers, then attributes. */
export function decodeAck({ flags, payload }: NetlinkMessage): Ack {
  const errno = 0 - readI32(payload, 0);
  if ((flags & NLM_F_ACK_TLVS) === 0) return { errno, text: "" };
  const echoed = (flags & NLM_F_CAPPED) === 0 ? readU32(payload, 4) : HEADER_BYTES;
  const text = decodeAttrs(payload, 4 + align(echoed)).get(NLMSGERR_ATTR_MSG);
  return { errno, text: text === undefined ? "" : readString(text) };
}

export function attr(type: number, payload: Uint8Array): Buffer {
  const bytes = zeroed(attrBytes(payload));
  writeAttr(bytes, 0, type, payload);
  return bytes;
}

export function attrU8(type: number, value: number): Buffer {
  return attr(type, Buffer.from([value]));
}

export function attrU16(type: number, value: number): Buffer {
  return attr(type, u16(value));
}

export function attrU32(type: number, value: number): Buffer {
  return attr(type, u32(value));
}

/** Zero-terminated. */
export function attrString(type: number, value: string): Buffer {
  return attr(type, Buffer.from(`${value}\0`));
}

export function nest(type: number, ...parts: readonly Buffer[]): Buffer {
  return attr(type | ATTR_NESTED, Buffer.concat(parts));
}

export function decodeAttrs(bytes: Buffer, offset = 0): Attributes {
  return new Attributes(bytes, offset);
}

/** Attributes inside one attribute; none when it is absent. */
export function decodeNested(attrs: Attributes, type: number): Attributes {
  const bytes = attrs.get(type);
  return bytes === undefined ? NO_ATTRIBUTES : decodeAttrs(bytes);
}

export function readString(bytes: Buffer): string {
  const end = bytes.indexOf(0);
  return bytes.toString("utf8", 0, end === -1 ? bytes.length : end);
}

export function attrString0(attrs: Attributes, type: number): string {
  const bytes = attrs.get(type);
  return bytes === undefined ? "" : readString(bytes);
}

export function attrNumber(attrs: Attributes, type: number, absent = 0): number {
  return attrs.number(type, absent);
}

/** From Node's pool: for messages by the ten thousand, half the cost of a buffer of its own. */
export function zeroed(size: number): Buffer {
  return Buffer.allocUnsafe(size).fill(0);
}

export function u16(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(2);
  bytes.writeUInt16LE(value);
  return bytes;
}

export function u32(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

export function readU16(bytes: Buffer, at: number): number {
  return bytes.readUInt16LE(at);
}

export function readU32(bytes: Buffer, at: number): number {
  return bytes.readUInt32LE(at);
}

function readI32(bytes: Buffer, at: number): number {
  return bytes.readInt32LE(at);
}

function align(size: number): number {
  return (size + 3) & ~3;
}
