/** Listening on a published port of this host, so that no other program takes it while the mesh answers there. */
import { createSocket, type Socket as UdpSocket } from "node:dgram";
import { readdir } from "node:fs/promises";
import { createServer, type Server, type Socket } from "node:net";
import type { PublishedPort } from "../core/network-state.js";
import { passOn } from "./loopback-proxy.js";

export type Port = Pick<PublishedPort, "protocol" | "publishedPort">;

/** Rejects with the system's error when the port cannot be had. The result gives it back. */
export type ListenOnPort = (port: Port) => Promise<() => void>;

/** Codes of a host without IPv6: then there is nothing to hold there. */
const NO_IPV6 = new Set(["EAFNOSUPPORT", "EADDRNOTAVAIL", "EINVAL"]);

const TRACKING_DIR = "/proc/sys/net/netfilter";

/** On all addresses of both families. SCTP is not held: Node has no such sockets. */
export const listenOnPort: ListenOnPort = async ({ protocol, publishedPort }) => {
  if (protocol === "sctp") {
    const problem = sctpProblem(await readdir(TRACKING_DIR).catch(() => []));
    if (problem !== "") throw new Error(problem);
    return () => undefined;
  }
  const listen = protocol === "tcp" ? listenTcp : bindUdp;
  const first = await listen(publishedPort, 4);
  try {
    const second = await listen(publishedPort, 6).catch((error: NodeJS.ErrnoException) => {
      if (NO_IPV6.has(error.code ?? "")) return () => undefined;
      throw error;
    });
    return () => {
      first();
      second();
    };
  } catch (error) {
    first();
    throw error;
  }
};

/**
 * Why SCTP cannot be led to tasks here; "" when it can, or when it cannot be told: connection tracking has its settings only once it is
 * loaded. Its ports are translated only where it knows SCTP.
 */
export function sctpProblem(trackingSettings: readonly string[]): string {
  const isLoaded = trackingSettings.includes("nf_conntrack_max");
  const knowsSctp = trackingSettings.some((name) => name.startsWith("nf_conntrack_sctp_"));
  return isLoaded && !knowsSctp
    ? "its kernel does not track SCTP (CONFIG_NF_CT_PROTO_SCTP); publish the port with another protocol, or run a kernel that does"
    : "";
}

/** The simulated network answers nobody: several nodes of one machine hold the same port. */
export const holdNothing: ListenOnPort = () => Promise.resolve(() => undefined);

function listenTcp(port: number, family: 4 | 6): Promise<() => void> {
  const clients = new Set<Socket>();
  const server: Server = createServer({ allowHalfOpen: true }, (client) => {
    if (family === 4) {
      client.resetAndDestroy();
      return;
    }
    clients.add(client);
    client.on("close", () => clients.delete(client));
    passOn(client, port);
  });
  const host = family === 4 ? "0.0.0.0" : "::";
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ port, host, ipv6Only: true, exclusive: true }, () => {
      server.off("error", reject);
      // What goes wrong with one client concerns that client alone.
      server.on("error", () => undefined);
      resolve(() => {
        server.close();
        for (const client of clients) client.destroy();
      });
    });
  });
}

function bindUdp(port: number, family: 4 | 6): Promise<() => void> {
  const socket: UdpSocket = createSocket({ type: `udp${family}`, ipv6Only: family === 6 });
  const address = family === 4 ? "0.0.0.0" : "::";
  return new Promise((resolve, reject) => {
    socket.once("error", (error) => {
      socket.close();
      reject(error);
    });
    socket.bind({ port, address, exclusive: true }, () => {
      socket.removeAllListeners("error");
      socket.on("error", () => undefined);
      resolve(() => socket.close());
    });
  });
}
