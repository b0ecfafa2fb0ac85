/** The sockets that were handed over: which are idle, and how they end when this front is replaced. */
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Clock } from "../base/index.js";

/** How long streams may go on after the front was told to retire. */
export const RETIRE_LIMIT_MS = 60_000;
/** Open connections; more are closed as they come. */
export const CONNECTIONS_MAX = 4_096;

export class Connections {
  /** Socket → number of requests (or upgraded streams) under way on it. */
  readonly #busy = new Map<Socket, number>();
  readonly #server: Server;
  readonly #clock: Clock;
  #isRetiring = false;
  #onEmpty: (() => void) | undefined;

  constructor(server: Server, clock: Clock) {
    this.#server = server;
    this.#clock = clock;
    server.on("request", (request: IncomingMessage, response: ServerResponse) => {
      this.#begin(request.socket);
      response.once("close", () => {
        this.#end(request.socket);
      });
    });
    server.on("upgrade", (request: IncomingMessage) => {
      // An upgraded socket is one stream until it closes.
      this.#begin(request.socket);
    });
  }

  get isRetiring(): boolean {
    return this.#isRetiring;
  }

  get count(): number {
    return this.#busy.size;
  }

  accept(socket: Socket): void {
    if (this.#isRetiring || this.#busy.size >= CONNECTIONS_MAX) {
      socket.destroy();
      return;
    }
    // `docker exec -i` and `attach` end their input before the output is complete; a socket that came by IPC would then end
    // its other half by itself.
    socket.allowHalfOpen = true;
    this.#busy.set(socket, 0);
    socket.once("close", () => {
      this.#busy.delete(socket);
      if (this.#busy.size === 0) this.#onEmpty?.();
    });
    this.#server.emit("connection", socket);
    // Handed-over sockets arrive paused; the parser reads only from a flowing one.
    socket.resume();
  }

  /** Resolves when every socket has closed, at most RETIRE_LIMIT_MS later. */
  async retire(): Promise<void> {
    this.#isRetiring = true;
    for (const [socket, busyCount] of this.#busy) if (busyCount === 0) socket.end();
    await new Promise<void>((resolve) => {
      if (this.#busy.size === 0) {
        resolve();
        return;
      }
      const cancel = this.#clock.setTimer(RETIRE_LIMIT_MS, () => {
        this.cut();
        resolve();
      });
      this.#onEmpty = () => {
        cancel();
        resolve();
      };
    });
  }

  cut(): void {
    this.#isRetiring = true;
    for (const socket of this.#busy.keys()) socket.destroy();
  }

  #begin(socket: Socket): void {
    const count = this.#busy.get(socket);
    if (count !== undefined) this.#busy.set(socket, count + 1);
  }

  #end(socket: Socket): void {
    const count = this.#busy.get(socket);
    if (count === undefined) return;
    this.#busy.set(socket, Math.max(0, count - 1));
    if (this.#isRetiring && count <= 1) socket.end();
  }
}
