import { createSocket } from "node:dgram";
import { createServer } from "node:net";

/** Attempts to find a port that is free on both families. */
const CHOICES_MAX = 8;
/** Codes of a host without IPv6: then there is nothing to hold there. */
const NO_IPV6 = new Set(["EAFNOSUPPORT", "EADDRNOTAVAIL", "EINVAL"]);
const ANY = { 4: "0.0.0.0", 6: "::" } as const;

export class PortHeldError extends Error {
  override readonly name = "PortHeldError";
}

type Holder = { readonly port: number; close(): void };

/**
 * Holds published ports by listening on them, on both families, so that no other program of this host can take them while a container
 * answers there. Whatever still reaches the listener (the translation rule comes first) is reset.
 */
export class PortHolder {
  readonly #held = new Map<string, readonly Holder[]>();

  /** Returns the port (chosen by the system for 0). Rejects PortHeldError naming the port. */
  async hold(protocol: "tcp" | "udp" | "sctp", port: number): Promise<number> {
    if (port !== 0 && this.#held.has(`${protocol}/${port}`)) return port;
    // Node has no SCTP sockets: such a port is translated but not held.
    if (protocol === "sctp") return port;
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#holdBoth(protocol, port);
      } catch (error) {
        if (port !== 0 || attempt === CHOICES_MAX) throw error;
      }
    }
  }

  release(protocol: "tcp" | "udp" | "sctp", port: number): void {
    const key = `${protocol}/${port}`;
    for (const holder of this.#held.get(key) ?? []) holder.close();
    this.#held.delete(key);
  }

  releaseAll(): void {
    for (const holder of [...this.#held.values()].flat()) holder.close();
    this.#held.clear();
  }

  async #holdBoth(protocol: "tcp" | "udp", port: number): Promise<number> {
    const open = protocol === "tcp" ? listen : bind;
    const first = await open(port, 4).catch(asHeldError(protocol, port));
    try {
      const second = await open(first.port, 6).catch((cause: NodeJS.ErrnoException) =>
        NO_IPV6.has(cause.code ?? "") ? undefined : asHeldError(protocol, first.port)(cause),
      );
      const holders = second === undefined ? [first] : [first, second];
      this.#held.set(`${protocol}/${first.port}`, holders);
      return first.port;
    } catch (error) {
      first.close();
      throw error;
    }
  }
}

function listen(port: number, family: 4 | 6): Promise<Holder> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.resetAndDestroy());
    server.once("error", reject);
    const host = ANY[family];
    server.listen({ port, host, ipv6Only: family === 6, exclusive: true }, () => {
      const address = server.address();
      const taken = typeof address === "object" && address !== null ? address.port : port;
      resolve({ port: taken, close: () => server.close() });
    });
  });
}

function bind(port: number, family: 4 | 6): Promise<Holder> {
  return new Promise((resolve, reject) => {
    const socket = createSocket({ type: `udp${family}`, ipv6Only: family === 6 });
    socket.once("error", reject);
    socket.bind({ port, address: ANY[family], exclusive: true }, () => {
      resolve({ port: socket.address().port, close: () => socket.close() });
    });
  });
}

function asHeldError(protocol: string, port: number) {
  return (cause: NodeJS.ErrnoException): never => {
    const why =
      cause.code === "EADDRINUSE"
        ? "is held by another program"
        : `cannot be bound (${cause.code})`;
    throw new PortHeldError(
      `port ${port}/${protocol} ${why} on this node; free it (ss -lnp) or publish another port`,
      { cause },
    );
  };
}
