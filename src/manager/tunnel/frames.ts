/** Cutting a byte stream into tunnel frames. Pure. */

/** Most bytes in one frame. */
export const FRAME_DATA_MAX = 64 * 1024;
/** Most bytes held for one direction of one tunnel; the sender waits beyond it. */
export const TUNNEL_BUFFER_MAX = 256 * 1024;

/** Views of `chunk`, each at most FRAME_DATA_MAX; none for an empty chunk. */
export function* cutFrames(chunk: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < chunk.byteLength; at += FRAME_DATA_MAX)
    yield chunk.subarray(at, at + FRAME_DATA_MAX);
}
