import { KernelError, netnsText } from "../netns-kernel.js";
import type { Foreign, Libnftables, NftContextPointer } from "./ffi.js";
import type { Namespaces } from "./namespaces.js";
import { NETLINK_NETFILTER, NETLINK_ROUTE, NetlinkSocket } from "./netlink-socket.js";

/** Namespaces with open sockets; the least recently used is closed. An nft context costs some 136 KiB. */
const OPEN_NAMESPACES_MAX = 256;

/** Sockets and, once asked for, an nft context: each bound to the namespace in which it was opened. */
export class NamespaceHandle {
  readonly identity: string;
  readonly route: NetlinkSocket;
  readonly netfilter: NetlinkSocket;
  readonly #nftables: Libnftables;
  readonly #inside: <T>(run: () => T) => T;
  #nft: NftContextPointer | undefined;

  constructor(foreign: Foreign, namespaces: Namespaces, netns: string, identity: string) {
    this.identity = identity;
    this.#nftables = foreign.nftables;
    this.#inside = (run) => namespaces.inside(netns, run);
    const [route, netfilter] = this.#inside(() => {
      const first = new NetlinkSocket(foreign.libc, NETLINK_ROUTE);
      try {
        return [first, new NetlinkSocket(foreign.libc, NETLINK_NETFILTER)];
      } catch (error) {
        first.close();
        throw error;
      }
    });
    this.route = route;
    this.netfilter = netfilter;
  }

  /** Runs a script as one transaction; returns what nft printed as error, undefined when it was applied. */
  runNft(script: string): string | undefined {
    this.#nft ??= this.#inside(() => this.#openNft());
    const status = this.#nftables.run(this.#nft, Buffer.from(`${script}\0`));
    const text = this.#nftables.errorText(this.#nft);
    return status === 0 ? undefined : text.trim() || `nft ended with ${status}`;
  }

  close(): void {
    this.route.close();
    this.netfilter.close();
    if (this.#nft !== undefined) this.#nftables.contextFree(this.#nft);
    this.#nft = undefined;
  }

  #openNft(): NftContextPointer {
    const context = this.#nftables.contextNew(0);
    if (context === null) throw new KernelError("FAILED", "nft_ctx_new failed");
    this.#nftables.bufferOutput(context);
    this.#nftables.bufferError(context);
    return context;
  }
}

/** Open handles by namespace. A handle of a namespace that was removed or replaced by anybody is closed, never used. */
export class Handles {
  readonly #foreign: Foreign;
  readonly #namespaces: Namespaces;
  /** In order of use, the oldest first. */
  readonly #open = new Map<string, NamespaceHandle>();

  constructor(foreign: Foreign, namespaces: Namespaces) {
    this.#foreign = foreign;
    this.#namespaces = namespaces;
  }

  /** undefined when the namespace is not there. */
  find(netns: string): NamespaceHandle | undefined {
    const identity = this.#namespaces.identity(netns);
    const known = this.#open.get(netns);
    if (known !== undefined && known.identity === identity) {
      this.#open.delete(netns);
      this.#open.set(netns, known);
      return known;
    }
    this.close(netns);
    if (identity === undefined) return undefined;
    const [oldest] = this.#open.keys();
    if (oldest !== undefined && this.#open.size >= OPEN_NAMESPACES_MAX) this.close(oldest);
    const handle = new NamespaceHandle(this.#foreign, this.#namespaces, netns, identity);
    this.#open.set(netns, handle);
    return handle;
  }

  /** Throws KernelError NOT_FOUND. */
  get(netns: string): NamespaceHandle {
    const handle = this.find(netns);
    if (handle === undefined)
      throw new KernelError("NOT_FOUND", `${netnsText(netns)} does not exist`);
    return handle;
  }

  /** With a route socket that is closed afterwards: for looking once into a namespace that is not in use here. */
  once<T>(netns: string, use: (route: NetlinkSocket) => T): T {
    const socket = this.#namespaces.inside(
      netns,
      () => new NetlinkSocket(this.#foreign.libc, NETLINK_ROUTE),
    );
    try {
      return use(socket);
    } finally {
      socket.close();
    }
  }

  close(netns: string): void {
    this.#open.get(netns)?.close();
    this.#open.delete(netns);
  }

  /** Closes what is open in a namespace of that name which is gone: an open socket would keep it, and its VNIs, alive. */
  closeStale(netns: string): void {
    const handle = this.#open.get(netns);
    if (handle !== undefined && this.#namespaces.identity(netns) !== handle.identity)
      this.close(netns);
  }

  closeAll(): void {
    for (const netns of [...this.#open.keys()]) this.close(netns);
  }
}
