import { LOW_DESCRIPTORS } from "../../low-descriptors.js";
import { KernelError, netnsText } from "../netns-kernel.js";
import type { Foreign, Libnftables, NftContextPointer } from "./ffi.js";
import type { Namespaces } from "./namespaces.js";
import { NETLINK_NETFILTER, NETLINK_ROUTE, NetlinkSocket } from "./netlink-socket.js";

/** Namespaces with open sockets; the least recently used is closed. */
const OPEN_NAMESPACES_MAX = 256;
/**
 * An nft context costs 136 KiB, and half a MiB for each table it has seen: a hundred containers would hold 150 MiB. One that was not used for so
 * long is freed; right after its last use the kernel would make us wait some 12 ms for what that transaction left to clean up.
 */
const NFT_IDLE_MS = 5_000;
/** Descriptors that other threads of the process may open between the look for a low one and its use. */
const OTHERS_AT_ONCE = 24;
/** Contexts freed at once: the thread does nothing else meanwhile, some 0.2 ms each. */
const FREED_MAX = 32;
const FREE_AGAIN_DELAY_MS = 50;

/** Sockets and, once asked for, an nft context: each bound to the namespace in which it was opened. */
export class NamespaceHandle {
  readonly identity: string;
  readonly route: NetlinkSocket;
  readonly netfilter: NetlinkSocket;
  readonly #nftables: Libnftables;
  readonly #inside: <T>(run: () => T) => T;
  readonly #lowestFree: () => number;
  readonly #onNft: () => void;
  #nft: NftContextPointer | undefined;
  #nftUsedAtMs = 0;

  /** `onNft`: its nft context was used. */
  constructor(
    foreign: Foreign,
    namespaces: Namespaces,
    netns: string,
    identity: string,
    onNft: () => void,
  ) {
    this.identity = identity;
    this.#onNft = onNft;
    this.#nftables = foreign.nftables;
    this.#lowestFree = foreign.lowestFree;
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
    this.#nftUsedAtMs = performance.now();
    this.#onNft();
    const status = this.#nftables.run(this.#nft, Buffer.from(`${script}\0`));
    const text = this.#nftables.errorText(this.#nft);
    return status === 0 ? undefined : text.trim() || `nft ended with ${status}`;
  }

  get hasNft(): boolean {
    return this.#nft !== undefined;
  }

  /** Of a context that is open: when it was used last, as performance.now() says. */
  get nftUsedAtMs(): number {
    return this.#nftUsedAtMs;
  }

  freeNft(): void {
    if (this.#nft !== undefined) this.#nftables.contextFree(this.#nft);
    this.#nft = undefined;
  }

  close(): void {
    this.route.close();
    this.netfilter.close();
    this.freeNft();
  }

  /** Throws KernelError BUSY rather than let libnftables end the process (low-descriptors.ts). */
  #openNft(): NftContextPointer {
    const lowest = this.#lowestFree();
    if (lowest >= LOW_DESCRIPTORS - OTHERS_AT_ONCE)
      throw new KernelError(
        "BUSY",
        `descriptor ${lowest} would be the lowest free one, and nftables needs one below ${LOW_DESCRIPTORS - OTHERS_AT_ONCE}: this process has too many connections or published ports open`,
      );
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
  #freeTimer: NodeJS.Timeout | undefined;
  /** Contexts were freed, and the C library still has their memory. */
  #isUntrimmed = false;

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
    const handle = new NamespaceHandle(this.#foreign, this.#namespaces, netns, identity, () => {
      this.#freeLater(NFT_IDLE_MS);
    });
    this.#open.set(netns, handle);
    return handle;
  }

  /** Of the socket by which links, addresses, routes and neighbours are changed; undefined while none is open. */
  routePort(netns: string): number | undefined {
    return this.#open.get(netns)?.route.port;
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
    const handle = this.#open.get(netns);
    if (handle === undefined) return;
    if (handle.hasNft) {
      this.#isUntrimmed = true;
      this.#freeLater(NFT_IDLE_MS);
    }
    handle.close();
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
    clearTimeout(this.#freeTimer);
  }

  #freeLater(delayMs: number): void {
    this.#freeTimer ??= setTimeout(() => {
      this.#freeTimer = undefined;
      this.#freeIdle();
    }, delayMs);
  }

  #freeIdle(): void {
    const idleSinceMs = performance.now() - NFT_IDLE_MS;
    const open = [...this.#open.values()].filter(({ hasNft }) => hasNft);
    const idle = open.filter(({ nftUsedAtMs }) => nftUsedAtMs <= idleSinceMs);
    for (const handle of idle.slice(0, FREED_MAX)) handle.freeNft();
    this.#isUntrimmed ||= idle.length > 0;
    if (idle.length > FREED_MAX) {
      this.#freeLater(FREE_AGAIN_DELAY_MS);
      return;
    }
    if (open.length > idle.length) this.#freeLater(NFT_IDLE_MS);
    if (!this.#isUntrimmed) return;
    this.#isUntrimmed = false;
    this.#foreign.libc.trimMemory();
  }
}
