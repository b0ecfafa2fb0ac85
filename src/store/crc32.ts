/** CRC-32 (IEEE 802.3, reflected 0xEDB88320), as zlib computes it. */
const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc;
});

/** Continues `crc` (0 at the start) over `bytes`. */
export function crc32(bytes: Uint8Array, crc = 0): number {
  let state = ~crc;
  for (let i = 0; i < bytes.length; i++)
    state = (state >>> 8) ^ (TABLE[(state ^ (bytes[i] ?? 0)) & 0xff] ?? 0);
  return ~state >>> 0;
}
