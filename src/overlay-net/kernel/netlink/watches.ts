import { type FSWatcher, watch as watchFile } from "node:fs";
import { KernelError, NETNS_DIR } from "../netns-kernel.js";
import type { NetlinkMessage } from "./codec/message.js";
import { isTransientNeighbour } from "./codec/neighbour.js";
import { decodeGeneration, isGeneration } from "./codec/netfilter.js";
import type { Foreign } from "./ffi.js";
import type { Namespaces } from "./namespaces.js";
import { NETLINK_NETFILTER, NETLINK_ROUTE, NetlinkSocket } from "./netlink-socket.js";
import type { OwnFdb } from "./own-fdb.js";

/** Two sockets each. */
const WATCHED_NAMESPACES_MAX = 2048;
/** Changes come in bursts: one report per namespace in this time. */
const REPORT_DELAY_MS = 10;
/** Read so long after the first of a burst, which may be of hundreds; until then it waits in the socket, or runs over. */
const QUIET_MS = 150;
/** Datagrams read at once when it ends. */
const DRAINED_MAX = 1_000;
/** A name appears before the namespace is mounted on it. */
const ARM_AGAIN_DELAY_MS = 100;
/** Links, neighbours and FDB, addresses, routes and rules of both families: RTNLGRP_* of linux/rtnetlink.h. */
const ROUTE_GROUPS = [1, 3, 5, 7, 8, 9, 11, 19];
/** NFNLGRP_NFTABLES. */
const NETFILTER_GROUPS = [7];

type Watch = {
  readonly identity: string;
  /** Reads what the kernel told so far. */
  passOver(own: OwnFdb): void;
  close(): void;
};

export type WatchesParts = {
  readonly foreign: Foreign;
  readonly namespaces: Namespaces;
  /** Somebody else, or the kernel by itself, changed something in the namespace; or it came or went. */
  readonly report: (netns: string) => void;
  /** Somebody added or removed a namespace, watched or not. */
  readonly onDirectoryChange: (netns: string) => void;
  /** Of the socket by which this thread changes links, addresses, routes and neighbours there. */
  readonly routePort: (netns: string) => number | undefined;
  /** Whether this thread made that generation of the namespace's nft rules. */
  readonly isOwnGeneration: (netns: string, generation: number) => boolean;
};

/**
 * Listens to the kernel's notifications in watched namespaces, and to namespaces that come and go. What this thread did itself is left out:
 * the kernel says who did it, but of FDB entries, which are passed over as soon as they are written, unless they are very many.
 */
export class Watches {
  readonly #parts: WatchesParts;
  /** undefined: the namespace is not there (yet, or any more). */
  readonly #watches = new Map<string, Watch | undefined>();
  readonly #changed = new Set<string>();
  readonly #directory: FSWatcher;
  #reportTimer: NodeJS.Timeout | undefined;
  #armTimer: NodeJS.Timeout | undefined;
  /** Names that came or went, to be looked at once more. */
  readonly #unsettled = new Set<string>();

  constructor(parts: WatchesParts) {
    this.#parts = parts;
    this.#directory = watchFile(NETNS_DIR, (_event, name) => {
      if (name === null) return;
      parts.onDirectoryChange(name);
      this.arm(name);
      this.#unsettled.add(name);
      this.#armTimer ??= setTimeout(() => {
        this.#armTimer = undefined;
        const names = [...this.#unsettled];
        this.#unsettled.clear();
        for (const each of names) this.arm(each);
      }, ARM_AGAIN_DELAY_MS);
    });
  }

  /** Throws KernelError BUSY. */
  add(netns: string): void {
    if (this.#watches.has(netns)) return;
    if (this.#watches.size >= WATCHED_NAMESPACES_MAX)
      throw new KernelError("BUSY", `${WATCHED_NAMESPACES_MAX} namespaces are watched, the most`);
    this.#watches.set(netns, undefined);
    this.arm(netns);
  }

  remove(netns: string): void {
    this.release(netns);
    this.#watches.delete(netns);
  }

  /** Closes the sockets in a namespace that is to be removed; the watch waits for one of the same name. */
  release(netns: string): void {
    const watch = this.#watches.get(netns);
    if (watch === undefined) return;
    watch.close();
    this.#watches.set(netns, undefined);
    this.#note(netns);
  }

  /** Of what was told in the namespace since it was last read, these entries are this thread's own. */
  passOver(netns: string, own: OwnFdb): void {
    this.#watches.get(netns)?.passOver(own);
  }

  /** Listens in the namespace that has the name now. */
  arm(netns: string): void {
    if (!this.#watches.has(netns)) return;
    const identity = this.#parts.namespaces.identity(netns);
    if (this.#watches.get(netns)?.identity === identity) return;
    this.release(netns);
    if (identity === undefined) return;
    this.#watches.set(netns, this.#listen(netns, identity));
    this.#note(netns);
  }

  close(): void {
    this.#directory.close();
    clearTimeout(this.#reportTimer);
    clearTimeout(this.#armTimer);
    for (const watch of this.#watches.values()) watch?.close();
    this.#watches.clear();
  }

  #listen(netns: string, identity: string): Watch {
    const { foreign, namespaces } = this.#parts;
    const { libc, poll } = foreign;
    const [route, netfilter] = namespaces.inside(netns, () => [
      new NetlinkSocket(libc, NETLINK_ROUTE, ROUTE_GROUPS),
      new NetlinkSocket(libc, NETLINK_NETFILTER, NETFILTER_GROUPS),
    ]);
    let polls: readonly { close(): void }[] = [];
    let quiet: NodeJS.Timeout | undefined;
    const stop = (): void => {
      for (const each of polls) each.close();
      polls = [];
    };
    const start = (): void => {
      polls = [route, netfilter].map((socket) =>
        poll(socket.fd, () => {
          if (quiet !== undefined) return;
          stop();
          quiet = setTimeout(look, QUIET_MS);
        }),
      );
    };
    const look = (): void => {
      quiet = undefined;
      const changed = [
        drain(route, (messages) => this.#isRouteChange(netns, messages)),
        drain(netfilter, (messages) => this.#isRuleChange(netns, messages)),
      ];
      if (changed.includes(true)) this.#note(netns);
      start();
    };
    start();
    return {
      identity,
      passOver: (own) => {
        if (drain(route, (messages) => this.#isRouteChange(netns, messages, own)))
          this.#note(netns);
      },
      close: () => {
        clearTimeout(quiet);
        stop();
        for (const socket of [route, netfilter]) socket.close();
      },
    };
  }

  #note(netns: string): void {
    this.#changed.add(netns);
    this.#reportTimer ??= setTimeout(() => {
      this.#reportTimer = undefined;
      const changed = [...this.#changed];
      this.#changed.clear();
      for (const each of changed) this.#parts.report(each);
    }, REPORT_DELAY_MS);
  }

  #isRouteChange(netns: string, messages: readonly NetlinkMessage[], own?: OwnFdb): boolean {
    const ownPort = this.#parts.routePort(netns) ?? 0;
    return messages.some(
      (message) =>
        (message.port !== ownPort || message.port === 0) &&
        !isTransientNeighbour(message.type, message.payload) &&
        own?.has(message) !== true,
    );
  }

  /** Each transaction ends with its generation. */
  #isRuleChange(netns: string, messages: readonly NetlinkMessage[]): boolean {
    return messages.some(
      ({ type, payload }) =>
        isGeneration(type) && !this.#parts.isOwnGeneration(netns, decodeGeneration(payload)),
    );
  }
}

/** Reads what waits; true when a change was among it. What was lost, or is too much to be read, may have been one. */
function drain(
  socket: NetlinkSocket,
  isChange: (messages: readonly NetlinkMessage[]) => boolean,
): boolean {
  let isChanged = false;
  for (let count = 0; count < DRAINED_MAX; count++) {
    const messages = socket.notifications();
    if (messages === "overrun") isChanged = true;
    else if (messages.length === 0) return isChanged;
    else isChanged ||= isChange(messages);
  }
  return true;
}
