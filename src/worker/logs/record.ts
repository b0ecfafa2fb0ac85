/**
 * One log record = one line of the task's log file:
 *   `<time, Unix ns, 19 digits> <o|e><F|P> <spool offset after it> <payload>\n`
 * F: the container wrote a newline after the payload (or ended); P: the line goes on in the next record of the stream.
 * The offset makes a restarted agent find out what it had already written.
 */

export type LogStream = "stdout" | "stderr";

export type LogRecord = {
  readonly stream: LogStream;
  /** 19 digits: texts compare like the numbers. */
  readonly timeNs: string;
  readonly isPartial: boolean;
  readonly endOffset: number;
  /** Without the newline. A view into the chunk it was read from. */
  readonly payload: Buffer;
};

/** Longer lines are split, as Docker does. */
export const PAYLOAD_MAX_BYTES = 16 * 1024;
/** Payload, header and newline at their longest. */
export const RECORD_MAX_BYTES = PAYLOAD_MAX_BYTES + 64;

const NEWLINE = 0x0a;
const SPACE = 0x20;
const NEWLINE_BYTES = Buffer.from("\n");

export type Chunk = {
  readonly payload: Buffer;
  readonly isPartial: boolean;
  readonly endOffset: number;
};

/**
 * Cuts spool bytes that begin at `offset` into chunks. An unfinished line shorter than the limit is left for the next
 * time, unless `isFinal`: then the container is gone and nothing will end the line.
 */
export function cutLines(bytes: Buffer, offset: number, isFinal: boolean): readonly Chunk[] {
  const chunks: Chunk[] = [];
  let from = 0;
  while (from < bytes.length) {
    const newline = bytes.indexOf(NEWLINE, from);
    const end = newline === -1 ? bytes.length : newline;
    while (end - from > PAYLOAD_MAX_BYTES) {
      const to = from + PAYLOAD_MAX_BYTES;
      chunks.push({ payload: bytes.subarray(from, to), isPartial: true, endOffset: offset + to });
      from = to;
    }
    if (newline === -1) {
      if (isFinal) {
        chunks.push({
          payload: bytes.subarray(from, end),
          isPartial: false,
          endOffset: offset + end,
        });
      }
      break;
    }
    chunks.push({
      payload: bytes.subarray(from, end),
      isPartial: false,
      endOffset: offset + newline + 1,
    });
    from = newline + 1;
  }
  return chunks;
}

/** Time stamps that grow with every record, also within one millisecond. */
export class Stamper {
  #lastMs = 0;
  #count = 0;

  next(wallMs: number): string {
    const ms = Math.max(Math.floor(wallMs), this.#lastMs);
    this.#count = ms === this.#lastMs ? this.#count + 1 : 0;
    // A million records within one millisecond: borrow from the next.
    this.#lastMs = this.#count > 999_999 ? ms + 1 : ms;
    if (this.#count > 999_999) this.#count = 0;
    return `${this.#lastMs}${String(this.#count).padStart(6, "0")}`;
  }
}

export function encodeRecords(
  stream: LogStream,
  chunks: readonly Chunk[],
  stamp: () => string,
): Buffer {
  const mark = stream === "stdout" ? "o" : "e";
  const pieces: Buffer[] = [];
  for (const chunk of chunks) {
    const kind = chunk.isPartial ? "P" : "F";
    pieces.push(
      Buffer.from(`${stamp()} ${mark}${kind} ${chunk.endOffset} `, "latin1"),
      chunk.payload,
      NEWLINE_BYTES,
    );
  }
  return Buffer.concat(pieces);
}

/** Reads one line (without its newline); undefined if it is not a record. */
export function parseRecord(line: Buffer): LogRecord | undefined {
  const timeEnd = line.indexOf(SPACE);
  const offsetStart = timeEnd + 4;
  const offsetEnd = line.indexOf(SPACE, offsetStart);
  if (timeEnd !== 19 || offsetEnd === -1) return undefined;
  const mark = line[timeEnd + 1];
  const endOffset = Number(line.toString("latin1", offsetStart, offsetEnd));
  if ((mark !== 0x6f && mark !== 0x65) || !Number.isSafeInteger(endOffset)) return undefined;
  return {
    stream: mark === 0x6f ? "stdout" : "stderr",
    timeNs: line.toString("latin1", 0, timeEnd),
    isPartial: line[timeEnd + 2] === 0x50,
    endOffset,
    payload: line.subarray(offsetEnd + 1),
  };
}

/** Calls back for each complete line of `bytes`; the result is the number of bytes consumed. */
export function eachLine(bytes: Buffer, callback: (line: Buffer) => void): number {
  let from = 0;
  for (;;) {
    const newline = bytes.indexOf(NEWLINE, from);
    if (newline === -1) return from;
    callback(bytes.subarray(from, newline));
    from = newline + 1;
  }
}
