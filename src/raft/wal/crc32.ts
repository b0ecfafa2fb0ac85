import * as zlib from "node:zlib";

/** CRC-32 (IEEE). Node has it natively from 20.15 on; the table serves older ones. */
export function crc32(bytes: Uint8Array, seed = 0): number {
  return NATIVE === undefined ? crc32ByTable(bytes, seed) : NATIVE(bytes, seed);
}

type Crc32 = (bytes: Uint8Array, seed: number) => number;
const NATIVE = (zlib as { crc32?: Crc32 }).crc32;

const TABLE = new Uint32Array(256).map((_, byte) => {
  let rest = byte;
  for (let bit = 0; bit < 8; bit++) rest = rest & 1 ? (rest >>> 1) ^ 0xedb88320 : rest >>> 1;
  return rest;
});

export function crc32ByTable(bytes: Uint8Array, seed = 0): number {
  let crc = ~seed;
  for (const byte of bytes) crc = (crc >>> 8) ^ (TABLE[(crc ^ byte) & 0xff] ?? 0);
  return ~crc >>> 0;
}
