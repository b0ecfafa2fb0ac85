import type { SnapshotMeta } from "../core/entry.js";
import { RaftError } from "../errors.js";
import { ByteReader, ByteWriter } from "../wire/bytes.js";
import { readSnapshotMeta, writeSnapshotMeta } from "../wire/entry-codec.js";
import { crc32 } from "./crc32.js";
import type { DiskFile } from "./disk.js";
import { encodeFrame, FRAME_OVERHEAD_BYTES, intactFrameEnd, openFrame } from "./frame.js";
import type { Sealer } from "./sealer.js";

/**
 * A snapshot file: "RAFTSNP" and the format version, the index (u64), then frames: one with the metadata,
 * data frames of exactly SNAPSHOT_SLICE_BYTES (the last may be shorter), one trailer {total bytes, CRC-32}.
 * Data frames have a fixed size so that a transfer can go on from any slice.
 */
const MAGIC = Buffer.from("RAFTSNP\x01", "latin1");
const HEADER_BYTES = 16;
/** Bytes of state per frame, and per chunk of a transfer. */
export const SNAPSHOT_SLICE_BYTES = 256 * 1024;
const DATA_FRAME_BYTES = SNAPSHOT_SLICE_BYTES + FRAME_OVERHEAD_BYTES;
/** Dirty bytes let pile up before a sync, so that the final one does not hold up the log's flushes. */
const SYNC_EVERY_BYTES = 8 * 1024 * 1024;

/** Writes a snapshot's bytes in order. The caller renames the file once `finish` resolved. */
export class SnapshotWriter {
  readonly #file: DiskFile;
  readonly #sealer: Sealer;
  readonly #index: number;
  readonly #slice = Buffer.allocUnsafe(SNAPSHOT_SLICE_BYTES);
  #sliceLength = 0;
  #offset: number;
  #unsynced = 0;
  #total = 0;
  #crc = 0;

  private constructor(file: DiskFile, sealer: Sealer, index: number, offset: number) {
    this.#file = file;
    this.#sealer = sealer;
    this.#index = index;
    this.#offset = offset;
  }

  static async begin(file: DiskFile, sealer: Sealer, meta: SnapshotMeta): Promise<SnapshotWriter> {
    const header = Buffer.alloc(HEADER_BYTES);
    MAGIC.copy(header);
    header.writeBigUInt64LE(BigInt(meta.index), 8);
    const w = new ByteWriter();
    writeSnapshotMeta(w, meta);
    const frame = encodeFrame(sealer, meta.index, HEADER_BYTES, w.finish());
    const start = Buffer.concat([header, frame]);
    await file.write(0, start);
    return new SnapshotWriter(file, sealer, meta.index, start.length);
  }

  get totalBytes(): number {
    return this.#total;
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.#crc = crc32(bytes, this.#crc);
    this.#total += bytes.length;
    let done = 0;
    while (done < bytes.length) {
      const count = Math.min(bytes.length - done, SNAPSHOT_SLICE_BYTES - this.#sliceLength);
      this.#slice.set(bytes.subarray(done, done + count), this.#sliceLength);
      this.#sliceLength += count;
      done += count;
      if (this.#sliceLength === SNAPSHOT_SLICE_BYTES) await this.#writeSlice();
    }
  }

  /** Durable after this; closes the file. */
  async finish(): Promise<void> {
    if (this.#sliceLength > 0) await this.#writeSlice();
    const w = new ByteWriter(32);
    w.uint(this.#total);
    w.uint(this.#crc);
    await this.#writeFrame(w.finish());
    await this.#file.sync();
    await this.#file.close();
  }

  async abort(): Promise<void> {
    await this.#file.close();
  }

  async #writeSlice(): Promise<void> {
    await this.#writeFrame(this.#slice.subarray(0, this.#sliceLength));
    this.#sliceLength = 0;
    if (this.#unsynced < SYNC_EVERY_BYTES) return;
    await this.#file.sync();
    this.#unsynced = 0;
  }

  async #writeFrame(plaintext: Uint8Array): Promise<void> {
    const frame = encodeFrame(this.#sealer, this.#index, this.#offset, plaintext);
    await this.#file.write(this.#offset, frame);
    this.#offset += frame.length;
    this.#unsynced += frame.length;
  }
}

/** An open snapshot file whose frames are all known to be intact. */
export class SnapshotReader {
  readonly meta: SnapshotMeta;
  readonly totalBytes: number;
  readonly keyIds: ReadonlySet<number>;
  readonly #file: DiskFile;
  readonly #sealer: Sealer;
  readonly #dataStart: number;

  private constructor(file: DiskFile, sealer: Sealer, check: Checked) {
    this.#file = file;
    this.#sealer = sealer;
    this.meta = check.meta;
    this.totalBytes = check.totalBytes;
    this.keyIds = check.keyIds;
    this.#dataStart = check.dataStart;
  }

  /** Checks the whole file. Rejects with DAMAGED or KEY_MISSING; the caller closes `file` then. */
  static async open(file: DiskFile, sealer: Sealer): Promise<SnapshotReader> {
    return new SnapshotReader(file, sealer, await checkFile(file, sealer));
  }

  /** The slice that begins at `offset`, a multiple of SNAPSHOT_SLICE_BYTES below `totalBytes`. */
  async slice(offset: number): Promise<Uint8Array> {
    const at = this.#dataStart + (offset / SNAPSHOT_SLICE_BYTES) * DATA_FRAME_BYTES;
    const length = Math.min(SNAPSHOT_SLICE_BYTES, this.totalBytes - offset);
    const { plaintext } = await readFrame(this.#file, this.#sealer, this.meta.index, at, length);
    return plaintext;
  }

  async *chunks(): AsyncGenerator<Uint8Array> {
    for (let offset = 0; offset < this.totalBytes; offset += SNAPSHOT_SLICE_BYTES) {
      yield await this.slice(offset);
    }
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}

type Checked = {
  readonly meta: SnapshotMeta;
  readonly totalBytes: number;
  readonly dataStart: number;
  readonly keyIds: ReadonlySet<number>;
};

async function checkFile(file: DiskFile, sealer: Sealer): Promise<Checked> {
  const sizeBytes = await file.sizeBytes();
  const header = asBuffer(await file.read(0, HEADER_BYTES));
  if (header.length < HEADER_BYTES || !header.subarray(0, 8).equals(MAGIC)) throw damaged(file, 0);
  const index = Number(header.readBigUInt64LE(8));
  const first = await readFrame(file, sealer, index, HEADER_BYTES);
  const meta = readSnapshotMeta(new ByteReader(first.plaintext));
  const keyIds = new Set([first.keyId]);
  let offset = first.end;
  let total = 0;
  let crc = 0;
  for (;;) {
    const frame = await readFrame(file, sealer, index, offset);
    keyIds.add(frame.keyId);
    if (frame.end === sizeBytes) {
      checkTrailer(file, offset, frame.plaintext, total, crc);
      return { meta, totalBytes: total, dataStart: first.end, keyIds };
    }
    total += frame.plaintext.length;
    crc = crc32(frame.plaintext, crc);
    offset = frame.end;
  }
}

function checkTrailer(
  file: DiskFile,
  offset: number,
  trailer: Uint8Array,
  total: number,
  crc: number,
): void {
  const r = new ByteReader(trailer);
  if (r.uint() !== total || r.uint() !== crc) throw damaged(file, offset);
}

/** Reads and opens the frame at `offset`; without a known length its header is read first. */
async function readFrame(
  file: DiskFile,
  sealer: Sealer,
  index: number,
  offset: number,
  plaintextBytes?: number,
): Promise<{ plaintext: Uint8Array; keyId: number; end: number }> {
  let length = DATA_FRAME_BYTES;
  if (plaintextBytes !== undefined) length = plaintextBytes + FRAME_OVERHEAD_BYTES;
  let bytes = asBuffer(await file.read(offset, length));
  let end = intactFrameEnd(bytes, 0);
  if (end === undefined && bytes.length === DATA_FRAME_BYTES) {
    // Metadata of a very large group may exceed a data frame.
    bytes = asBuffer(await file.read(offset, DATA_FRAME_BYTES * 16));
    end = intactFrameEnd(bytes, 0);
  }
  if (end === undefined) throw damaged(file, offset);
  const where = `${file.path} at offset ${offset}`;
  const frame = openFrame(sealer, index, bytes, 0, end, where, offset);
  return { plaintext: frame.plaintext, keyId: frame.keyId, end: offset + end };
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function damaged(file: DiskFile, offset: number): RaftError {
  return new RaftError("DAMAGED", `${file.path}: damaged snapshot at offset ${offset}`);
}
