/**
 * Tunnels: a manager asks for a byte stream to this node's local HTTP socket; the agent dials the manager and pipes. Both
 * directions have back-pressure: nothing is read from one side while the other side's buffer is full.
 */
import { connect, type Socket } from "node:net";
import { type ChannelCredentials, Client, type ClientDuplexStream } from "@grpc/grpc-js";
import { type swarm, tunnelService } from "../../api/index.js";
import { MANAGER_CHANNEL_OPTIONS } from "./credentials.js";

type Frame = swarm.tunnel.TunnelFrame.$Properties;

/** Tunnels at a time; further ones are refused. */
const TUNNEL_MAX = 256;
const CONNECT_WITHIN_MS = 5_000;
/** Largest piece in one frame; with gRPC's and the socket's own buffers a tunnel stays below 256 KiB per direction. */
const FRAME_MAX_BYTES = 64 * 1024;

export class Tunnels implements Disposable {
  readonly #socketPath: string;
  readonly #credentials: () => ChannelCredentials;
  readonly #open = new Set<() => void>();

  constructor(options: {
    readonly socketPath: string;
    readonly credentials: () => ChannelCredentials;
  }) {
    this.#socketPath = options.socketPath;
    this.#credentials = options.credentials;
  }

  get size(): number {
    return this.#open.size;
  }

  /** Resolves once both ends are connected; rejects with a message for the manager that asked. */
  async open(tunnelId: string, managerAddr: string): Promise<void> {
    if (this.#open.size >= TUNNEL_MAX) {
      throw new Error(`this node serves ${TUNNEL_MAX} tunnels already; try again later`);
    }
    const client = new Client(managerAddr, this.#credentials(), MANAGER_CHANNEL_OPTIONS);
    let socket: Socket | undefined;
    const close = (): void => {
      this.#open.delete(close);
      // What the manager sent is still written out.
      socket?.destroySoon();
      client.close();
    };
    this.#open.add(close);
    try {
      socket = await connectLocal(this.#socketPath);
      await waitForReady(client, managerAddr);
    } catch (error) {
      close();
      throw error;
    }
    const { path, requestSerialize, responseDeserialize } = tunnelService.open;
    const call = client.makeBidiStreamRequest(
      path,
      (value: Frame) => requestSerialize(value),
      (bytes: Buffer): Frame => responseDeserialize(bytes),
    );
    call.write({ tunnelId });
    pipeTunnel(socket, call, close);
  }

  [Symbol.dispose](): void {
    for (const close of [...this.#open]) close();
  }
}

function pipeTunnel(
  socket: Socket,
  call: ClientDuplexStream<Frame, Frame>,
  close: () => void,
): void {
  socket.on("data", (data: Buffer) => {
    let hasRoom = true;
    for (let at = 0; at < data.length; at += FRAME_MAX_BYTES) {
      hasRoom = call.write({ data: data.subarray(at, at + FRAME_MAX_BYTES) });
    }
    if (!hasRoom) {
      socket.pause();
      call.once("drain", () => socket.resume());
    }
  });
  socket.on("end", () => {
    call.write({ end: true });
    call.end();
  });
  socket.on("error", () => {
    call.cancel();
    close();
  });
  call.on("data", (frame: Frame) => {
    if (frame.data && frame.data.length > 0 && !socket.write(frame.data)) {
      call.pause();
      socket.once("drain", () => call.resume());
    }
    if (frame.end === true) socket.end();
  });
  call.on("end", () => socket.end());
  // The manager's client went away, or its manager did: the local request ends with it.
  call.on("error", close);
  call.on("status", close);
}

function connectLocal(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path, allowHalfOpen: true });
    socket.once("connect", () => {
      socket.off("error", reject);
      resolve(socket);
    });
    socket.once("error", reject);
  });
}

function waitForReady(client: Client, addr: string): Promise<void> {
  return new Promise((resolve, reject) => {
    client.waitForReady(Date.now() + CONNECT_WITHIN_MS, (error) => {
      if (error) reject(new Error(`cannot reach manager ${addr}: ${error.message}`));
      else resolve();
    });
  });
}
