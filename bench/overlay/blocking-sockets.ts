/**
 * TCP by blocking calls of the C library. Node's own sockets would be the slowest part of every path that is measured, and all paths would
 * look the same.
 */
import koffi from "koffi";

const AF_INET = 2;
const SOCK_STREAM = 1;
const SOL_SOCKET = 1;
const SO_REUSEADDR = 2;
const SO_LINGER = 13;
/** `struct linger`: on, zero seconds. */
const AT_ONCE = Buffer.from([1, 0, 0, 0, 0, 0, 0, 0]);
const SO_RCVTIMEO = 20;
const SO_SNDTIMEO = 21;
const SHUT_WR = 1;
const MSG_NOSIGNAL = 0x4000;
const BACKLOG = 512;
/** A connection that hangs this long fails the measure. */
const STUCK_SEC = 10;

/** -1 is a failure, told by errno. */
type Libc = {
  socket(domain: number, type: number, protocol: number): number;
  setsockopt(fd: number, level: number, name: number, value: Buffer, size: number): number;
  bind(fd: number, address: Buffer, size: number): number;
  listen(fd: number, backlog: number): number;
  accept(fd: number, address: null, size: null): number;
  connect(fd: number, address: Buffer, size: number): number;
  send(fd: number, bytes: Buffer, size: number, flags: number): number;
  recv(fd: number, bytes: Buffer, size: number, flags: number): number;
  shutdown(fd: number, how: number): number;
  close(fd: number): number;
};

const library = koffi.load(null);
const libc: Libc = {
  socket: library.func("int socket(int domain, int type, int protocol)"),
  setsockopt: library.func(
    "int setsockopt(int fd, int level, int name, const void *value, uint32_t size)",
  ),
  bind: library.func("int bind(int fd, const void *address, uint32_t size)"),
  listen: library.func("int listen(int fd, int backlog)"),
  accept: library.func("int accept(int fd, void *address, void *size)"),
  connect: library.func("int connect(int fd, const void *address, uint32_t size)"),
  send: library.func("long send(int fd, const void *bytes, size_t size, int flags)"),
  recv: library.func("long recv(int fd, void *bytes, size_t size, int flags)"),
  shutdown: library.func("int shutdown(int fd, int how)"),
  close: library.func("int close(int fd)"),
};

/** `struct sockaddr_in`. */
function socketAddress(address: string, port: number): Buffer {
  const bytes = Buffer.alloc(16);
  bytes.writeUInt16LE(AF_INET, 0);
  bytes.writeUInt16BE(port, 2);
  bytes.set(address.split(".").map(Number), 4);
  return bytes;
}

function checked(result: number, what: string): number {
  if (result < 0) throw new Error(`${what}: errno ${koffi.errno()}`);
  return result;
}

const limit = Buffer.alloc(16);
limit.writeUInt32LE(STUCK_SEC, 0);

function openSocket(): number {
  return checked(libc.socket(AF_INET, SOCK_STREAM, 0), "socket");
}

export function listenOn(port: number): number {
  const fd = openSocket();
  const on = Buffer.from([1, 0, 0, 0]);
  checked(libc.setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, on, on.length), "setsockopt");
  const address = socketAddress("0.0.0.0", port);
  checked(libc.bind(fd, address, address.length), `bind to port ${port}`);
  checked(libc.listen(fd, BACKLOG), "listen");
  return fd;
}

export function acceptFrom(listener: number): number {
  return checked(libc.accept(listener, null, null), "accept");
}

export type Target = { readonly text: string; readonly bytes: Buffer };

export function targetOf(address: string, port: number): Target {
  return { text: `${address}:${port}`, bytes: socketAddress(address, port) };
}

export function connectTo({ text, bytes }: Target): number {
  const fd = openSocket();
  for (const name of [SO_RCVTIMEO, SO_SNDTIMEO])
    libc.setsockopt(fd, SOL_SOCKET, name, limit, limit.length);
  checked(libc.connect(fd, bytes, bytes.length), `connect to ${text}`);
  return fd;
}

/** Bytes that were taken. */
export function sendTo(fd: number, bytes: Buffer): number {
  return checked(libc.send(fd, bytes, bytes.length, MSG_NOSIGNAL), "send");
}

/** Bytes that came, into `into`; 0 when the other side is done. */
export function receiveFrom(fd: number, into: Buffer): number {
  return checked(libc.recv(fd, into, into.length, 0), "recv");
}

export function endSending(fd: number): void {
  checked(libc.shutdown(fd, SHUT_WR), "shutdown");
}

/** Neither side keeps the connection's ports for a while afterwards. */
export function closeByReset(fd: number): void {
  checked(libc.setsockopt(fd, SOL_SOCKET, SO_LINGER, AT_ONCE, AT_ONCE.length), "setsockopt");
  libc.close(fd);
}

export function closeSocket(fd: number): void {
  libc.close(fd);
}
