import { join } from "node:path";
import type { Entry, HardState, SnapshotMeta } from "../core/entry.js";
import { invariant, RaftError } from "../errors.js";
import { INDEX_ZERO, TERM_ZERO } from "../ids.js";
import type { LogIndex, MemberId, Term } from "../types.js";
import { ByteWriter } from "../wire/bytes.js";
import type { Disk, DiskFile } from "./disk.js";
import { encodeFrame } from "./frame.js";
import { writeRecord } from "./record.js";
import { Replay, type ReplayedLog } from "./replay.js";
import type { Sealer } from "./sealer.js";
import {
  readSegment,
  SEGMENT_HEADER_BYTES,
  segmentHeader,
  segmentName,
  segmentSequence,
} from "./segment.js";

/** A segment past this is closed; the next frame starts another. */
export const SEGMENT_MAX_BYTES = 32 * 1024 * 1024;

/** What one Ready wants on disk, in this order: reset, entries, hard state. */
export type SaveBatch = {
  readonly reset: SnapshotMeta | undefined;
  readonly entries: readonly Entry[];
  readonly hardState: HardState | undefined;
};

export type WalOptions = {
  readonly disk: Disk;
  readonly dir: string;
  readonly memberId: MemberId;
  readonly sealer: Sealer;
  readonly segmentMaxBytes?: number;
};

type Segment = { readonly sequence: number; maxIndex: number; readonly keyIds: Set<number> };

/**
 * The durable log: segments of frames, one frame per flush. The caller keeps one `save` in flight at a time
 * and puts whatever queued up meanwhile into the next (group commit).
 */
export class Wal {
  readonly #options: WalOptions;
  readonly #segments: Segment[];
  #file: DiskFile | undefined;
  #offset: number;
  #hardState: HardState;
  #lastIndex: LogIndex;
  #lastTerm: Term;

  private constructor(
    options: WalOptions,
    segments: Segment[],
    file: DiskFile | undefined,
    offset: number,
    log: ReplayedLog | undefined,
  ) {
    this.#options = options;
    this.#segments = segments;
    this.#file = file;
    this.#offset = offset;
    this.#hardState = log?.hardState ?? { term: TERM_ZERO, vote: undefined, commit: INDEX_ZERO };
    const last = log?.entries.at(-1);
    this.#lastIndex = last?.index ?? log?.base ?? INDEX_ZERO;
    this.#lastTerm = last?.term ?? log?.baseTerm ?? TERM_ZERO;
  }

  /**
   * Reads the log in `dir`, cutting a torn end. `log` is undefined when there is none yet. Rejects with
   * DAMAGED (naming file and offset) or KEY_MISSING.
   */
  static async open(
    options: WalOptions,
  ): Promise<{ wal: Wal; log: ReplayedLog | undefined; tornBytes: number }> {
    const { disk, dir } = options;
    const sequences = await findSegments(disk, dir);
    const replay = new Replay();
    const segments: Segment[] = [];
    let offset = 0;
    let tornBytes = 0;
    for (const [at, sequence] of sequences.entries()) {
      let maxIndex = 0;
      const isLast = at === sequences.length - 1;
      const content = await readSegment(
        disk,
        dir,
        sequence,
        options.sealer,
        isLast,
        (record, where) => {
          replay.feed(record, where);
          if (record.kind === "head") maxIndex = Math.max(maxIndex, record.lastIndex);
          if (record.kind === "entry") maxIndex = Math.max(maxIndex, record.entry.index);
        },
      );
      segments.push({ sequence, maxIndex, keyIds: new Set(content.keyIds) });
      offset = content.sizeBytes;
      tornBytes = content.tornBytes;
    }
    const log = replay.finish();
    const last = segments.at(-1);
    const file =
      last === undefined ? undefined : await openLast(disk, dir, last.sequence, offset, tornBytes);
    return { wal: new Wal(options, segments, file, offset, log), log, tornBytes };
  }

  /** Ids of the keys that frames still on disk were written with. */
  get keyIds(): Set<number> {
    const found = new Set<number>();
    for (const segment of this.#segments) for (const id of segment.keyIds) found.add(id);
    return found;
  }

  /** Makes the batches durable as one frame. Undefined: durable already. A rejection is final for this object. */
  save(batches: readonly SaveBatch[]): Promise<void> | undefined {
    const isFull = this.#offset >= (this.#options.segmentMaxBytes ?? SEGMENT_MAX_BYTES);
    if (this.#file === undefined || isFull) return this.#saveInNewSegment(batches);
    return this.#writeFrame(this.#file, batches);
  }

  async #saveInNewSegment(batches: readonly SaveBatch[]): Promise<void> {
    await this.#startSegment();
    invariant(this.#file !== undefined, "a segment was started");
    await this.#writeFrame(this.#file, batches);
  }

  #writeFrame(file: DiskFile, batches: readonly SaveBatch[]): Promise<void> | undefined {
    const { sealer } = this.#options;
    const segment = this.#segments.at(-1);
    invariant(segment !== undefined, "a file is open without a segment");
    const w = new ByteWriter(sizeHint(batches));
    for (const batch of batches) this.#writeBatch(w, batch, segment);
    const frame = encodeFrame(sealer, segment.sequence, this.#offset, w.finish());
    const offset = this.#offset;
    this.#offset += frame.length;
    segment.keyIds.add(sealer.activeKeyId);
    return file.writeDurable(offset, frame);
  }

  #writeBatch(w: ByteWriter, batch: SaveBatch, segment: Segment): void {
    if (batch.reset !== undefined) {
      writeRecord(w, { kind: "reset", index: batch.reset.index, term: batch.reset.term });
      this.#lastIndex = batch.reset.index;
      this.#lastTerm = batch.reset.term;
    }
    for (const entry of batch.entries) {
      writeRecord(w, { kind: "entry", entry });
      segment.maxIndex = Math.max(segment.maxIndex, entry.index);
      this.#lastIndex = entry.index;
      this.#lastTerm = entry.term;
    }
    if (batch.hardState !== undefined) {
      writeRecord(w, { kind: "hardState", hardState: batch.hardState });
      this.#hardState = batch.hardState;
    }
  }

  /** Creates the next segment under a temporary name and renames it once its head is durable. */
  async #startSegment(): Promise<void> {
    const { disk, dir, sealer, memberId } = this.#options;
    const sequence = (this.#segments.at(-1)?.sequence ?? 0) + 1;
    const path = join(dir, segmentName(sequence));
    const w = new ByteWriter();
    writeRecord(w, {
      kind: "head",
      memberId,
      hardState: this.#hardState,
      lastIndex: this.#lastIndex,
      lastTerm: this.#lastTerm,
    });
    const frame = encodeFrame(sealer, sequence, SEGMENT_HEADER_BYTES, w.finish());
    const start = Buffer.concat([segmentHeader(sequence), frame]);
    const file = await disk.open(`${path}.tmp`, "create");
    await file.write(0, start);
    await file.sync();
    await disk.rename(`${path}.tmp`, path);
    await disk.syncDir(dir);
    await this.#file?.close();
    this.#file = file;
    this.#offset = start.length;
    const keyIds = new Set([sealer.activeKeyId]);
    this.#segments.push({ sequence, maxIndex: this.#lastIndex, keyIds });
  }

  /** Deletes segments in which every entry is at or below `index`, never the one being written. */
  async dropThrough(index: LogIndex): Promise<void> {
    const { disk, dir } = this.#options;
    let dropped = false;
    while (this.#segments.length > 1 && (this.#segments[0]?.maxIndex ?? 0) <= index) {
      const oldest = this.#segments.shift();
      if (oldest === undefined) break;
      await disk.remove(join(dir, segmentName(oldest.sequence)));
      dropped = true;
    }
    if (dropped) await disk.syncDir(dir);
  }

  async close(): Promise<void> {
    await this.#file?.close();
    this.#file = undefined;
  }
}

async function findSegments(disk: Disk, dir: string): Promise<number[]> {
  const sequences: number[] = [];
  for (const name of await disk.list(dir)) {
    const sequence = segmentSequence(name);
    if (sequence !== undefined) sequences.push(sequence);
    else if (/^wal-.*\.tmp$/.test(name)) await disk.remove(join(dir, name));
  }
  sequences.sort((a, b) => a - b);
  for (const [at, sequence] of sequences.entries()) {
    const expected = (sequences[0] ?? 0) + at;
    if (sequence === expected) continue;
    const path = join(dir, segmentName(expected));
    throw new RaftError(
      "DAMAGED",
      `${path}: the segment is missing (offset 0); later ones are there`,
    );
  }
  return sequences;
}

async function openLast(
  disk: Disk,
  dir: string,
  sequence: number,
  offset: number,
  tornBytes: number,
): Promise<DiskFile> {
  const file = await disk.open(join(dir, segmentName(sequence)), "write");
  if (tornBytes > 0) await file.truncate(offset);
  // Also without a torn end: what was read may have been in the page cache only when the process died.
  await file.sync();
  return file;
}

function sizeHint(batches: readonly SaveBatch[]): number {
  let bytes = 128;
  for (const batch of batches) {
    for (const entry of batch.entries) bytes += entry.data.length + 24;
  }
  return bytes;
}
