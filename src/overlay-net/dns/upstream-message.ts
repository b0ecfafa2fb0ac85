/** Messages that pass through: what goes up, whether what comes down answers it (RFC 5452), and how it is handed on. */
import { FLAG_QR, FLAG_TC, HEADER_BYTES, type Query, RCODE, readRecord, skipName } from "./wire.js";

const TYPE_OPT = 41;
const OPCODE_MASK = 0x7800;

/** The client's message under an id of our own; its question and EDNS options stay. */
export function upstreamQuery(query: Query, id: number): Buffer {
  const out = Buffer.from(query.message);
  out.writeUInt16BE(id, 0);
  return out;
}

export function rcodeOf(message: Buffer): number {
  return (message[3] ?? 0) & 0x0f;
}

export function isTruncated(message: Buffer): boolean {
  return (message.readUInt16BE(2) & FLAG_TC) !== 0;
}

/**
 * RFC 5452 §9.1: id and question are those that were sent (source and port are the socket's business). A server that could not
 * read the question may leave it out, but then it can say no more than that.
 */
export function isAnswerTo(response: Buffer, sent: Buffer, questionEnd: number): boolean {
  if (response.length < HEADER_BYTES) return false;
  const flags = response.readUInt16BE(2);
  if ((flags & FLAG_QR) === 0 || (flags & OPCODE_MASK) !== 0) return false;
  if (response.readUInt16BE(0) !== sent.readUInt16BE(0)) return false;
  if (response.readUInt16BE(4) === 0) return FAILURES.has(rcodeOf(response));
  return response.readUInt16BE(4) === 1 && hasSameQuestion(response, sent, questionEnd);
}

const FAILURES: ReadonlySet<number> = new Set([
  RCODE.FORMERR,
  RCODE.SERVFAIL,
  RCODE.NOTIMP,
  RCODE.REFUSED,
]);

/** Letters count the same in either case; lengths of labels are below 64 and so never taken for letters. */
function hasSameQuestion(a: Buffer, b: Buffer, end: number): boolean {
  if (a.length < end) return false;
  const typeAt = end - 4;
  for (let i = HEADER_BYTES; i < end; i += 1) {
    const left = a[i] ?? 0;
    const right = b[i] ?? 0;
    if (left === right) continue;
    const isLetter = i < typeAt && (left | 0x20) >= 0x61 && (left | 0x20) <= 0x7a;
    if (!isLetter || (left | 0x20) !== (right | 0x20)) return false;
  }
  return true;
}

/** The response as the client expects it: its id, its spelling of the question, within its limit. */
export function handedOn(response: Buffer, query: Query, maxBytes: number): Buffer {
  const hasQuestion = response.readUInt16BE(4) === 1;
  if (!hasQuestion || response.length > maxBytes) return cutShort(response, query);
  const out = Buffer.from(response);
  query.message.copy(out, 0, 0, 2);
  query.message.copy(out, HEADER_BYTES, HEADER_BYTES, query.questionEnd);
  return out;
}

/** Header and question alone; says that there is more unless there was nothing to leave out. */
function cutShort(response: Buffer, query: Query): Buffer {
  const out = Buffer.from(query.message.subarray(0, query.questionEnd));
  const isWhole = response.readUInt16BE(4) === 0;
  out.writeUInt16BE(response.readUInt16BE(2) | (isWhole ? 0 : FLAG_TC), 2);
  out.fill(0, 6, HEADER_BYTES);
  return out;
}

/** Lowest TTL of the records, in seconds; undefined for a message without answers or one that is malformed. */
export function lowestTtl(response: Buffer): number | undefined {
  if (response.readUInt16BE(6) === 0) return undefined;
  let lowest = Number.POSITIVE_INFINITY;
  const isRead = eachTtl(response, (at) => {
    lowest = Math.min(lowest, response.readUInt32BE(at));
  });
  return isRead && Number.isFinite(lowest) ? lowest : undefined;
}

/** A copy whose records may be kept for `ttlSec` at most. The message is one that `lowestTtl` could read. */
export function withTtl(response: Buffer, ttlSec: number): Buffer {
  const out = Buffer.from(response);
  eachTtl(out, (at) => {
    out.writeUInt32BE(Math.min(out.readUInt32BE(at), ttlSec), at);
  });
  return out;
}

/** Offsets of all TTL fields (OPT has none); false when the message ends too early. */
function eachTtl(message: Buffer, visit: (at: number) => void): boolean {
  let at: number | undefined = HEADER_BYTES;
  for (let i = 0; i < message.readUInt16BE(4); i += 1) {
    const nameEnd = skipName(message, at);
    if (nameEnd === undefined) return false;
    at = nameEnd + 4;
  }
  const count = message.readUInt16BE(6) + message.readUInt16BE(8) + message.readUInt16BE(10);
  for (let i = 0; i < count; i += 1) {
    const record = readRecord(message, at);
    if (record === undefined) return false;
    if (record.type !== TYPE_OPT) visit(record.fixedAt + 4);
    at = record.end;
  }
  return true;
}
