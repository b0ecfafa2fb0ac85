import { crc32 } from "./crc32.js";
import { NONCE_BYTES, type Sealer, TAG_BYTES } from "./sealer.js";

/**
 * A frame is what one flush writes, in a log segment or a snapshot file:
 *
 *   magic u32 | crc u32 | length u32 | version u8 | cipher u8 | key id u32 | nonce 12 B | ciphertext | tag 16 B
 *
 * All little-endian. `length` counts ciphertext and tag; `crc` covers everything after itself. The cipher
 * authenticates the header and the frame's place {file id, offset} too, so frames cannot be moved around.
 */
export const FRAME_VERSION = 1;
export const CIPHER_AES_256_GCM = 1;
const MAGIC = Buffer.from("RfT\xf7", "latin1");
const HEADER_BYTES = 30;
/** What a frame adds to its plaintext. */
export const FRAME_OVERHEAD_BYTES = HEADER_BYTES + TAG_BYTES;
/** No frame is larger; a length beyond it is garbage. */
export const FRAME_MAX_BYTES = 64 * 1024 * 1024;

export type Frame = {
  readonly keyId: number;
  readonly plaintext: Uint8Array;
  readonly end: number;
};

export function encodeFrame(
  sealer: Sealer,
  fileId: number,
  offset: number,
  plaintext: Uint8Array,
): Uint8Array {
  const header = Buffer.alloc(HEADER_BYTES);
  const length = plaintext.length + TAG_BYTES;
  MAGIC.copy(header, 0);
  header.writeUInt32LE(length, 8);
  header.writeUInt8(FRAME_VERSION, 12);
  header.writeUInt8(CIPHER_AES_256_GCM, 13);
  header.writeUInt32LE(sealer.activeKeyId, 14);
  const { nonce, sealed } = sealer.seal(plaintext, boundPlace(header, fileId, offset));
  header.set(nonce, 18);
  header.writeUInt32LE(crc32(sealed, crc32(header.subarray(8))), 4);
  return Buffer.concat([header, sealed]);
}

/** Where the frame at `offset` of `file` ends, or undefined when there is no intact frame. `file` may be a part only. */
export function intactFrameEnd(file: Buffer, offset: number): number | undefined {
  if (offset + FRAME_OVERHEAD_BYTES > file.length) return undefined;
  if (!file.subarray(offset, offset + 4).equals(MAGIC)) return undefined;
  const length = file.readUInt32LE(offset + 8);
  const end = offset + HEADER_BYTES + length;
  if (length < TAG_BYTES || length > FRAME_MAX_BYTES || end > file.length) return undefined;
  return crc32(file.subarray(offset + 8, end)) === file.readUInt32LE(offset + 4) ? end : undefined;
}

/** Offset of the first intact frame at or after `from`. */
export function findIntactFrame(file: Buffer, from: number): number | undefined {
  for (let at = file.indexOf(MAGIC, from); at !== -1; at = file.indexOf(MAGIC, at + 1)) {
    if (intactFrameEnd(file, at) !== undefined) return at;
  }
  return undefined;
}

/** Opens an intact frame. `place`: its offset within the whole file, when `file` is a part of it. */
export function openFrame(
  sealer: Sealer,
  fileId: number,
  file: Buffer,
  offset: number,
  end: number,
  where: string,
  place = offset,
): Frame {
  const header = Buffer.from(file.subarray(offset, offset + HEADER_BYTES));
  const version = header.readUInt8(12);
  const cipher = header.readUInt8(13);
  if (version !== FRAME_VERSION || cipher !== CIPHER_AES_256_GCM) {
    throw new Error(
      `${where}: frame version ${version}, cipher ${cipher}: written by a later release`,
    );
  }
  const keyId = header.readUInt32LE(14);
  const nonce = header.subarray(18, 18 + NONCE_BYTES);
  const sealed = file.subarray(offset + HEADER_BYTES, end);
  const plaintext = sealer.open({ keyId, nonce, sealed }, boundPlace(header, fileId, place), where);
  return { keyId, plaintext, end };
}

/** What the cipher authenticates besides the content: length, version, cipher, key id, file id, offset. */
function boundPlace(header: Buffer, fileId: number, offset: number): Uint8Array {
  const bound = Buffer.alloc(10 + 16);
  header.copy(bound, 0, 8, 18);
  bound.writeBigUInt64LE(BigInt(fileId), 10);
  bound.writeBigUInt64LE(BigInt(offset), 18);
  return bound;
}
