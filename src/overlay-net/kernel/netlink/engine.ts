import type { NetnsState } from "../../core/kernel-model.js";
import { countOpenFlows } from "./connections.js";
import { ContentsFile } from "./contents-file.js";
import { Executor } from "./executor.js";
import type { Foreign } from "./ffi.js";
import { Handles } from "./handles.js";
import { Namespaces } from "./namespaces.js";
import { NETLINK_ROUTE, NetlinkSocket } from "./netlink-socket.js";
import { observeNamespace } from "./observer.js";
import type { Call } from "./protocol.js";
import { Sysctls } from "./sysctls.js";
import { nftGeneration, TableContents } from "./table-contents.js";
import { Watches } from "./watches.js";

/** All of the kernel port, synchronous, in the thread that owns it. */
export class Engine {
  readonly #namespaces: Namespaces;
  readonly #handles: Handles;
  readonly #sysctls: Sysctls;
  readonly #contents: TableContents;
  readonly #watches: Watches;
  readonly #executor: Executor;

  /** `contentsPath`: file for what is in our tables; "" for none. */
  constructor(foreign: Foreign, contentsPath: string, onChange: (netns: string) => void) {
    this.#namespaces = new Namespaces(foreign.libc);
    this.#contents = new TableContents(
      contentsPath === "" ? undefined : new ContentsFile(contentsPath),
      ({ netns, identity }) => this.#namespaces.identity(netns) === identity,
    );
    this.#handles = new Handles(foreign, this.#namespaces);
    this.#sysctls = new Sysctls(this.#namespaces);
    this.#watches = new Watches({
      foreign,
      namespaces: this.#namespaces,
      report: onChange,
      onDirectoryChange: (netns) => {
        this.#handles.closeStale(netns);
        this.#contents.forgetStale(netns, this.#namespaces.identity(netns));
      },
      routePort: (netns) => this.#handles.routePort(netns),
      isOwnGeneration: (netns, generation) => this.#contents.isOwn(netns, generation),
    });
    this.#executor = new Executor({
      namespaces: this.#namespaces,
      handles: this.#handles,
      sysctls: this.#sysctls,
      contents: this.#contents,
      openRoute: () => new NetlinkSocket(foreign.libc, NETLINK_ROUTE),
      onAdded: (netns) => {
        this.#watches.arm(netns);
      },
      onRemoving: (netns) => {
        this.#watches.release(netns);
      },
      onFdbWritten: (netns, own) => {
        this.#watches.passOver(netns, own);
      },
    });
  }

  /** Throws KernelError. */
  answer(call: Call): unknown {
    switch (call.kind) {
      case "observe":
        return this.#observe(call.netns, call.tablePrefix);
      case "execute":
        return this.#executor.execute(call.batch);
      case "list":
        return this.#namespaces.list(call.prefix);
      case "nftGeneration":
        return nftGeneration(call.netns, this.#handles.get(call.netns));
      case "openFlows":
        return countOpenFlows(this.#handles.get(call.netns), call.addresses);
      case "watch":
        return this.#watches.add(call.netns);
      case "unwatch":
        return this.#watches.remove(call.netns);
      case "close":
        this.#watches.close();
        this.#contents.close();
        return this.#handles.closeAll();
    }
  }

  #observe(netns: string, tablePrefix: string): NetnsState | undefined {
    const handle = this.#handles.find(netns);
    if (handle === undefined) return undefined;
    const tables = this.#contents.observe(netns, handle, tablePrefix);
    return { netns, ...observeNamespace(handle), tables, sysctls: this.#sysctls.read(netns) };
  }
}
