import type { KernelOperation } from "../../core/kernel-model.js";
import { AddressError } from "../addresses.js";
import { KernelError, netnsText, operationError } from "../netns-kernel.js";
import { encodeAddAddress, encodeRemoveAddress } from "./codec/address.js";
import { decodeLink, encodeDumpLinks, encodeLinkUp, encodeRemoveLink } from "./codec/link.js";
import {
  encodeRemoveFdb,
  encodeRemoveNeighbour,
  encodeReplaceFdb,
  encodeReplaceNeighbour,
} from "./codec/neighbour.js";
import type { Connection } from "./codec/netfilter.js";
import {
  encodeAddRule,
  encodeRemoveRoute,
  encodeRemoveRule,
  encodeReplaceRoute,
} from "./codec/route.js";
import { connectionsOf, endConnections } from "./connections.js";
import type { Handles, NamespaceHandle } from "./handles.js";
import { ackText, ERRNO, errnoCode } from "./kernel-errno.js";
import { findLink, LinkMaker } from "./links.js";
import type { Namespaces } from "./namespaces.js";
import type { NetlinkSocket } from "./netlink-socket.js";
import { OwnFdb } from "./own-fdb.js";
import { type PackedOperations, unpackEntries } from "./packed-entries.js";
import { Pipeline } from "./pipeline.js";
import type { Sysctls } from "./sysctls.js";
import type { TableContents } from "./table-contents.js";

const { EADDRNOTAVAIL, EEXIST, ENODEV, ENOENT, ESRCH } = ERRNO;

export type ExecutorParts = {
  readonly namespaces: Namespaces;
  readonly handles: Handles;
  readonly sysctls: Sysctls;
  readonly contents: TableContents;
  /** Opens a socket in the namespace this thread is in now. */
  readonly openRoute: () => NetlinkSocket;
  /** A namespace was made; watchers wait for it. */
  readonly onAdded: (netns: string) => void;
  /** A namespace is about to be removed: close what is open in it. */
  readonly onRemoving: (netns: string) => void;
  /** These entries were written; what the kernel tells of them waits in the watchers' sockets. */
  readonly onFdbWritten: (netns: string, own: OwnFdb) => void;
};

/** Executes operations. Synchronous; all of one namespace share sockets, and messages travel in batches. */
export class Executor {
  readonly #parts: ExecutorParts;
  readonly #links: LinkMaker;

  constructor(parts: ExecutorParts) {
    this.#parts = parts;
    this.#links = new LinkMaker(parts.namespaces, parts.handles);
  }

  /** Throws KernelError of the first operation that failed. */
  execute(batch: readonly PackedOperations[]): void {
    for (const { netns, operations } of batch) {
      const run = new NetnsRun(this.#parts, this.#links, netns);
      for (const operation of operations) {
        if (operation.kind !== "packed") run.execute(operation);
        else for (const one of unpackEntries(operation)) run.execute(one);
      }
      run.finish();
    }
  }
}

/** The operations for one namespace, from first to last. */
class NetnsRun {
  readonly #parts: ExecutorParts;
  readonly #links: LinkMaker;
  readonly #netns: string;
  /** Only for this run: others may rename or replace links meanwhile. */
  readonly #indexes = new Map<string, number | undefined>();
  #pipeline: Pipeline | undefined;
  /** Of this moment, for filters that follow each other: the kernel walks the table of all namespaces for each list. */
  #connections: readonly Connection[] | undefined;
  readonly #ownFdb = new OwnFdb();

  constructor(parts: ExecutorParts, links: LinkMaker, netns: string) {
    this.#parts = parts;
    this.#links = links;
    this.#netns = netns;
  }

  execute(operation: KernelOperation): void {
    if (operation.kind !== "endConnections") this.#connections = undefined;
    try {
      this.#dispatch(operation);
    } catch (error) {
      throw this.#named(operation, error);
    }
  }

  finish(): void {
    this.#flush();
    if (this.#ownFdb.isKnown) this.#parts.onFdbWritten(this.#netns, this.#ownFdb);
  }

  #flush(): void {
    this.#pipeline?.flush();
  }

  #dispatch(operation: KernelOperation): void {
    const { kind } = operation;
    switch (kind) {
      case "addNetns":
        return this.#addNetns();
      case "removeNetns":
        return this.#removeNetns(operation.isLazy === true);
      case "addLink":
        return this.#changeLinks(() => this.#links.add(this.#netns, operation));
      case "setLink":
        return this.#changeLinks(() => this.#links.set(this.#netns, operation.link));
      case "removeLink":
        this.#indexes.clear();
        return this.#push(operation, encodeRemoveLink(operation.name), [ENODEV]);
      case "addAddress":
        return this.#onLink(operation, operation.address.link, (index) =>
          encodeAddAddress(index, operation.address.address),
        );
      case "removeAddress":
        return this.#onLink(operation, operation.address.link, (index) =>
          encodeRemoveAddress(index, operation.address.address),
        );
      case "replaceRoute":
        return this.#onLink(operation, operation.route.link, (index) =>
          encodeReplaceRoute(operation.route, index),
        );
      case "removeRoute":
        return this.#onLink(operation, operation.route.link, (index) =>
          encodeRemoveRoute(operation.route, index),
        );
      case "addRule":
        return this.#push(operation, encodeAddRule(operation.rule), [EEXIST]);
      case "removeRule":
        return this.#push(operation, encodeRemoveRule(operation.rule), [ENOENT]);
      case "replaceFdb":
        return this.#onLink(operation, operation.entry.link, (index) => {
          this.#ownFdb.add(kind, operation.entry, index);
          return encodeReplaceFdb(operation.entry, index);
        });
      case "removeFdb":
        return this.#onLink(operation, operation.entry.link, (index) => {
          this.#ownFdb.add(kind, operation.entry, index);
          return encodeRemoveFdb(operation.entry, index);
        });
      case "replaceNeighbour":
        return this.#onLink(operation, operation.entry.link, (index) =>
          encodeReplaceNeighbour(operation.entry, index),
        );
      case "removeNeighbour":
        return this.#onLink(operation, operation.entry.link, (index) =>
          encodeRemoveNeighbour(operation.entry, index),
        );
      case "nft":
        return this.#nft(operation.script);
      case "setSysctl":
        this.#flush();
        return this.#parts.sysctls.set(this.#netns, operation.sysctl);
      case "endConnections":
        this.#flush();
        this.#connections ??= connectionsOf(this.#handle());
        return endConnections(this.#handle(), this.#connections, operation.filter);
    }
  }

  #addNetns(): void {
    if (this.#netns === "") return;
    this.#flush();
    const up = (route: NetlinkSocket): void => {
      const [ack] = route.request([encodeLinkUp("lo")], () => true);
      if (ack !== undefined && ack.errno !== 0)
        throw new KernelError(errnoCode(ack.errno), `lo: ${ackText(ack)}`);
    };
    this.#parts.namespaces.create(this.#netns, () => {
      const route = this.#parts.openRoute();
      try {
        up(route);
      } finally {
        route.close();
      }
    });
    this.#parts.onAdded(this.#netns);
  }

  #removeNetns(isLazy: boolean): void {
    const { namespaces, handles, sysctls, contents, onRemoving } = this.#parts;
    if (this.#netns === "")
      throw new KernelError("INVALID", "the host's namespace cannot be removed");
    this.#flush();
    this.#pipeline = undefined;
    if (!isLazy && namespaces.identity(this.#netns) !== undefined) this.#removeLinks();
    handles.close(this.#netns);
    onRemoving(this.#netns);
    sysctls.forget(this.#netns);
    namespaces.remove(this.#netns);
    contents.forgetStale(this.#netns, undefined);
  }

  /** By name, so that VNIs and names of peers are free when this returns, not when the kernel gets to clearing the namespace. */
  #removeLinks(): void {
    const { route } = this.#handle();
    const names = route
      .dump(encodeDumpLinks(), decodeLink)
      .filter(({ kind }) => kind !== undefined)
      .map(({ name }) => name);
    // Repeating is harmless: a veth goes with its peer.
    route.request(names.map(encodeRemoveLink), () => false);
  }

  #changeLinks(change: () => void): void {
    this.#flush();
    this.#indexes.clear();
    change();
  }

  /** What is to be removed from a link that is gone is gone. */
  #onLink(operation: KernelOperation, link: string, encode: (index: number) => Buffer): void {
    const index = this.#linkIndex(link);
    const isRemoval = operation.kind.startsWith("remove");
    if (index === undefined) {
      if (isRemoval) return;
      throw new KernelError("NOT_FOUND", `there is no link ${link}`);
    }
    this.#push(operation, encode(index), isRemoval ? [ENOENT, ESRCH, EADDRNOTAVAIL, ENODEV] : []);
  }

  #linkIndex(link: string): number | undefined {
    const known = this.#indexes.get(link);
    if (known !== undefined) return known;
    this.#flush();
    const index = findLink(this.#handle().route, link)?.index;
    this.#indexes.set(link, index);
    return index;
  }

  #nft(script: string): void {
    this.#flush();
    const said = this.#parts.contents.run(this.#netns, this.#handle(), script);
    if (said !== undefined) throw new KernelError(nftErrorCode(said), said);
  }

  #push(operation: KernelOperation, message: Buffer, harmless: readonly number[]): void {
    this.#pipeline ??= new Pipeline(this.#netns, () => this.#handle().route);
    this.#pipeline.push(operation, message, harmless);
  }

  #handle(): NamespaceHandle {
    return this.#parts.handles.get(this.#netns);
  }

  /** An error that does not name its operation yet gets its name. */
  #named(operation: KernelOperation, error: unknown): unknown {
    if (error instanceof AddressError)
      return operationError("INVALID", this.#netns, operation, error.message, { cause: error });
    if (!(error instanceof KernelError)) return error;
    const isNamed = error.message.startsWith(`${netnsText(this.#netns)}: `);
    if (isNamed) return error;
    return operationError(error.code, this.#netns, operation, error.message, { cause: error });
  }
}

export function nftErrorCode(said: string): "NOT_PERMITTED" | "INVALID" {
  return /Operation not permitted/.test(said) ? "NOT_PERMITTED" : "INVALID";
}
