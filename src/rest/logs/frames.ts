/** The Engine's multiplexed stream: 8-byte header {stream, 0, 0, 0, uint32 length}, then the payload (spec §2.4). */

export const STREAM = { stdout: 1, stderr: 2, error: 3 } as const;
export type StreamNumber = (typeof STREAM)[keyof typeof STREAM];

const HEADER_BYTES = 8;
/** A log line is at most 16 KiB and some prefix; anything near this is not a log stream. */
const FRAME_BYTES_MAX = 256 * 1024;

export type Frame = { readonly stream: StreamNumber; readonly payload: Buffer };

export function encodeFrame(stream: StreamNumber, payload: Buffer): Buffer {
  const frame = Buffer.allocUnsafe(HEADER_BYTES + payload.length);
  frame.writeUInt32BE(stream * 0x0100_0000, 0);
  frame.writeUInt32BE(payload.length, 4);
  payload.copy(frame, HEADER_BYTES);
  return frame;
}

/** Cuts a byte stream into frames. Throws on bytes that are none. */
export async function* readFrames(bytes: AsyncIterable<Buffer>): AsyncGenerator<Frame> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of bytes) {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let at = 0;
    while (rest.length - at >= HEADER_BYTES) {
      const stream = rest[at];
      const length = rest.readUInt32BE(at + 4);
      if ((stream !== 1 && stream !== 2 && stream !== 3) || length > FRAME_BYTES_MAX) {
        throw new Error(`not a log stream: frame of ${length} bytes on stream ${stream}`);
      }
      if (rest.length - at < HEADER_BYTES + length) break;
      yield { stream, payload: rest.subarray(at + HEADER_BYTES, at + HEADER_BYTES + length) };
      at += HEADER_BYTES + length;
    }
    rest = rest.subarray(at);
  }
  if (rest.length > 0) throw new Error("the log stream ended in the middle of a frame");
}

const NEWLINE = 0x0a;

/** Cuts the raw stream of a terminal into lines, all on stdout. */
export async function* readLines(bytes: AsyncIterable<Buffer>): AsyncGenerator<Frame> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of bytes) {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let at = 0;
    for (let end = rest.indexOf(NEWLINE); end >= 0; end = rest.indexOf(NEWLINE, at)) {
      yield { stream: STREAM.stdout, payload: rest.subarray(at, end + 1) };
      at = end + 1;
    }
    rest = rest.subarray(at);
    if (rest.length > FRAME_BYTES_MAX) {
      yield { stream: STREAM.stdout, payload: rest };
      rest = Buffer.alloc(0);
    }
  }
  if (rest.length > 0) yield { stream: STREAM.stdout, payload: rest };
}
