import { createSocket, type Socket as UdpSocket } from "node:dgram";
import { createServer, type Server } from "node:net";

export class PortHeldError extends Error {
  override readonly name = "PortHeldError";
}

/**
 * Holds published ports by listening on them, so that no other program of this host can take them while a container answers
 * there. Whatever still reaches the listener (the translation rule comes first) is reset.
 */
export class PortHolder {
  readonly #held = new Map<string, Server | UdpSocket>();

  /** Returns the port (chosen by the system for 0). Rejects PortHeldError naming the port. */
  async hold(protocol: "tcp" | "udp" | "sctp", port: number): Promise<number> {
    if (port !== 0 && this.#held.has(`${protocol}/${port}`)) return port;
    // Node has no SCTP sockets: such a port is translated but not held.
    if (protocol === "sctp") return port;
    const taken = protocol === "tcp" ? await this.#listen(port) : await this.#bind(port);
    return taken;
  }

  release(protocol: "tcp" | "udp" | "sctp", port: number): void {
    const key = `${protocol}/${port}`;
    this.#held.get(key)?.close();
    this.#held.delete(key);
  }

  releaseAll(): void {
    for (const holder of this.#held.values()) holder.close();
    this.#held.clear();
  }

  #listen(port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      const server = createServer((socket) => socket.resetAndDestroy());
      server.once("error", (cause: NodeJS.ErrnoException) => reject(heldError("tcp", port, cause)));
      server.listen({ port, host: "0.0.0.0", exclusive: true }, () => {
        const address = server.address();
        const taken = typeof address === "object" && address !== null ? address.port : port;
        this.#held.set(`tcp/${taken}`, server);
        resolve(taken);
      });
    });
  }

  #bind(port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      const socket = createSocket("udp4");
      socket.once("error", (cause: NodeJS.ErrnoException) => reject(heldError("udp", port, cause)));
      socket.bind({ port, address: "0.0.0.0", exclusive: true }, () => {
        const taken = socket.address().port;
        this.#held.set(`udp/${taken}`, socket);
        resolve(taken);
      });
    });
  }
}

function heldError(protocol: string, port: number, cause: NodeJS.ErrnoException): PortHeldError {
  const why =
    cause.code === "EADDRINUSE" ? "is held by another program" : `cannot be bound (${cause.code})`;
  return new PortHeldError(
    `port ${port}/${protocol} ${why} on this node; free it (ss -lnp) or publish another port`,
    { cause },
  );
}
