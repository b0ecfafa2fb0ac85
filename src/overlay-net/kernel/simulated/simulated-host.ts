import type {
  ConntrackFilter,
  FdbEntry,
  Link,
  LinkAddress,
  Neighbour,
  NetnsState,
  Route,
  Rule,
} from "../../core/kernel-model.js";
import type { SimulatedTable } from "./nft-tables.js";

/** A flow of a simulated namespace; all fields of the filter. */
export type SimulatedConnection = { readonly netns: string } & Required<ConntrackFilter>;

/** One namespace. Lists are keyed as the kernel keys them, so that a replacement replaces. */
export type SimulatedNetns = {
  readonly links: Map<string, Link>;
  readonly peers: Map<string, { readonly netns: string; readonly name: string }>;
  readonly addresses: Map<string, LinkAddress>;
  readonly routes: Map<string, Route>;
  readonly rules: Map<string, Rule>;
  readonly fdb: Map<string, FdbEntry>;
  readonly neighbours: Map<string, Neighbour>;
  readonly sysctls: Map<string, string>;
  tables: Map<string, SimulatedTable>;
  generation: number;
  /** Another one for a namespace of the same name made later. */
  readonly identity: string;
};

/** Nobody asks for names that begin so. */
const HIDDEN = "\0";

/** What several kernel ports on one host share: the kernel. */
export class SimulatedHost {
  readonly namespaces = new Map<string, SimulatedNetns>([["", emptyNetns("0")]]);
  connections: readonly SimulatedConnection[] = [];
  readonly #watchers = new Map<string, Set<(netns: string) => void>>();
  #macCount = 0;
  #madeCount = 0;

  addNetns(netns: string): void {
    this.namespaces.set(netns, emptyNetns(String(++this.#madeCount)));
  }

  watch(netns: string, onChange: (netns: string) => void): () => void {
    const watchers = this.#watchers.get(netns) ?? new Set();
    this.#watchers.set(netns, watchers);
    const watcher = (changed: string): void => {
      onChange(changed);
    };
    watchers.add(watcher);
    return () => {
      watchers.delete(watcher);
      if (watchers.size === 0) this.#watchers.delete(netns);
    };
  }

  changed(netns: string): void {
    for (const watcher of this.#watchers.get(netns) ?? []) watcher(netns);
  }

  /** A locally administered address, another each time. */
  nextMac(): string {
    this.#macCount++;
    const hex = this.#macCount.toString(16).padStart(8, "0");
    return `02:53:${hex.match(/../g)?.join(":") ?? ""}`;
  }

  /** The link and all that hangs on it; a veth's peer too; ports of a bridge become free. */
  removeLink(netns: string, name: string): void {
    const space = this.namespaces.get(netns);
    if (space === undefined || !space.links.delete(name)) return;
    const peer = space.peers.get(name);
    space.peers.delete(name);
    for (const entries of [space.addresses, space.routes, space.fdb, space.neighbours])
      dropOfLink(entries, name);
    for (const [port, link] of space.links) {
      if (link.master === name)
        space.links.set(port, { ...link, master: "", isIsolated: false, isLearning: false });
    }
    this.changed(netns);
    if (peer !== undefined) this.removeLink(peer.netns, peer.name);
  }

  /** The namespace goes on without a name, as one that a process keeps: its links stay, and nobody can reach it. */
  loseName(netns: string): void {
    const space = this.namespaces.get(netns);
    if (space === undefined) return;
    const hidden = `${HIDDEN}${netns}`;
    for (const [name, peer] of space.peers)
      this.namespaces.get(peer.netns)?.peers.set(peer.name, { netns: hidden, name });
    this.namespaces.delete(netns);
    this.namespaces.set(hidden, space);
    this.changed(netns);
  }

  findVxlan(
    vni: number,
    port: number,
  ): { readonly netns: string; readonly name: string } | undefined {
    for (const [netns, { links }] of this.namespaces) {
      for (const { name, vxlan } of links.values())
        if (vxlan?.vni === vni && vxlan.port === port) return { netns, name };
    }
    return undefined;
  }
}

function emptyNetns(identity: string): SimulatedNetns {
  return {
    links: new Map(),
    peers: new Map(),
    addresses: new Map(),
    routes: new Map(),
    rules: new Map(),
    fdb: new Map(),
    neighbours: new Map(),
    sysctls: new Map(),
    tables: new Map(),
    generation: 1,
    identity,
  };
}

/** Without its tables. */
export function stateOf(netns: string, space: SimulatedNetns): Omit<NetnsState, "tables"> {
  return {
    netns,
    links: [...space.links.values()],
    addresses: [...space.addresses.values()],
    routes: [...space.routes.values()],
    rules: [...space.rules.values()],
    fdb: [...space.fdb.values()],
    neighbours: [...space.neighbours.values()],
    sysctls: [...space.sysctls].map(([key, value]) => ({ key, value })),
  };
}

function dropOfLink(entries: Map<string, { readonly link: string }>, name: string): void {
  for (const [key, { link }] of entries) if (link === name) entries.delete(key);
}
