import { Duplex } from "node:stream";
import type { ServerDuplexStream } from "@grpc/grpc-js";
import type { swarm } from "../../api/index.js";
import { cutFrames, FRAME_DATA_MAX, TUNNEL_BUFFER_MAX } from "./frames.js";

export type TunnelCall = ServerDuplexStream<swarm.tunnel.TunnelFrame, swarm.tunnel.ITunnelFrame>;

/**
 * A byte stream over one Tunnel.Open call. Back-pressure both ways: reading pauses the call when the buffer is full, and
 * a write is done once the call has taken it. Each direction ends on its own (`end` frame); the call ends after both.
 */
export class TunnelDuplex extends Duplex {
  readonly #call: TunnelCall;
  #isReadEnded = false;
  #isWriteEnded = false;

  /** `first`: the frame that named the tunnel; it may carry data already. */
  constructor(call: TunnelCall, first: swarm.tunnel.TunnelFrame) {
    super({
      allowHalfOpen: true,
      readableHighWaterMark: TUNNEL_BUFFER_MAX,
      writableHighWaterMark: TUNNEL_BUFFER_MAX,
    });
    this.#call = call;
    call.on("data", (frame: swarm.tunnel.TunnelFrame) => {
      this.#onFrame(frame);
    });
    call.on("end", () => {
      if (!this.#isReadEnded) this.destroy(broken("the node closed the tunnel"));
    });
    call.on("cancelled", () => {
      if (!this.#isReadEnded || !this.#isWriteEnded) this.destroy(broken("the node went away"));
    });
    call.on("error", () => {
      this.destroy(broken("the connection broke"));
    });
    call.pause();
    this.#onFrame(first);
  }

  override _read(): void {
    this.#call.resume();
  }

  override _write(
    chunk: Buffer,
    _encoding: BufferEncoding,
    done: (error?: Error | null) => void,
  ): void {
    // The call gives each frame's callback when HTTP/2 has taken it: waiting for the last one is the back-pressure.
    let pendingCount = Math.ceil(chunk.byteLength / FRAME_DATA_MAX);
    if (pendingCount === 0) done();
    for (const data of cutFrames(chunk)) {
      this.#call.write({ data }, () => {
        pendingCount -= 1;
        if (pendingCount === 0) done();
      });
    }
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#call.write({ end: true });
    this.#isWriteEnded = true;
    this.#endWhenBothAre();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    if (error === null && this.#isReadEnded && this.#isWriteEnded) {
      done(null);
      return;
    }
    // Ends the call with a status other than OK: the node sees that the stream did not end by itself.
    if (!this.#call.destroyed) {
      this.#call.emit("error", Object.assign(new Error("closed by the manager"), { code: 1 }));
    }
    done(error);
  }

  #onFrame(frame: swarm.tunnel.TunnelFrame): void {
    if (this.#isReadEnded) return;
    if (frame.data.byteLength > 0 && !this.push(frame.data)) this.#call.pause();
    if (!frame.end) return;
    this.#isReadEnded = true;
    this.push(null);
    // Nothing more is read: the call's own end must still be seen.
    this.#call.resume();
    this.#endWhenBothAre();
  }

  #endWhenBothAre(): void {
    if (this.#isReadEnded && this.#isWriteEnded) this.#call.end();
  }
}

function broken(why: string): Error {
  return Object.assign(new Error(`tunnel broken: ${why}`), { code: "ECONNRESET" });
}
