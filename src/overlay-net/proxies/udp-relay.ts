import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { closeSync } from "node:fs";
import type { Clock } from "../../base/index.js";
import type { FlowBudget } from "./tcp-relay.js";

/** A client that neither sent nor got anything for this long is forgotten. */
export const UDP_IDLE_MS = 60_000;
/** Datagrams of a new client that wait for its socket. */
const WAITING_MAX = 16;
/** Bytes that wait to leave one socket; what comes after them is dropped, as UDP may be. */
const UNSENT_MAX_BYTES = 256 * 1024;

export type UdpRelayOptions = {
  /** Descriptor of a bound socket; the relay owns it. */
  readonly fd: number;
  /** Descriptor of an IPv4 socket in the task's namespace, for one client. */
  readonly openForClient: () => Promise<number>;
  readonly target: { readonly address: string; readonly port: number };
  /** Clients of this relay. */
  readonly max: number;
  readonly budget: FlowBudget;
  readonly clock: Clock;
};

type Client = {
  readonly waiting: Buffer[];
  socket: Socket | undefined;
  cancelIdle: () => void;
};

/** Gives each client a socket of its own towards the task, so that answers find their way back. One client too many is not heard. */
export class UdpRelay {
  readonly #options: UdpRelayOptions;
  readonly #socket = createSocket("udp6");
  readonly #clients = new Map<string, Client>();
  #isClosed = false;

  private constructor(options: UdpRelayOptions) {
    this.#options = options;
  }

  /** Rejects with the system's error. */
  static async open(options: UdpRelayOptions): Promise<UdpRelay> {
    const relay = new UdpRelay(options);
    await bindTo(relay.#socket, options.fd);
    relay.#socket.on("message", (datagram, from) => relay.#take(datagram, from));
    return relay;
  }

  get port(): number {
    return this.#socket.address().port;
  }

  close(): void {
    this.#isClosed = true;
    for (const key of [...this.#clients.keys()]) this.#forget(key);
    this.#socket.close();
  }

  #take(datagram: Buffer, from: RemoteInfo): void {
    const key = `${from.address} ${from.port}`;
    const client = this.#clients.get(key) ?? this.#welcome(key, from);
    if (client === undefined) return;
    this.#restartIdle(key, client);
    if (client.socket !== undefined) sendOn(client.socket, datagram);
    else if (client.waiting.length < WAITING_MAX) client.waiting.push(datagram);
  }

  #welcome(key: string, from: RemoteInfo): Client | undefined {
    const { budget, max } = this.#options;
    if (this.#clients.size >= max || budget.open >= budget.max) return undefined;
    budget.open += 1;
    const client: Client = { waiting: [], socket: undefined, cancelIdle: () => undefined };
    this.#clients.set(key, client);
    void this.#connect(key, client, from); // forgets the client on failure
    return client;
  }

  async #connect(key: string, client: Client, from: RemoteInfo): Promise<void> {
    const { target, openForClient } = this.#options;
    try {
      const fd = await openForClient();
      if (this.#clients.get(key) !== client) {
        closeSync(fd);
        return;
      }
      const socket = createSocket("udp4");
      await bindTo(socket, fd);
      await new Promise<void>((resolve) => {
        socket.connect(target.port, target.address, resolve);
      });
      if (this.#clients.get(key) !== client) {
        socket.close();
        return;
      }
      socket.on("message", (answer) => this.#answer(key, client, answer, from));
      client.socket = socket;
      for (const datagram of client.waiting.splice(0)) sendOn(socket, datagram);
    } catch {
      this.#forget(key);
    }
  }

  #answer(key: string, client: Client, answer: Buffer, { port, address }: RemoteInfo): void {
    if (this.#isClosed || this.#socket.getSendQueueSize() > UNSENT_MAX_BYTES) return;
    this.#restartIdle(key, client);
    this.#socket.send(answer, port, address);
  }

  #restartIdle(key: string, client: Client): void {
    client.cancelIdle();
    client.cancelIdle = this.#options.clock.setTimer(UDP_IDLE_MS, () => this.#forget(key));
  }

  #forget(key: string): void {
    const client = this.#clients.get(key);
    if (client === undefined) return;
    this.#clients.delete(key);
    this.#options.budget.open -= 1;
    client.cancelIdle();
    client.socket?.close();
  }
}

function sendOn(socket: Socket, datagram: Buffer): void {
  if (socket.getSendQueueSize() <= UNSENT_MAX_BYTES) socket.send(datagram);
}

/** What a later send reports concerns that client alone. */
function bindTo(socket: Socket, fd: number): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once("error", reject);
    socket.bind({ fd }, () => {
      socket.off("error", reject);
      socket.on("error", () => undefined);
      resolve();
    });
  });
}
