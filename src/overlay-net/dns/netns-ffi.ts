/** The C library's sockets and setns(2), called from this very thread. Synchronous: nothing else may run inside a foreign namespace. */
import { closeSync, openSync } from "node:fs";
import koffi from "koffi";
import { addressBytes } from "../core/dns-address.js";
import { RESOLVER_ADDRESS } from "../core/dns-resolv-conf.js";
import { DUPLICATE_FROM, moveHigh } from "../low-descriptors.js";
import { NetnsSocketError, type SocketRequest } from "./netns-sockets.js";

/** Values of Linux on every architecture koffi runs on. */
const AF_INET = 2;
const AF_INET6 = 10;
const AF_NETLINK = 16;
const NETLINK_SOCK_DIAG = 4;
const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;
const SOCK_RAW = 3;
const SOCK_NONBLOCK_CLOEXEC = 0x80800;
const CLONE_NEWNET = 0x40000000;
/** Connections that wait to be accepted. */
const LISTEN_BACKLOG = 64;
/** Of a published port's: as the system's default, SOMAXCONN. */
const PORT_BACKLOG = 4096;
const SOL_IPV6 = 41;
const IPV6_FREEBIND = 78;
const OWN_NAMESPACE = "/proc/thread-self/ns/net";

// The symbols of this process: the C library it was linked with, whichever that is.
const libc = koffi.load(null);
const cSetns = libc.func("int setns(int fd, int kind)");
const cSocket = libc.func("int socket(int family, int kind, int protocol)");
const cBind = libc.func("int bind(int fd, const uint8_t *address, uint32_t length)");
const cListen = libc.func("int listen(int fd, int backlog)");
const cConnect = libc.func("int connect(int fd, const uint8_t *address, uint32_t length)");
const cSetOption = libc.func(
  "int setsockopt(int fd, int level, int name, const int *value, uint32_t length)",
);
const cClose = libc.func("int close(int fd)");
const cFcntl = libc.func("int fcntl(int fd, int command, ...)");
const descriptors = {
  duplicateFrom: (fd: number, lowest: number) =>
    cFcntl(fd, DUPLICATE_FROM, "int", lowest) as number,
  close: (fd: number) => cClose(fd) as number,
};
const cAbort = libc.func("void abort()");

/**
 * Runs `work` with this thread inside the namespace. It must be synchronous. A thread that cannot come back ends the process:
 * anything it did from then on would happen to some container.
 */
export function inNetns<Result>(netnsPath: string, work: () => Result): Result {
  const own = openSync(OWN_NAMESPACE, "r");
  try {
    const target = openSync(netnsPath, "r");
    try {
      check(cSetns(target, CLONE_NEWNET) as number, "setns");
    } finally {
      closeSync(target);
    }
    try {
      return work();
    } finally {
      if ((cSetns(own, CLONE_NEWNET) as number) !== 0) cAbort();
    }
  } finally {
    closeSync(own);
  }
}

/** In the thread's current namespace. Throws NetnsSocketError; no descriptor is left open then. */
export function openSocket(request: SocketRequest): number {
  switch (request.kind) {
    case "udp":
      return socketOf(AF_INET, SOCK_DGRAM, (fd) => bind(fd, socketAddress(RESOLVER_ADDRESS, 0)));
    case "tcpListener":
      return socketOf(AF_INET, SOCK_STREAM, (fd) => {
        bind(fd, socketAddress(RESOLVER_ADDRESS, 0));
        check(cListen(fd, LISTEN_BACKLOG) as number, "listen");
      });
    case "udpForForward": {
      const any = request.family === 4 ? "0.0.0.0" : "::";
      const family = request.family === 4 ? AF_INET : AF_INET6;
      return socketOf(family, SOCK_DGRAM, (fd) => bind(fd, socketAddress(any, 0)));
    }
    case "tcpForForward": {
      const server = socketAddress(request.server, request.port);
      const family = server.length === 16 ? AF_INET : AF_INET6;
      return socketOf(family, SOCK_STREAM, (fd) => startConnect(fd, server));
    }
    case "at":
      return openAt(request.protocol, socketAddress(request.address, 0));
    case "diag":
      return socketOf(AF_NETLINK, SOCK_RAW, () => undefined, NETLINK_SOCK_DIAG);
  }
}

function openAt(protocol: "tcp" | "udp", address: Buffer): number {
  const isV4 = address.length === 16;
  const kind = protocol === "tcp" ? SOCK_STREAM : SOCK_DGRAM;
  return socketOf(isV4 ? AF_INET : AF_INET6, kind, (fd) => {
    if (!isV4) check(cSetOption(fd, SOL_IPV6, IPV6_FREEBIND, [1], 4) as number, "setsockopt");
    bind(fd, address);
    if (protocol === "tcp") check(cListen(fd, PORT_BACKLOG) as number, "listen");
  });
}

function socketOf(
  family: number,
  kind: number,
  prepare: (fd: number) => void,
  protocol = 0,
): number {
  const opened = check(cSocket(family, kind | SOCK_NONBLOCK_CLOEXEC, protocol) as number, "socket");
  const fd = moveHigh(descriptors, opened);
  try {
    prepare(fd);
    return fd;
  } catch (error) {
    descriptors.close(fd);
    throw error;
  }
}

function bind(fd: number, address: Buffer): void {
  check(cBind(fd, address, address.length) as number, "bind");
}

function startConnect(fd: number, address: Buffer): void {
  const result = cConnect(fd, address, address.length) as number;
  if (result !== 0 && koffi.errno() === koffi.os.errno["EINPROGRESS"]) return;
  check(result, "connect");
}

/** sockaddr_in or sockaddr_in6. */
function socketAddress(text: string, port: number): Buffer {
  const address = addressBytes(text);
  if (address === undefined) throw new NetnsSocketError(`"${text}" is not an IP address`);
  const isV4 = address.length === 4;
  const out = Buffer.alloc(isV4 ? 16 : 28);
  out.writeUInt16LE(isV4 ? AF_INET : AF_INET6, 0);
  out.writeUInt16BE(port, 2);
  out.set(address, isV4 ? 4 : 8);
  return out;
}

function check(result: number, call: string): number {
  if (result >= 0) return result;
  const code = koffi.errno();
  const name = Object.entries(koffi.os.errno).find(([, value]) => value === code)?.[0];
  throw new NetnsSocketError(`${call}: ${name ?? `errno ${code}`}`);
}
