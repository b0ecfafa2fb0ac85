import { join } from "node:path";
import { RaftError } from "../errors.js";
import type { Disk } from "./disk.js";
import { findIntactFrame, intactFrameEnd, openFrame } from "./frame.js";
import { readRecords, type WalRecord } from "./record.js";
import type { Sealer } from "./sealer.js";

/**
 * A segment file: "RAFTWAL" and the format version, its sequence number (u64), then frames. It gets its name
 * only after its first frame (with a head record) is durable, so a named segment is never empty.
 */
const MAGIC = Buffer.from("RAFTWAL\x01", "latin1");
export const SEGMENT_HEADER_BYTES = 16;
const NAME = /^wal-(\d{16})\.log$/;

export function segmentName(sequence: number): string {
  return `wal-${String(sequence).padStart(16, "0")}.log`;
}

export function segmentSequence(name: string): number | undefined {
  const digits = NAME.exec(name)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

export function segmentHeader(sequence: number): Buffer {
  const header = Buffer.alloc(SEGMENT_HEADER_BYTES);
  MAGIC.copy(header);
  header.writeBigUInt64LE(BigInt(sequence), 8);
  return header;
}

export type SegmentContent = {
  readonly sizeBytes: number;
  /** Bytes of an unfinished last frame behind the intact ones; never acknowledged to anyone. */
  readonly tornBytes: number;
  readonly keyIds: ReadonlySet<number>;
};

/** Reads one segment, handing its records to `feed`. Only the last one may have a torn end. */
export async function readSegment(
  disk: Disk,
  dir: string,
  sequence: number,
  sealer: Sealer,
  isLast: boolean,
  feed: (record: WalRecord, where: string) => void,
): Promise<SegmentContent> {
  const path = join(dir, segmentName(sequence));
  const content = await readWhole(disk, path);
  if (!content.subarray(0, SEGMENT_HEADER_BYTES).equals(segmentHeader(sequence))) {
    throw new RaftError("DAMAGED", `${path}: bad header at offset 0`);
  }
  const keyIds = new Set<number>();
  let offset = SEGMENT_HEADER_BYTES;
  while (offset < content.length) {
    const end = intactFrameEnd(content, offset);
    if (end === undefined) {
      refuseDamage(content, offset, path, isLast);
      break;
    }
    const where = `${path} at offset ${offset}`;
    const frame = openFrame(sealer, sequence, content, offset, end, where);
    keyIds.add(frame.keyId);
    for (const record of readRecords(frame.plaintext)) feed(record, where);
    offset = end;
  }
  if (offset === SEGMENT_HEADER_BYTES) {
    throw new RaftError("DAMAGED", `${path}: no intact frame at offset ${offset}`);
  }
  return { sizeBytes: offset, tornBytes: content.length - offset, keyIds };
}

/**
 * One flush is in flight at a time, so a crash can only spoil the very last frame. A bad frame anywhere else
 * was acknowledged once: going on without it would lose committed entries or forget a vote.
 */
function refuseDamage(content: Buffer, offset: number, path: string, isLast: boolean): void {
  const next = findIntactFrame(content, offset + 1);
  if (isLast && next === undefined) return;
  const behind =
    next === undefined ? "later segments follow" : `an intact frame follows at ${next}`;
  throw new RaftError("DAMAGED", `${path}: damaged frame at offset ${offset}; ${behind}`);
}

async function readWhole(disk: Disk, path: string): Promise<Buffer> {
  const file = await disk.open(path, "read");
  try {
    const bytes = await file.read(0, await file.sizeBytes());
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  } finally {
    await file.close();
  }
}
