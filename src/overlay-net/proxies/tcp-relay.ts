import { createServer, type Server, Socket } from "node:net";
import type { Clock } from "../../base/index.js";

/** A connection on which nothing was sent for this long, in either direction, is given up; at the latest after twice that time. */
export const TCP_IDLE_MS = 30 * 60_000;

/** Of all relays of a node. */
export type FlowBudget = { open: number; readonly max: number };

export type TcpRelayOptions = {
  /** Descriptor of a listening socket; the relay owns it. */
  readonly fd: number;
  /** Descriptor of a socket on its way to the task. */
  readonly connect: () => Promise<number>;
  /** Connections of this relay. */
  readonly max: number;
  readonly budget: FlowBudget;
  readonly clock: Clock;
};

/**
 * Passes on each connection as it is, its closed halves too. Nothing is read before the other side has room for it: a connection holds two
 * socket buffers and what Node keeps for a stream. One too many is reset.
 */
export class TcpRelay {
  readonly #options: TcpRelayOptions;
  readonly #server: Server;
  readonly #clients = new Set<Socket>();

  private constructor(options: TcpRelayOptions) {
    this.#options = options;
    this.#server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (client) =>
      this.#take(client),
    );
  }

  /** Rejects with the system's error. */
  static async open(options: TcpRelayOptions): Promise<TcpRelay> {
    const relay = new TcpRelay(options);
    await new Promise<void>((resolve, reject) => {
      relay.#server.once("error", reject);
      relay.#server.listen({ fd: options.fd }, () => {
        relay.#server.off("error", reject);
        // What goes wrong with one client concerns that client alone.
        relay.#server.on("error", () => undefined);
        resolve();
      });
    });
    return relay;
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  }

  close(): void {
    this.#server.close();
    for (const client of this.#clients) client.destroy();
  }

  #take(client: Socket): void {
    const { budget, max } = this.#options;
    if (this.#clients.size >= max || budget.open >= budget.max) {
      client.resetAndDestroy();
      return;
    }
    budget.open += 1;
    this.#clients.add(client);
    client.on("error", () => client.destroy());
    client.on("close", () => {
      budget.open -= 1;
      this.#clients.delete(client);
    });
    void this.#pass(client); // ends the client on failure
  }

  async #pass(client: Socket): Promise<void> {
    const server = await this.#connect();
    if (server === undefined || client.destroyed) {
      server?.destroy();
      if (!client.destroyed) client.resetAndDestroy();
      return;
    }
    const cancelIdle = this.#limitIdle(client, server);
    // A task that has no socket for it either answers as it would to anybody: by a reset.
    server.on("error", () => client.resetAndDestroy());
    client.on("close", () => {
      cancelIdle();
      server.destroy();
    });
    server.on("close", () => client.destroySoon());
    client.pipe(server);
    server.pipe(client);
  }

  /** Looks once in that time whether anything moved since: nothing is done per packet. */
  #limitIdle(client: Socket, server: Socket): () => void {
    let cancel: () => void = () => undefined;
    let seen = -1;
    const look = (): void => {
      const moved = client.bytesRead + server.bytesRead;
      if (moved === seen) client.resetAndDestroy();
      seen = moved;
      if (!client.destroyed) cancel = this.#options.clock.setTimer(TCP_IDLE_MS, look);
    };
    look();
    return () => cancel();
  }

  async #connect(): Promise<Socket | undefined> {
    try {
      return new Socket({ fd: await this.#options.connect(), allowHalfOpen: true });
    } catch {
      return undefined;
    }
  }
}
