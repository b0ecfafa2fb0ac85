/** Every foreign function of this program, declared once. Signatures are those of the man pages and of libnftables(3). */
import { closeSync, openSync } from "node:fs";
import { createRequire } from "node:module";
import type * as Koffi from "koffi";
import { DUPLICATE_FROM } from "../../low-descriptors.js";

type Fd = number;

/** Integers are what the C function returns; -1 sets `errno()`. */
export type Libc = {
  errno(): number;
  setns(fd: Fd, kind: number): number;
  unshare(flags: number): number;
  mount(source: string, target: string, type: string, flags: number, data: null): number;
  umount2(target: string, flags: number): number;
  socket(domain: number, type: number, protocol: number): number;
  bind(fd: Fd, address: Buffer, size: number): number;
  setsockopt(fd: Fd, level: number, name: number, value: Buffer, size: number): number;
  send(fd: Fd, bytes: Buffer, size: number, flags: number): number;
  recv(fd: Fd, bytes: Buffer, size: number, flags: number): number;
  /** For descriptors that came from here: Node warns when a thread closes one that it did not open itself. */
  close(fd: Fd): number;
  duplicateFrom(fd: Fd, lowest: number): number;
  /** Gives free memory back to the kernel, where the C library can. */
  trimMemory(): void;
  /** Ends the whole process at once, from any thread. */
  exitNow(status: number): void;
};

/** An opaque `struct nft_ctx *`. */
declare const nftContext: unique symbol;
export type NftContextPointer = { readonly [nftContext]: true };

export type Libnftables = {
  contextNew(flags: number): NftContextPointer | null;
  contextFree(context: NftContextPointer): void;
  bufferOutput(context: NftContextPointer): number;
  bufferError(context: NftContextPointer): number;
  /** `script` ends with a zero byte. */
  run(context: NftContextPointer, script: Buffer): number;
  errorText(context: NftContextPointer): string;
};

export type Poll = (fd: Fd, onReadable: () => void) => { close(): void };

export type Foreign = {
  readonly libc: Libc;
  readonly nftables: Libnftables;
  readonly poll: Poll;
  /** The descriptor that whoever opens something now would get. */
  readonly lowestFree: () => number;
};

const NFTABLES_LIBRARY = "libnftables.so.1";

/** Throws what koffi says when it has no build for this host, or a library is not installed. */
export function loadForeign(): Foreign {
  // A host without a build of koffi must still run, with the tools: so it is loaded here and not by an import.
  const koffi = createRequire(import.meta.url)("koffi") as typeof Koffi;
  return {
    libc: loadLibc(koffi),
    nftables: loadNftables(koffi),
    poll: (fd, onReadable) =>
      koffi.node.poll(fd, { readable: true }, () => {
        onReadable();
      }),
    lowestFree: () => {
      const fd = openSync("/dev/null", "r");
      closeSync(fd);
      return fd;
    },
  };
}

function loadLibc(koffi: typeof Koffi): Libc {
  // The C library this process runs on, whichever it is.
  const library = koffi.load(null);
  const fcntl = library.func("int fcntl(int fd, int command, ...)");
  return {
    errno: () => koffi.errno(),
    setns: library.func("int setns(int fd, int nstype)"),
    unshare: library.func("int unshare(int flags)"),
    mount: library.func(
      "int mount(const char *source, const char *target, const char *type, unsigned long flags, const void *data)",
    ),
    umount2: library.func("int umount2(const char *target, int flags)"),
    socket: library.func("int socket(int domain, int type, int protocol)"),
    bind: library.func("int bind(int fd, const void *address, uint32_t size)"),
    setsockopt: library.func(
      "int setsockopt(int fd, int level, int name, const void *value, uint32_t size)",
    ),
    send: library.func("long send(int fd, const void *bytes, size_t size, int flags)"),
    recv: library.func("long recv(int fd, void *bytes, size_t size, int flags)"),
    close: library.func("int close(int fd)"),
    duplicateFrom: (fd, lowest) => fcntl(fd, DUPLICATE_FROM, "int", lowest) as number,
    trimMemory: trimOf(library),
    exitNow: library.func("void _exit(int status)"),
  };
}

/** malloc_trim(3) is the GNU C library's own. */
function trimOf(library: ReturnType<typeof Koffi.load>): () => void {
  try {
    const trim: (pad: number) => number = library.func("int malloc_trim(size_t pad)");
    return () => {
      trim(0);
    };
  } catch {
    return () => undefined;
  }
}

function loadNftables(koffi: typeof Koffi): Libnftables {
  const library = koffi.load(NFTABLES_LIBRARY);
  return {
    contextNew: library.func("void *nft_ctx_new(uint32_t flags)"),
    contextFree: library.func("void nft_ctx_free(void *ctx)"),
    bufferOutput: library.func("int nft_ctx_buffer_output(void *ctx)"),
    bufferError: library.func("int nft_ctx_buffer_error(void *ctx)"),
    run: library.func("int nft_run_cmd_from_buffer(void *ctx, const void *buf)"),
    errorText: library.func("const char *nft_ctx_get_error_buffer(void *ctx)"),
  };
}
