import { EventEmitter } from "node:events";
import type { ServerDuplexStream } from "@grpc/grpc-js";

/** A server's end of a bidirectional stream without a network: keeps what was written, emits what the test sends. */
export class FakeCall<In, Out> extends EventEmitter {
  readonly written: Out[] = [];
  cancelled = false;
  destroyed = false;
  writableNeedDrain = false;
  isEnded = false;
  error: (Error & { code?: number }) | undefined;
  #isPaused = false;
  #waiting: In[] = [];

  constructor() {
    super();
    this.on("error", (error: Error) => {
      this.error ??= error;
      this.isEnded = true;
    });
  }

  /** As the other end sends it. */
  receive(message: In): void {
    if (this.#isPaused) this.#waiting.push(message);
    else this.emit("data", message);
  }

  cancel(): void {
    this.cancelled = true;
    this.emit("cancelled");
  }

  write(message: Out, done?: () => void): boolean {
    this.written.push(message);
    if (done !== undefined) queueMicrotask(done);
    return !this.writableNeedDrain;
  }

  end(): void {
    this.isEnded = true;
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    for (const message of this.#waiting.splice(0)) this.emit("data", message);
  }

  /** For handing it to the code under test. */
  get asCall(): ServerDuplexStream<In, Out> {
    return this as unknown as ServerDuplexStream<In, Out>;
  }
}
