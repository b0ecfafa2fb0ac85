/**
 * Records of a segment file, all numbers little-endian:
 *
 *   magic u32 | crc u32 | length u32 | payload (JSON, UTF-8)
 *
 * `crc` (CRC-32, IEEE) covers length and payload. The magic is where reading goes on behind damage.
 */
import * as zlib from "node:zlib";
import { ENTRY_BYTES_MAX } from "../core/index.js";

export const RECORD_BYTES_MAX = ENTRY_BYTES_MAX;
const MAGIC = Buffer.from("SwJ\xf7", "latin1");
export const HEADER_BYTES = 12;

type Crc32 = (bytes: Uint8Array, seed?: number) => number;
const NATIVE = (zlib as { crc32?: Crc32 }).crc32;
const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc;
});

/** Node has it natively from 20.15 on; the table serves older ones. */
function crc32(bytes: Uint8Array): number {
  if (NATIVE !== undefined) return NATIVE(bytes);
  let crc = ~0;
  for (const byte of bytes) crc = (crc >>> 8) ^ (TABLE[(crc ^ byte) & 0xff] ?? 0);
  return ~crc >>> 0;
}

export function encodeRecord(payload: string): Buffer {
  const length = Buffer.byteLength(payload);
  const record = Buffer.allocUnsafe(HEADER_BYTES + length);
  MAGIC.copy(record, 0);
  record.writeUInt32LE(length, 8);
  record.write(payload, HEADER_BYTES, "utf8");
  record.writeUInt32LE(crc32(record.subarray(8)), 4);
  return record;
}

export type RecordAt =
  | { readonly kind: "record"; readonly payload: Buffer; readonly end: number }
  /** The bytes given end within it. */
  | { readonly kind: "short" }
  | { readonly kind: "damaged" };

export function recordAt(bytes: Buffer, offset: number): RecordAt {
  if (offset + HEADER_BYTES > bytes.length) return { kind: "short" };
  if (MAGIC.compare(bytes, offset, offset + 4) !== 0) return { kind: "damaged" };
  const length = bytes.readUInt32LE(offset + 8);
  if (length > RECORD_BYTES_MAX) return { kind: "damaged" };
  const end = offset + HEADER_BYTES + length;
  if (end > bytes.length) return { kind: "short" };
  const isIntact = crc32(bytes.subarray(offset + 8, end)) === bytes.readUInt32LE(offset + 4);
  if (!isIntact) return { kind: "damaged" };
  return { kind: "record", payload: bytes.subarray(offset + HEADER_BYTES, end), end };
}

/** Where a record may begin again; the length of `bytes`, less a part of a magic at the end, when nowhere. */
export function nextMagic(bytes: Buffer, from: number): number {
  const at = bytes.indexOf(MAGIC, from);
  return at === -1 ? Math.max(from, bytes.length - MAGIC.length + 1) : at;
}
