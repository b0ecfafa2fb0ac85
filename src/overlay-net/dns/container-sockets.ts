import { createSocket, type Socket as UdpSocket } from "node:dgram";
import { createServer, type Server, type Socket } from "node:net";
import type { Clock } from "../../base/index.js";
import type { NetnsSockets } from "./netns-sockets.js";
import type { Transport } from "./respond.js";
import { serveTcp } from "./tcp-connection.js";

/** Connections of one container. */
export const TCP_CONTAINER_MAX = 32;
/** Connections of all containers of the node: half of the descriptors that nftables can use. */
export const TCP_NODE_MAX = 512;
/** Answers that wait to leave one UDP socket; what comes after them is dropped, as UDP may be. */
const UDP_UNSENT_MAX_BYTES = 1024 * 1024;

/** undefined: no answer. */
export type Handler = (
  message: Buffer,
  transport: Transport,
) => Promise<Buffer> | Buffer | undefined;

/** Counts connections of the node. */
export type ConnectionCount = { open: number; refused: number };

/** The sockets of one container: whoever writes to them is in it. */
export class ContainerSockets {
  readonly udpPort: number;
  readonly tcpPort: number;
  readonly #udp: UdpSocket;
  readonly #tcp: Server;
  readonly #connections: ReadonlySet<Socket>;

  private constructor(udp: UdpSocket, tcp: Server, connections: ReadonlySet<Socket>) {
    this.#udp = udp;
    this.#tcp = tcp;
    this.#connections = connections;
    this.udpPort = udp.address().port;
    const address = tcp.address();
    this.tcpPort = typeof address === "object" && address !== null ? address.port : 0;
  }

  /** Rejects NetnsSocketError; nothing is left open then. */
  static async open(
    sockets: NetnsSockets,
    netnsPath: string,
    handler: Handler,
    clock: Clock,
    count: ConnectionCount,
  ): Promise<ContainerSockets> {
    const connections = new Set<Socket>();
    const udp = await bindUdp(await sockets.openUdp(netnsPath), handler);
    try {
      const fd = await sockets.openTcpListener(netnsPath);
      const tcp = await listenTcp(fd, handler, clock, count, connections);
      return new ContainerSockets(udp, tcp, connections);
    } catch (error) {
      udp.close();
      throw error;
    }
  }

  close(): void {
    this.#udp.close();
    this.#tcp.close();
    for (const socket of this.#connections) socket.destroy();
  }
}

function bindUdp(fd: number, handler: Handler): Promise<UdpSocket> {
  const socket = createSocket({
    type: "udp4",
    // Peers are addresses already: the default takes a turn of the event loop per answer to find that out.
    lookup: (host, _options, done) => done(null, host, 4),
  });
  let isOpen = true;
  socket.on("close", () => {
    isOpen = false;
  });
  socket.on("message", (message, { address, port }) => {
    const send = (bytes: Buffer): void => {
      if (!isOpen || socket.getSendQueueSize() > UDP_UNSENT_MAX_BYTES) return;
      socket.send(bytes, 0, bytes.length, port, address);
    };
    const answer = handler(message, "udp");
    if (answer instanceof Promise) void answer.then(send);
    else if (answer !== undefined) send(answer);
  });
  return new Promise((resolve, reject) => {
    socket.once("error", reject);
    socket.bind({ fd }, () => {
      socket.off("error", reject);
      // What a send reports (a client that is gone) concerns that client alone.
      socket.on("error", () => undefined);
      resolve(socket);
    });
  });
}

function listenTcp(
  fd: number,
  handler: Handler,
  clock: Clock,
  count: ConnectionCount,
  connections: Set<Socket>,
): Promise<Server> {
  // A client may close its side after its last question.
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    if (connections.size >= TCP_CONTAINER_MAX || count.open >= TCP_NODE_MAX) {
      count.refused += 1;
      socket.resetAndDestroy();
      return;
    }
    count.open += 1;
    connections.add(socket);
    socket.on("close", () => {
      count.open -= 1;
      connections.delete(socket);
    });
    serveTcp(socket, clock, (message) => handler(message, "tcp"));
  });
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ fd }, () => {
      server.off("error", reject);
      server.on("error", () => undefined);
      resolve(server);
    });
  });
}
