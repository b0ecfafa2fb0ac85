/**
 * A snapshot: length-prefixed records. Header; cluster, nodes, services, networks, secrets, configs; tasks, each spec
 * before the first task that uses it; kept results; end with the number of records and a CRC-32 of all bytes before it.
 */
import {
  type Cluster,
  type Config,
  encodeSnapshotRecord,
  type Network,
  type Node,
  type Secret,
  type Service,
  type SnapshotRecord,
  SpecTable,
  type StoredResultRecord,
  type Task,
} from "../api/index.js";
import { crc32 } from "./crc32.js";
import { type Pace, TimeSlice } from "./time-slice.js";

export const SNAPSHOT_FORMAT = 1;
/** Small enough that putting one together and its checksum stay far below a slice. */
const CHUNK_BYTES = 64 * 1024;

/** Everything as of one index: objects are immutable, the tables hand out what does not change any more. */
export type SnapshotFrame = {
  readonly index: number;
  readonly clusters: readonly Cluster[];
  readonly nodes: readonly Node[];
  readonly services: readonly Service[];
  readonly networks: readonly Network[];
  readonly secrets: readonly Secret[];
  readonly configs: readonly Config[];
  /** Walked once. */
  readonly tasks: Iterable<Task>;
  readonly results: readonly StoredResultRecord[];
};

/** Encodes in slices; a chunk may be kept by the reader. */
export async function* encodeSnapshot(
  frame: SnapshotFrame,
  pace: Pace,
): AsyncGenerator<Uint8Array, void, undefined> {
  const slice = new TimeSlice(pace);
  const buffer = new RecordBuffer();
  const specs = new SpecTable((specJson) => {
    buffer.append(encodeSnapshotRecord({ kind: "spec", specJson }, noSpecs));
  });
  for (const record of recordsOf(frame)) {
    // Encoding a task may append its spec first: the table calls back before the task's own bytes exist.
    const bytes = encodeSnapshotRecord(record, specs.refOf);
    buffer.append(bytes);
    if (buffer.sizeBytes >= CHUNK_BYTES) yield buffer.take();
    if (slice.isOver(bytes.length)) await slice.next();
  }
  const crc = buffer.crc();
  const end: SnapshotRecord = { kind: "end", recordCount: buffer.recordCount, crc32: crc };
  buffer.append(encodeSnapshotRecord(end, noSpecs));
  yield buffer.take();
}

function* recordsOf(frame: SnapshotFrame): Iterable<SnapshotRecord> {
  yield { kind: "header", format: SNAPSHOT_FORMAT, index: frame.index };
  for (const object of frame.clusters) yield { kind: "cluster", object };
  for (const object of frame.nodes) yield { kind: "node", object };
  for (const object of frame.services) yield { kind: "service", object };
  for (const object of frame.networks) yield { kind: "network", object };
  for (const object of frame.secrets) yield { kind: "secret", object };
  for (const object of frame.configs) yield { kind: "config", object };
  for (const object of frame.tasks) yield { kind: "task", object };
  for (const result of frame.results) yield { kind: "result", result };
}

function noSpecs(): number {
  throw new Error("only a task refers to a spec");
}

/** Gathers records with their lengths, and keeps the running checksum. */
class RecordBuffer {
  #parts: Uint8Array[] = [];
  #sizeBytes = 0;
  #crc = 0;
  #recordCount = 0;

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  get recordCount(): number {
    return this.#recordCount;
  }

  append(record: Uint8Array): void {
    const prefix = varint(record.length);
    this.#parts.push(prefix, record);
    this.#sizeBytes += prefix.length + record.length;
    this.#recordCount++;
  }

  /** Of everything appended so far. */
  crc(): number {
    this.#parts = [this.take()];
    this.#sizeBytes = this.#parts[0]?.length ?? 0;
    return this.#crc;
  }

  /** Everything since the last call, as one chunk. */
  take(): Uint8Array {
    const chunk = new Uint8Array(this.#sizeBytes);
    let at = 0;
    for (const part of this.#parts) {
      chunk.set(part, at);
      at += part.length;
    }
    this.#parts = [];
    this.#sizeBytes = 0;
    this.#crc = crc32(chunk, this.#crc);
    return chunk;
  }
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest & 0x7f) | 0x80);
    rest >>>= 7;
  }
  bytes.push(rest);
  return Uint8Array.from(bytes);
}
