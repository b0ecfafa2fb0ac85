import { CodecError, decodeSnapshotRecord, type TaskSpec } from "../api/index.js";
import { unreachable } from "../base/index.js";
import { crc32 } from "./crc32.js";
import { KeptResults } from "./kept-results.js";
import { SnapshotError } from "./snapshot-error.js";
import { SNAPSHOT_FORMAT } from "./snapshot-writer.js";
import { Tables } from "./tables.js";
import { type Pace, TimeSlice } from "./time-slice.js";

/** A length beyond this is damage: the largest object is a config of about 1.4 MB. */
const RECORD_BYTES_MAX = 16 * 1024 * 1024;

export type RestoredState = {
  readonly index: number;
  readonly tables: Tables;
  readonly results: KeptResults;
};

/** Builds a state beside the living one, in slices. Throws SnapshotError; what the chunks' iterator throws passes through. */
export async function decodeSnapshot(
  chunks: AsyncIterable<Uint8Array>,
  pace: Pace,
): Promise<RestoredState> {
  const slice = new TimeSlice(pace);
  const splitter = new RecordSplitter();
  const builder = new StateBuilder();
  for await (const chunk of chunks) {
    splitter.push(chunk);
    for (let record = splitter.next(); record; record = splitter.next()) {
      builder.add(record, splitter);
      if (slice.isOver(record.length)) await slice.next();
    }
  }
  if (splitter.leftBytes > 0)
    throw new SnapshotError("TRUNCATED", `snapshot ends inside record ${builder.recordCount + 1}`);
  return builder.finish();
}

/** Cuts the chunks into records and keeps a checksum of what came before the current one. */
class RecordSplitter {
  #buffer = new Uint8Array(0);
  #at = 0;
  #crc = 0;
  #crcBefore = 0;

  /** CRC-32 of all bytes before the record that `next` returned last. */
  get crcBefore(): number {
    return this.#crcBefore;
  }

  get leftBytes(): number {
    return this.#buffer.length - this.#at;
  }

  push(chunk: Uint8Array): void {
    const left = this.#buffer.subarray(this.#at);
    this.#buffer = new Uint8Array(left.length + chunk.length);
    this.#buffer.set(left);
    this.#buffer.set(chunk, left.length);
    this.#at = 0;
  }

  next(): Uint8Array | undefined {
    let length = 0;
    let at = this.#at;
    for (let shift = 0; ; shift += 7) {
      const byte = this.#buffer[at++];
      if (byte === undefined) return undefined;
      length += (byte & 0x7f) * 2 ** shift;
      if (length > RECORD_BYTES_MAX || shift > 28)
        throw new SnapshotError("DAMAGED", `snapshot has a record of ${length} bytes or more`);
      if (byte < 0x80) break;
    }
    if (this.#buffer.length - at < length) return undefined;
    this.#crcBefore = this.#crc;
    this.#crc = crc32(this.#buffer.subarray(this.#at, at + length), this.#crc);
    this.#at = at + length;
    return this.#buffer.subarray(at, at + length);
  }
}

/** Takes the records in their order and checks it. */
class StateBuilder {
  readonly #tables = new Tables();
  readonly #results = new KeptResults();
  readonly #specs: TaskSpec[] = [];
  #index: number | undefined;
  #isEnded = false;
  #recordCount = 0;

  get recordCount(): number {
    return this.#recordCount;
  }

  add(bytes: Uint8Array, position: { readonly crcBefore: number }): void {
    const record = decoded(bytes, this.#specs, this.#recordCount + 1);
    if (this.#isEnded) throw new SnapshotError("DAMAGED", "snapshot goes on after its end record");
    if ((this.#index === undefined) !== (record.kind === "header"))
      throw new SnapshotError("DAMAGED", "snapshot does not start with one header");
    switch (record.kind) {
      case "header":
        if (record.format !== SNAPSHOT_FORMAT)
          throw new SnapshotError(
            "UNSUPPORTED_FORMAT",
            `snapshot format ${record.format} is not known to this version, which reads ${SNAPSHOT_FORMAT}`,
          );
        this.#index = record.index;
        break;
      case "spec":
        this.#specs.push(record.spec);
        break;
      case "cluster":
        this.#tables.cluster.put(record.object);
        break;
      case "node":
        this.#tables.node.put(record.object);
        break;
      case "service":
        this.#tables.service.put(record.object);
        break;
      case "network":
        this.#tables.network.put(record.object);
        break;
      case "secret":
        this.#tables.secret.put(record.object);
        break;
      case "config":
        this.#tables.config.put(record.object);
        break;
      case "task":
        this.#tables.putTask(record.object);
        break;
      case "result":
        this.#results.add(record.result);
        break;
      case "end":
        if (record.recordCount !== this.#recordCount)
          throw new SnapshotError(
            "DAMAGED",
            `snapshot has ${this.#recordCount} records and says ${record.recordCount}`,
          );
        if (record.crc32 !== position.crcBefore)
          throw new SnapshotError("DAMAGED", "snapshot does not match its checksum");
        this.#isEnded = true;
        break;
      default:
        return unreachable(record, "snapshot record");
    }
    this.#recordCount++;
  }

  finish(): RestoredState {
    if (this.#index === undefined || !this.#isEnded)
      throw new SnapshotError(
        "TRUNCATED",
        `snapshot ends after ${this.#recordCount} records, without an end record`,
      );
    return { index: this.#index, tables: this.#tables, results: this.#results };
  }
}

function decoded(
  bytes: Uint8Array,
  specs: readonly TaskSpec[],
  number: number,
): ReturnType<typeof decodeSnapshotRecord> {
  try {
    return decodeSnapshotRecord(bytes, specs);
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    throw new SnapshotError("DAMAGED", `snapshot record ${number} cannot be read`, {
      cause: error,
    });
  }
}
