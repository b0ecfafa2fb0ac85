/** What waits to be sent to one peer, and how it is cut into frames. Pure. */

/** Messages waiting for one peer; beyond it `send` answers false and Raft backs off. */
export const QUEUE_MESSAGES_MAX = 4096;
/** Bytes waiting for one peer. A single larger message is taken when nothing else waits. */
export const QUEUE_BYTES_MAX = 8 * 1024 * 1024;
/** One frame gathers messages up to about this size: enough to amortise gRPC, small enough not to hold up a heartbeat. */
export const FRAME_BYTES_MAX = 1024 * 1024;

export class PeerQueue {
  #messages: Uint8Array[] = [];
  #sizeBytes = 0;

  get isEmpty(): boolean {
    return this.#messages.length === 0;
  }

  /** False when a limit is reached; nothing was queued then. */
  push(message: Uint8Array): boolean {
    const isOver =
      this.#messages.length >= QUEUE_MESSAGES_MAX ||
      (this.#sizeBytes > 0 && this.#sizeBytes + message.byteLength > QUEUE_BYTES_MAX);
    if (isOver) return false;
    this.#messages.push(message);
    this.#sizeBytes += message.byteLength;
    return true;
  }

  /** Takes the oldest messages for one frame, in order; at least one. */
  takeFrame(): readonly Uint8Array[] {
    let count = 0;
    let sizeBytes = 0;
    for (const message of this.#messages) {
      if (count > 0 && sizeBytes + message.byteLength > FRAME_BYTES_MAX) break;
      sizeBytes += message.byteLength;
      count += 1;
    }
    const frame = this.#messages.splice(0, count);
    this.#sizeBytes -= sizeBytes;
    return frame;
  }

  clear(): void {
    this.#messages = [];
    this.#sizeBytes = 0;
  }
}
