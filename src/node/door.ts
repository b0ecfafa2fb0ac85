/** The REST listener: takes connections on the unix socket and hands each to the front that serves now (contracts §4). */
import { chmod, mkdir, rm } from "node:fs/promises";
import { connect, createServer, type Server, type Socket } from "node:net";
import { dirname } from "node:path";
import type { Clock, Logger } from "../base/index.js";
import { isErrno } from "./durable-file.js";
import type { SupervisorLimits } from "./limits.js";

/** What takes connections: a front child. */
export interface SocketTaker {
  giveSocket(socket: Socket): boolean;
}

type Waiting = { readonly socket: Socket; readonly cancelTimer: () => void };

const NO_FRONT_BODY = JSON.stringify({
  message: "swarmd's REST program is starting or overloaded; try again in a few seconds",
});
const NO_FRONT =
  "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nConnection: close\r\n" +
  `Content-Length: ${Buffer.byteLength(NO_FRONT_BODY)}\r\n\r\n${NO_FRONT_BODY}`;

export class Door {
  readonly #server: Server;
  readonly #clock: Clock;
  readonly #limits: SupervisorLimits;
  readonly #waiting = new Set<Waiting>();
  #front: SocketTaker | undefined;

  private constructor(clock: Clock, limits: SupervisorLimits) {
    this.#clock = clock;
    this.#limits = limits;
    // Paused: not a byte is read here, all of it belongs to the front.
    this.#server = createServer({ pauseOnConnect: true }, (socket) => {
      this.#accept(socket);
    });
  }

  /** Rejects when another process listens there; the socket a dead one left behind is replaced. */
  static async open(
    path: string,
    parts: { readonly clock: Clock; readonly limits: SupervisorLimits; readonly logger: Logger },
  ): Promise<Door> {
    if (await isListening(path)) {
      throw new Error(
        `another process listens on ${path}; stop it first, or give this one its own --socket`,
      );
    }
    await mkdir(dirname(path), { recursive: true });
    await rm(path, { force: true });
    const door = new Door(parts.clock, parts.limits);
    await new Promise<void>((resolve, reject) => {
      door.#server.once("error", reject);
      door.#server.listen(path, resolve);
    });
    door.#server.on("error", (error) => {
      parts.logger.error({ error: error.message }, "REST listener failed to accept");
    });
    await chmod(path, 0o660);
    return door;
  }

  /** From now on connections go to this front; those that waited go first. */
  serveBy(front: SocketTaker | undefined): void {
    this.#front = front;
    this.drain();
  }

  /** Gives waiting connections to the front again, after it has taken some. */
  drain(): void {
    for (const waiting of this.#waiting) {
      if (this.#front?.giveSocket(waiting.socket) !== true) return;
      this.#waiting.delete(waiting);
      waiting.cancelTimer();
    }
  }

  /** Takes no more connections; those that wait are refused. The socket's name is gone when it returns. */
  close(): void {
    // Its "close" event is not waited for: Node never emits it once a child that was given sockets has ended.
    this.#server.close();
    for (const waiting of this.#waiting) {
      waiting.cancelTimer();
      waiting.socket.destroy();
    }
    this.#waiting.clear();
  }

  #accept(socket: Socket): void {
    socket.on("error", () => {
      // The client went away while it waited; "close" follows.
    });
    this.drain();
    if (this.#waiting.size === 0 && this.#front?.giveSocket(socket) === true) return;
    if (this.#waiting.size >= this.#limits.waitingSocketsMax) {
      refuse(socket);
      return;
    }
    const waiting: Waiting = {
      socket,
      cancelTimer: this.#clock.setTimer(this.#limits.waitingSocketMs, () => {
        this.#waiting.delete(waiting);
        refuse(socket);
      }),
    };
    this.#waiting.add(waiting);
    socket.once("close", () => {
      this.#waiting.delete(waiting);
      waiting.cancelTimer();
    });
  }
}

function refuse(socket: Socket): void {
  socket.end(NO_FRONT, () => {
    socket.destroy();
  });
}

async function isListening(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", (error) => {
      if (isErrno(error, "ENOENT") || isErrno(error, "ECONNREFUSED")) resolve(false);
      else reject(new Error(`${path} cannot be used for the REST socket: ${error.message}`));
    });
  });
}
