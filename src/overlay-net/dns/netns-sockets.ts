/** Sockets made inside a container's network namespace. A socket stays in the namespace it was made in, whoever uses it. */

export class NetnsSocketError extends Error {
  override readonly name = "NetnsSocketError";
}

/**
 * Every call resolves a file descriptor of this process that the caller owns (close-on-exec, non-blocking). Rejects
 * NetnsSocketError naming the namespace and what failed.
 */
export interface NetnsSockets {
  /** UDP, bound to 127.0.0.11 and a port the kernel picks. */
  openUdp(netnsPath: string): Promise<number>;
  /** TCP, listening on 127.0.0.11 and a port the kernel picks. */
  openTcpListener(netnsPath: string): Promise<number>;
  /** UDP, bound to any address and a random port. */
  openUdpForForward(netnsPath: string, family: 4 | 6): Promise<number>;
  /** TCP, on its way to the server: a connection that fails shows as an error of the socket. */
  openTcpForForward(netnsPath: string, server: string, port: number): Promise<number>;
  /** UDP, or TCP that listens, on this address and a port the kernel picks; the address may come later. */
  openAt(netnsPath: string, protocol: "tcp" | "udp", address: string): Promise<number>;
  /** Netlink: answers which sockets there are (sock_diag(7)). */
  openSocketDiag(netnsPath: string): Promise<number>;
}

export type SocketRequest =
  | { readonly kind: "udp" | "tcpListener" }
  | { readonly kind: "udpForForward"; readonly family: 4 | 6 }
  | { readonly kind: "tcpForForward"; readonly server: string; readonly port: number }
  | { readonly kind: "at"; readonly protocol: "tcp" | "udp"; readonly address: string }
  | { readonly kind: "diag" };

/** The port over one function that opens sockets. */
export function netnsSockets(
  open: (netnsPath: string, request: SocketRequest) => Promise<number>,
): NetnsSockets {
  return {
    openUdp: (path) => open(path, { kind: "udp" }),
    openTcpListener: (path) => open(path, { kind: "tcpListener" }),
    openUdpForForward: (path, family) => open(path, { kind: "udpForForward", family }),
    openTcpForForward: (path, server, port) => open(path, { kind: "tcpForForward", server, port }),
    openAt: (path, protocol, address) => open(path, { kind: "at", protocol, address }),
    openSocketDiag: (path) => open(path, { kind: "diag" }),
  };
}
