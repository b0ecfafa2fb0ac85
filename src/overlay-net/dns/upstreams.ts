import { createSocket, type Socket as UdpSocket } from "node:dgram";
import { connect, isIPv6, Socket } from "node:net";
import type { Random } from "../../base/index.js";
import type { NetnsSockets } from "./netns-sockets.js";
import type { Transport } from "./respond.js";
import { isAnswerTo, upstreamQuery } from "./upstream-message.js";
import { HEADER_BYTES, type Query } from "./wire.js";

export type UpstreamTarget = {
  /** IP address; a link-local one with its zone. */
  readonly server: string;
  readonly transport: Transport;
  /** undefined: from the host's namespace. */
  readonly netnsPath: string | undefined;
};

/** Somebody who answers for the rest of the world. */
export interface Upstreams {
  /** Resolves a response that answers the question. Rejects when the server cannot be reached, and once aborted. */
  ask(query: Query, target: UpstreamTarget, signal: AbortSignal): Promise<Buffer>;
}

/** A new socket for every question: a source port that nobody can know (RFC 5452 §9.2). */
export class SocketUpstreams implements Upstreams {
  readonly #sockets: NetnsSockets;
  readonly #random: Random;
  readonly #port: number;

  constructor(sockets: NetnsSockets, random: Random, port: number) {
    this.#sockets = sockets;
    this.#random = random;
    this.#port = port;
  }

  ask(query: Query, target: UpstreamTarget, signal: AbortSignal): Promise<Buffer> {
    const id = Buffer.from(this.#random.bytes(2)).readUInt16BE(0);
    const sent = upstreamQuery(query, id);
    return target.transport === "udp"
      ? this.#askUdp(sent, query.questionEnd, target, signal)
      : this.#askTcp(sent, query.questionEnd, target, signal);
  }

  async #askUdp(
    sent: Buffer,
    questionEnd: number,
    { server, netnsPath }: UpstreamTarget,
    signal: AbortSignal,
  ): Promise<Buffer> {
    const family = isIPv6(server) ? 6 : 4;
    const fd =
      netnsPath === undefined
        ? undefined
        : await this.#sockets.openUdpForForward(netnsPath, family);
    const socket = createSocket(family === 6 ? "udp6" : "udp4");
    try {
      return await new Promise<Buffer>((resolve, reject) => {
        onAbort(signal, reject);
        socket.on("error", reject);
        // Connected: the kernel drops what comes from elsewhere, and reports a closed port at once.
        socket.on("connect", () => socket.send(sent));
        socket.on("message", (response) => {
          if (isAnswerTo(response, sent, questionEnd)) resolve(response);
        });
        if (fd === undefined) socket.connect(this.#port, server);
        else socket.bind({ fd }, () => connectIfOpen(socket, this.#port, server, signal));
      });
    } finally {
      socket.close();
    }
  }

  async #askTcp(
    sent: Buffer,
    questionEnd: number,
    { server, netnsPath }: UpstreamTarget,
    signal: AbortSignal,
  ): Promise<Buffer> {
    const socket =
      netnsPath === undefined
        ? connect({ host: server, port: this.#port })
        : new Socket({
            fd: await this.#sockets.openTcpForForward(netnsPath, server, this.#port),
          });
    try {
      const response = await new Promise<Buffer>((resolve, reject) => {
        onAbort(signal, reject);
        socket.on("error", reject);
        socket.on("close", () => reject(new Error(`${server} closed the connection`)));
        readFrame(socket, resolve, reject);
        const length = Buffer.alloc(2);
        length.writeUInt16BE(sent.length);
        socket.write(Buffer.concat([length, sent]));
      });
      if (isAnswerTo(response, sent, questionEnd)) return response;
      throw new Error(`${server} answered another question`);
    } finally {
      socket.destroy();
    }
  }
}

/** The exchange may have been given up, and the socket closed, while it was being bound. */
function connectIfOpen(socket: UdpSocket, port: number, server: string, signal: AbortSignal): void {
  if (!signal.aborted) socket.connect(port, server);
}

function onAbort(signal: AbortSignal, reject: (reason: unknown) => void): void {
  if (signal.aborted) reject(signal.reason);
  signal.addEventListener("abort", () => reject(signal.reason), { once: true });
}

/** One message with its length before it (RFC 1035 §4.2.2). */
function readFrame(
  socket: Socket,
  resolve: (message: Buffer) => void,
  reject: (reason: Error) => void,
): void {
  const chunks: Buffer[] = [];
  let size = 0;
  socket.on("data", (chunk: Buffer) => {
    chunks.push(chunk);
    size += chunk.length;
    if (size < 2) return;
    const all = Buffer.concat(chunks);
    const length = all.readUInt16BE(0);
    if (length < HEADER_BYTES) reject(new Error("a message without a header"));
    else if (size >= 2 + length) resolve(all.subarray(2, 2 + length));
  });
}
