/** DNS messages by hand (RFC 1035 §4, RFC 6891): the questions nearly every program asks, read and answered without objects per record. */

export const HEADER_BYTES = 12;
/** RFC 1035 §4.2.1: the most a client takes over UDP that announces nothing. */
export const UDP_MIN_BYTES = 512;
/** The most we send over UDP, whatever is announced. */
export const UDP_MAX_BYTES = 4_096;
export const TCP_MAX_BYTES = 65_535;
/** RFC 1035 §2.3.4. */
const NAME_MAX_BYTES = 255;
const POINTER_TO_QUESTION = 0xc00c;
const CLASS_IN = 1;
const TYPE_OPT = 41;
const OPT_BYTES = 11;

export const FLAG_QR = 0x8000;
export const FLAG_AA = 0x0400;
export const FLAG_TC = 0x0200;
export const FLAG_RD = 0x0100;
export const FLAG_RA = 0x0080;
export const FLAG_CD = 0x0010;
const OPCODE_MASK = 0x7800;

/** RFC 6895 §2.3. */
export const RCODE = {
  NOERROR: 0,
  FORMERR: 1,
  SERVFAIL: 2,
  NXDOMAIN: 3,
  NOTIMP: 4,
  REFUSED: 5,
  BADVERS: 16,
} as const;

export type Query = {
  /** The whole message; not copied, so it must not change. */
  readonly message: Buffer;
  readonly flags: number;
  /** Lower case, no trailing dot; a byte that is no printable ASCII, or a dot inside a label, is written `\DDD`. */
  readonly name: string;
  readonly type: number;
  readonly class: number;
  /** Offset after the only question, which starts after the header. */
  readonly questionEnd: number;
  /** undefined: the client speaks no EDNS. */
  readonly edns: { readonly udpBytes: number; readonly version: number } | undefined;
};

export type ParsedQuery =
  | { readonly kind: "query"; readonly query: Query }
  /** Answer with this code and no question. */
  | { readonly kind: "refuse"; readonly rcode: number }
  /** A response, or too short to carry an id: answering could loop. */
  | { readonly kind: "ignore" };

const IGNORE = { kind: "ignore" } as const;
const FORMERR = { kind: "refuse", rcode: RCODE.FORMERR } as const;
const NOTIMP = { kind: "refuse", rcode: RCODE.NOTIMP } as const;

/** Never throws. */
export function parseQuery(message: Buffer): ParsedQuery {
  if (message.length < HEADER_BYTES) return IGNORE;
  const flags = message.readUInt16BE(2);
  if ((flags & FLAG_QR) !== 0) return IGNORE;
  if ((flags & OPCODE_MASK) !== 0) return NOTIMP;
  if (message.readUInt16BE(4) !== 1) return FORMERR;
  const question = readQuestionName(message);
  if (question === undefined || question.end + 4 > message.length) return FORMERR;
  const questionEnd = question.end + 4;
  const edns = readEdns(message, questionEnd);
  if (edns === "malformed") return FORMERR;
  return {
    kind: "query",
    query: {
      message,
      flags,
      name: question.name,
      type: message.readUInt16BE(question.end),
      class: message.readUInt16BE(question.end + 2),
      questionEnd,
      edns,
    },
  };
}

const nameScratch = Buffer.alloc(NAME_MAX_BYTES);

function readQuestionName(message: Buffer): { name: string; end: number } | undefined {
  let at = HEADER_BYTES;
  let written = 0;
  let isPlain = true;
  for (;;) {
    const length = message[at];
    // 64 and more: a pointer, which has nothing before it to point to, or a reserved form.
    if (length === undefined || length > 63) return undefined;
    at += 1;
    if (length === 0) break;
    if (at + length >= message.length || at + length - HEADER_BYTES >= NAME_MAX_BYTES) {
      return undefined;
    }
    if (written > 0) nameScratch[written++] = 0x2e;
    for (const end = at + length; at < end; at += 1) {
      const byte = message[at] ?? 0;
      if (byte <= 0x20 || byte >= 0x7f || byte === 0x2e || byte === 0x5c) isPlain = false;
      nameScratch[written++] = byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte;
    }
  }
  const name = isPlain ? nameScratch.toString("latin1", 0, written) : escapedName(message);
  return { name, end: at };
}

/** RFC 4343 §2.1: no such name is in a table, but two of them must not look alike. */
function escapedName(message: Buffer): string {
  const labels: string[] = [];
  for (let at = HEADER_BYTES; (message[at] ?? 0) > 0; at += 1 + (message[at] ?? 0)) {
    const label = message.toString("latin1", at + 1, at + 1 + (message[at] ?? 0));
    labels.push(
      label.replace(/[^!-~]|[.\\]/g, (c) => `\\${String(c.charCodeAt(0)).padStart(3, "0")}`),
    );
  }
  return labels.join(".").replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

function readEdns(message: Buffer, from: number): Query["edns"] | "malformed" {
  const count = message.readUInt16BE(6) + message.readUInt16BE(8) + message.readUInt16BE(10);
  let found: Query["edns"];
  let at = from;
  for (let i = 0; i < count; i += 1) {
    const record = readRecord(message, at);
    if (record === undefined) return "malformed";
    if (record.type === TYPE_OPT) {
      if (found !== undefined) return "malformed"; // RFC 6891 §6.1.1
      found = {
        udpBytes: message.readUInt16BE(record.fixedAt + 2),
        version: message[record.fixedAt + 5] ?? 0,
      };
    }
    at = record.end;
  }
  return found;
}

export type RecordPlace = {
  readonly type: number;
  /** Offset of the type; class, TTL, length and data follow (2, 2, 4, 2 bytes). */
  readonly fixedAt: number;
  readonly end: number;
};

/** undefined when the record does not end inside the message. */
export function readRecord(message: Buffer, at: number): RecordPlace | undefined {
  const fixedAt = skipName(message, at);
  if (fixedAt === undefined || fixedAt + 10 > message.length) return undefined;
  const end = fixedAt + 10 + message.readUInt16BE(fixedAt + 8);
  if (end > message.length) return undefined;
  return { type: message.readUInt16BE(fixedAt), fixedAt, end };
}

/** Offset after the name; a pointer ends it and is not followed. */
export function skipName(message: Buffer, from: number): number | undefined {
  let at = from;
  for (;;) {
    const length = message[at];
    if (length === undefined) return undefined;
    if (length === 0) return at + 1;
    if (length >= 0xc0) return at + 2;
    if (length > 63) return undefined;
    at += 1 + length;
  }
}

/** What the client takes over UDP. */
export function udpLimit(query: Query): number {
  const announced = query.edns?.udpBytes ?? UDP_MIN_BYTES;
  return Math.min(Math.max(announced, UDP_MIN_BYTES), UDP_MAX_BYTES);
}

/** Bytes left for records in an answer of at most `maxBytes`. */
export function roomFor(query: Query, maxBytes: number): number {
  return maxBytes - query.questionEnd - (query.edns === undefined ? 0 : OPT_BYTES);
}

/** Flags of our own answers. */
export function answerFlags(query: Query, extra: number): number {
  return FLAG_QR | FLAG_RA | (query.flags & (FLAG_RD | FLAG_CD)) | extra;
}

/** Name (a pointer), type, class, TTL, length. */
const RECORD_HEAD_BYTES = 12;

export function addressRecordBytes(address: Uint8Array): number {
  return RECORD_HEAD_BYTES + address.length;
}

/** A and AAAA records of the question's name, as told apart by their length. The caller has seen to it that they fit. */
export function encodeAddresses(
  query: Query,
  addresses: readonly Uint8Array[],
  ttlSec: number,
  isTruncated: boolean,
): Buffer {
  let bytes = 0;
  for (const address of addresses) bytes += addressRecordBytes(address);
  const flags = isTruncated ? FLAG_AA | FLAG_TC : FLAG_AA;
  const out = beginAnswer(query, flags, addresses.length, bytes);
  let at = query.questionEnd;
  for (const address of addresses) {
    at = writeRecordHead(out, at, address.length === 4 ? 1 : 28, ttlSec, address.length);
    out.set(address, at);
    at += address.length;
  }
  return out;
}

/** `target`: labels of 1–63 bytes, no trailing dot. */
export function encodePointer(query: Query, target: string, ttlSec: number): Buffer {
  const dataBytes = target.length + 2;
  const out = beginAnswer(query, FLAG_AA, 1, RECORD_HEAD_BYTES + dataBytes);
  let at = writeRecordHead(out, query.questionEnd, 12, ttlSec, dataBytes);
  for (const label of target.split(".")) {
    out[at] = label.length;
    at += 1 + out.write(label, at + 1, "latin1");
  }
  out[at] = 0;
  return out;
}

/** The question and a code, no records. `extraFlags` as AA. */
export function encodeEmpty(query: Query, rcode: number, extraFlags = 0): Buffer {
  return beginAnswer(query, extraFlags | (rcode & 0x0f), 0, 0, rcode >> 4);
}

/** For messages whose question could not be read. `message` has a header. */
export function encodeRefusal(message: Buffer, rcode: number): Buffer {
  const out = Buffer.alloc(HEADER_BYTES);
  const flags = message.readUInt16BE(2) & (OPCODE_MASK | FLAG_RD);
  out.writeUInt16BE(message.readUInt16BE(0), 0);
  out.writeUInt16BE(FLAG_QR | flags | rcode, 2);
  return out;
}

/** Header, the question as it was asked (its letters' case too) and, after room for the records, OPT if the client sent one. */
function beginAnswer(
  query: Query,
  flags: number,
  answerCount: number,
  recordBytes: number,
  extendedRcode = 0,
): Buffer {
  const { message, questionEnd, edns } = query;
  const length = questionEnd + recordBytes + (edns === undefined ? 0 : OPT_BYTES);
  const out = Buffer.allocUnsafe(length);
  message.copy(out, 0, 0, questionEnd);
  out.writeUInt16BE(answerFlags(query, flags), 2);
  out.writeUInt16BE(answerCount, 6);
  out.writeUInt16BE(0, 8);
  out.writeUInt16BE(edns === undefined ? 0 : 1, 10);
  if (edns !== undefined) {
    const at = length - OPT_BYTES;
    out.fill(0, at);
    out.writeUInt16BE(TYPE_OPT, at + 1);
    out.writeUInt16BE(UDP_MAX_BYTES, at + 3);
    out[at + 5] = extendedRcode;
  }
  return out;
}

function writeRecordHead(
  out: Buffer,
  at: number,
  type: number,
  ttlSec: number,
  dataBytes: number,
): number {
  out.writeUInt16BE(POINTER_TO_QUESTION, at);
  out.writeUInt16BE(type, at + 2);
  out.writeUInt16BE(CLASS_IN, at + 4);
  out.writeUInt32BE(ttlSec, at + 6);
  out.writeUInt16BE(dataBytes, at + 10);
  return at + RECORD_HEAD_BYTES;
}
