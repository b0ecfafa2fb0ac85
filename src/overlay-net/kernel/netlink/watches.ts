import { type FSWatcher, watch as watchFile } from "node:fs";
import { KernelError, NETNS_DIR } from "../netns-kernel.js";
import { isTransientNeighbour } from "./codec/neighbour.js";
import type { Foreign } from "./ffi.js";
import type { Namespaces } from "./namespaces.js";
import { NETLINK_NETFILTER, NETLINK_ROUTE, NetlinkSocket } from "./netlink-socket.js";

/** Two sockets each. */
const WATCHED_NAMESPACES_MAX = 2048;
/** Changes come in bursts: one report per namespace in this time. */
const REPORT_DELAY_MS = 10;
/** After a change nothing is read for so long: of a burst of hundreds the first says it all. The rest waits in the socket, or runs over. */
const QUIET_MS = 150;
/** Datagrams read at once when it ends. */
const DRAINED_MAX = 1_000;
/** A name appears before the namespace is mounted on it. */
const ARM_AGAIN_DELAY_MS = 100;
/** Links, neighbours and FDB, addresses, routes and rules of both families: RTNLGRP_* of linux/rtnetlink.h. */
const ROUTE_GROUPS = [1, 3, 5, 7, 8, 9, 11, 19];
/** NFNLGRP_NFTABLES. */
const NETFILTER_GROUPS = [7];

type Watch = { readonly identity: string; close(): void };

/** Listens to the kernel's notifications in watched namespaces, and to namespaces that come and go. */
export class Watches {
  readonly #foreign: Foreign;
  readonly #namespaces: Namespaces;
  readonly #report: (netns: string) => void;
  /** undefined: the namespace is not there (yet, or any more). */
  readonly #watches = new Map<string, Watch | undefined>();
  readonly #changed = new Set<string>();
  readonly #directory: FSWatcher;
  #reportTimer: NodeJS.Timeout | undefined;
  #armTimer: NodeJS.Timeout | undefined;
  /** Names that came or went, to be looked at once more. */
  readonly #unsettled = new Set<string>();

  /** `onDirectoryChange`: somebody added or removed a namespace, watched or not. */
  constructor(
    foreign: Foreign,
    namespaces: Namespaces,
    report: (netns: string) => void,
    onDirectoryChange: (netns: string) => void,
  ) {
    this.#foreign = foreign;
    this.#namespaces = namespaces;
    this.#report = report;
    this.#directory = watchFile(NETNS_DIR, (_event, name) => {
      if (name === null) return;
      onDirectoryChange(name);
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

  /** Listens in the namespace that has the name now. */
  arm(netns: string): void {
    if (!this.#watches.has(netns)) return;
    const identity = this.#namespaces.identity(netns);
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
    const { libc, poll } = this.#foreign;
    const sockets = this.#namespaces.inside(netns, () => [
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
      polls = sockets.map((socket) =>
        poll(socket.fd, () => {
          if (quiet !== undefined || !sawChange(socket)) return;
          this.#note(netns);
          stop();
          quiet = setTimeout(resume, QUIET_MS);
        }),
      );
    };
    const resume = (): void => {
      quiet = undefined;
      if (sockets.map(drain).includes(true)) this.#note(netns);
      start();
    };
    start();
    return {
      identity,
      close: () => {
        clearTimeout(quiet);
        stop();
        for (const socket of sockets) socket.close();
      },
    };
  }

  #note(netns: string): void {
    this.#changed.add(netns);
    this.#reportTimer ??= setTimeout(() => {
      this.#reportTimer = undefined;
      const changed = [...this.#changed];
      this.#changed.clear();
      for (const each of changed) this.#report(each);
    }, REPORT_DELAY_MS);
  }
}

/** Reads one datagram; the poll comes again for the next. What was lost may have been a change. */
function sawChange(socket: NetlinkSocket): boolean {
  return isChange(socket.notifications());
}

function isChange(messages: ReturnType<NetlinkSocket["notifications"]>): boolean {
  if (messages === "overrun") return true;
  return messages.some(({ type, payload }) => !isTransientNeighbour(type, payload));
}

/** Reads what waits; true when a change was among it. */
function drain(socket: NetlinkSocket): boolean {
  let isChanged = false;
  for (let count = 0; count < DRAINED_MAX; count++) {
    const messages = socket.notifications();
    if (messages !== "overrun" && messages.length === 0) return isChanged;
    isChanged ||= isChange(messages);
  }
  return isChanged;
}
