import type { Socket } from "node:net";
import type { Clock } from "../../base/index.js";
import { HEADER_BYTES } from "./wire.js";

/** A connection without a whole question for this long is closed (RFC 7766 §6.2.3 leaves the time to us). */
export const TCP_IDLE_MS = 10_000;
/** Questions of one connection that are worked on at the same time; the rest is not read yet. */
export const TCP_PIPELINE_MAX = 16;
/** Answers a client may leave unread. */
const TCP_UNREAD_MAX_BYTES = 256 * 1024;
const LENGTH_BYTES = 2;

/** undefined: no answer, the connection ends. */
export type TcpAnswer = (message: Buffer) => Promise<Buffer> | Buffer | undefined;

/** Questions and answers over one connection, each with its length before it; answers go out as they are ready (RFC 7766). */
export function serveTcp(socket: Socket, clock: Clock, answer: TcpAnswer): void {
  new TcpConnection(socket, clock, answer).serve();
}

class TcpConnection {
  readonly #socket: Socket;
  readonly #clock: Clock;
  readonly #answer: TcpAnswer;
  /** Read and not worked on: less than one message, or what came while too many were worked on. */
  #pending: Buffer = Buffer.alloc(0);
  #running = 0;
  #isEnded = false;
  #cancelIdle: () => void = () => undefined;

  constructor(socket: Socket, clock: Clock, answer: TcpAnswer) {
    this.#socket = socket;
    this.#clock = clock;
    this.#answer = answer;
  }

  serve(): void {
    this.#socket.on("data", (chunk: Buffer) => {
      this.#pending = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
      this.#work();
    });
    this.#socket.on("end", () => {
      this.#isEnded = true;
      this.#work();
    });
    this.#socket.on("error", () => this.#socket.destroy());
    this.#socket.on("close", () => this.#cancelIdle());
    this.#restartIdle();
  }

  #work(): void {
    while (this.#running < TCP_PIPELINE_MAX && !this.#socket.destroyed) {
      const message = this.#take();
      if (message === undefined) break;
      const result = message.length < HEADER_BYTES ? undefined : this.#answer(message);
      if (result === undefined) this.#socket.destroy();
      else if (result instanceof Promise) this.#await(result);
      else this.#send(result);
    }
    if (this.#running >= TCP_PIPELINE_MAX) this.#socket.pause();
    else this.#socket.resume();
    if (this.#isEnded && this.#running === 0) this.#socket.end();
  }

  /** The next whole message; undefined when it is not there yet. */
  #take(): Buffer | undefined {
    if (this.#pending.length < LENGTH_BYTES) return undefined;
    const end = LENGTH_BYTES + this.#pending.readUInt16BE(0);
    if (this.#pending.length < end) return undefined;
    const message = this.#pending.subarray(LENGTH_BYTES, end);
    this.#pending = this.#pending.subarray(end);
    return message;
  }

  #await(result: Promise<Buffer>): void {
    this.#running += 1;
    const finish = (bytes: Buffer): void => {
      this.#running -= 1;
      if (this.#socket.destroyed) return;
      this.#send(bytes);
      this.#work();
    };
    void result.then(finish, () => this.#socket.destroy());
  }

  #send(bytes: Buffer): void {
    const length = Buffer.alloc(LENGTH_BYTES);
    length.writeUInt16BE(bytes.length);
    this.#socket.write(Buffer.concat([length, bytes]));
    if (this.#socket.writableLength > TCP_UNREAD_MAX_BYTES) this.#socket.destroy();
    else this.#restartIdle();
  }

  #restartIdle(): void {
    this.#cancelIdle();
    this.#cancelIdle = this.#clock.setTimer(TCP_IDLE_MS, () => {
      if (this.#running > 0) this.#restartIdle();
      else this.#socket.destroy();
    });
  }
}
