import type {
  ConntrackFilter,
  KernelOperation,
  Link,
  NetnsOperations,
  NetnsState,
  Route,
  VethPeer,
} from "../../core/kernel-model.js";
import { AddressError, ipBytes, ipText, parsePrefix, prefixText } from "../addresses.js";
import {
  KernelError,
  type NetnsKernel,
  type NetnsKernelErrorCode,
  netnsText,
  operationError,
  sysctlPath,
  sysctlValue,
} from "../netns-kernel.js";
import {
  observedTables,
  type TableTrust,
  TableTrusts,
  tableKey,
  tablesNamed,
} from "../table-trust.js";
import { applyScript, NftScriptError } from "./nft-tables.js";
import { SimulatedHost, type SimulatedNetns, stateOf } from "./simulated-host.js";

/** The kernel in memory: keeps what was executed and refuses what the real one refuses. Forwards no packet. */
export class SimulatedNetnsKernel implements NetnsKernel {
  readonly kind = "simulated";
  readonly #host: SimulatedHost;
  readonly #trusts = new TableTrusts();
  #isClosed = false;

  constructor(host = new SimulatedHost()) {
    this.#host = host;
  }

  async observe(netns: string, tablePrefix: string): Promise<NetnsState | undefined> {
    this.#checkOpen();
    const space = this.#host.namespaces.get(netns);
    if (space === undefined) return undefined;
    const trust = this.#compared(netns, space, tablePrefix);
    const state = structuredClone(stateOf(netns, space));
    const tables = [...space.tables.values()].filter(({ name }) => name.startsWith(tablePrefix));
    return { ...state, tables: observedTables(tables, trust) };
  }

  async execute(batch: readonly NetnsOperations[]): Promise<void> {
    this.#checkOpen();
    for (const { netns, operations } of batch) {
      for (const operation of operations) this.#executeNamed(netns, operation);
    }
  }

  async list(prefix: string): Promise<readonly string[]> {
    this.#checkOpen();
    return [...this.#host.namespaces.keys()]
      .filter((name) => name !== "" && name.startsWith(prefix))
      .sort();
  }

  async nftGeneration(netns: string): Promise<number> {
    this.#checkOpen();
    return this.#space(netns).generation;
  }

  async openFlows(netns: string, addresses: readonly string[]): Promise<number> {
    this.#checkOpen();
    this.#space(netns);
    const own = new Set(addresses.map((address) => ipText(ipBytes(address))));
    return this.#host.connections.filter(
      (flow) => flow.netns === netns && flow.protocol !== "udp" && own.has(flow.replySrc),
    ).length;
  }

  async watch(netns: string, onChange: (netns: string) => void): Promise<() => void> {
    this.#checkOpen();
    return this.#host.watch(netns, onChange);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
  }

  #executeNamed(netns: string, operation: KernelOperation): void {
    try {
      this.#execute(netns, operation);
      this.#host.changed(netns);
    } catch (error) {
      throw operationError(codeOf(error), netns, operation, messageOf(error), { cause: error });
    }
  }

  #execute(netns: string, operation: KernelOperation): void {
    if (operation.kind === "addNetns") return this.#addNetns(netns);
    if (operation.kind === "removeNetns") return this.#removeNetns(netns);
    const space = this.#space(netns);
    const { kind } = operation;
    switch (kind) {
      case "addLink":
        return this.#addLink(netns, space, operation.link, operation.peer);
      case "setLink":
        return this.#setLink(space, operation.link);
      case "removeLink":
        return this.#host.removeLink(netns, operation.name);
      case "nft":
        return this.#nft(netns, space, operation.script);
      case "setSysctl":
        if (sysctlPath(operation.sysctl.key) === undefined)
          throw new KernelError("INVALID", "no key below net/");
        space.sysctls.set(operation.sysctl.key, sysctlValue(operation.sysctl.value));
        return;
      case "endConnections":
        return this.#endConnections(netns, operation.filter);
      default:
        return changeEntry(space, operation);
    }
  }

  #nft(netns: string, space: SimulatedNetns, script: string): void {
    const tables = applyScript(space.tables, script, space.generation + 1);
    const trust = this.#compared(netns, space, undefined);
    space.tables = tables;
    space.generation++;
    for (const key of tablesNamed(script)) trust.wrote(key);
    this.#compared(netns, space, undefined);
  }

  /** With those that are known, and those whose name starts with the prefix. */
  #compared(netns: string, space: SimulatedNetns, prefix: string | undefined): TableTrust {
    const trust = this.#trusts.of(netns, space.identity);
    trust.keepOnly(new Set(space.tables.keys()));
    const looks = [...space.tables.values()]
      .filter(
        (one) => trust.has(tableKey(one)) || (prefix !== undefined && one.name.startsWith(prefix)),
      )
      .map((one) => ({ ...one, instance: `${one.instance}`, content: `${one.changes}` }));
    trust.compare(looks, true);
    return trust;
  }

  #addNetns(netns: string): void {
    if (!this.#host.namespaces.has(netns)) this.#host.addNetns(netns);
  }

  #removeNetns(netns: string): void {
    if (netns === "") throw new KernelError("INVALID", "the host's namespace cannot be removed");
    const links = this.#host.namespaces.get(netns)?.links ?? new Map<string, Link>();
    for (const name of [...links.keys()]) this.#host.removeLink(netns, name);
    this.#host.namespaces.delete(netns);
    this.#host.connections = this.#host.connections.filter((each) => each.netns !== netns);
  }

  #addLink(netns: string, space: SimulatedNetns, link: Link, peer: VethPeer | undefined): void {
    const existing = space.links.get(link.name);
    if (existing === undefined) this.#makeLink(netns, space, link, peer);
    else this.#checkSame(existing, space.peers.get(link.name), link, peer);
    this.#setLink(space, link);
    if (peer !== undefined) this.#setLink(this.#space(peer.netns), peer.link);
  }

  #makeLink(netns: string, space: SimulatedNetns, link: Link, peer: VethPeer | undefined): void {
    const { vxlan } = link;
    const holder = vxlan && this.#host.findVxlan(vxlan.vni, vxlan.port);
    if (holder !== undefined)
      throw new KernelError(
        "EXISTS",
        `VNI ${vxlan?.vni} on port ${vxlan?.port} is that of ${holder.name} in ${netnsText(holder.netns)}`,
      );
    checkMaster(space, link);
    if (peer !== undefined) {
      const other = this.#space(peer.netns);
      if (other.links.has(peer.link.name))
        throw new KernelError("EXISTS", `${peer.link.name} is in ${netnsText(peer.netns)} already`);
      other.links.set(peer.link.name, { ...peer.link, mac: peer.link.mac || this.#host.nextMac() });
      other.peers.set(peer.link.name, { netns, name: link.name });
      space.peers.set(link.name, { netns: peer.netns, name: peer.link.name });
    }
    space.links.set(link.name, { ...link, mac: link.mac || this.#host.nextMac() });
  }

  #checkSame(
    existing: Link,
    itsPeer: { readonly netns: string; readonly name: string } | undefined,
    link: Link,
    peer: VethPeer | undefined,
  ): void {
    const isSame =
      existing.kind === link.kind &&
      existing.vxlan?.vni === link.vxlan?.vni &&
      existing.vxlan?.port === link.vxlan?.port &&
      (peer === undefined || (itsPeer?.netns === peer.netns && itsPeer.name === peer.link.name));
    if (!isSame)
      throw new KernelError("EXISTS", `another ${existing.kind} of that name: remove it first`);
  }

  #setLink(space: SimulatedNetns, link: Link): void {
    const existing = space.links.get(link.name);
    if (existing === undefined) throw new KernelError("NOT_FOUND", `there is no link ${link.name}`);
    checkMaster(space, link);
    const isPort = link.master !== "";
    space.links.set(link.name, {
      ...link,
      kind: existing.kind,
      mac: link.mac || existing.mac,
      isIsolated: isPort && link.isIsolated,
      isLearning: isPort && link.isLearning,
      ...(existing.vxlan !== undefined && { vxlan: existing.vxlan }),
    });
  }

  #endConnections(netns: string, filter: ConntrackFilter): void {
    const isEnded = (flow: { readonly netns: string } & Required<ConntrackFilter>): boolean =>
      flow.netns === netns &&
      (Object.keys(filter) as (keyof ConntrackFilter)[]).every((key) => flow[key] === filter[key]);
    this.#host.connections = this.#host.connections.filter((flow) => !isEnded(flow));
  }

  #space(netns: string): SimulatedNetns {
    const space = this.#host.namespaces.get(netns);
    if (space === undefined)
      throw new KernelError("NOT_FOUND", `${netnsText(netns)} does not exist`);
    return space;
  }

  #checkOpen(): void {
    if (this.#isClosed) throw new KernelError("CLOSED", "the kernel port is closed");
  }
}

type EntryOperation = Exclude<
  KernelOperation,
  {
    readonly kind:
      | "addNetns"
      | "removeNetns"
      | "addLink"
      | "setLink"
      | "removeLink"
      | "nft"
      | "setSysctl"
      | "endConnections";
  }
>;

function changeEntry(space: SimulatedNetns, operation: EntryOperation): void {
  const { kind } = operation;
  switch (kind) {
    case "addAddress":
    case "removeAddress": {
      const { link, address } = operation.address;
      const { bytes, length } = parsePrefix(address);
      const entry = { link, address: prefixText(bytes, length) };
      return put(space, space.addresses, `${link} ${entry.address}`, entry, kind === "addAddress");
    }
    case "replaceRoute":
    case "removeRoute": {
      const route = canonicalRoute(operation.route);
      const key = `${route.family} ${route.table} ${route.dst}`;
      if (kind === "replaceRoute" && space.links.get(route.link)?.isUp === false)
        throw new KernelError("FAILED", `${route.link} is down`);
      return put(space, space.routes, key, route, kind === "replaceRoute");
    }
    case "addRule":
    case "removeRule": {
      const { rule } = operation;
      const key = `${rule.family} ${rule.priority} ${rule.fwmark}/${rule.mask} ${rule.table}`;
      if (kind === "addRule") space.rules.set(key, rule);
      else space.rules.delete(key);
      return;
    }
    case "replaceFdb":
    case "removeFdb": {
      const { link, mac } = operation.entry;
      const dst = operation.entry.dst === "" ? "" : ipText(ipBytes(operation.entry.dst));
      const key = `${link} ${mac} ${dst === "" ? "bridge" : "self"}`;
      return put(space, space.fdb, key, { link, mac, dst }, kind === "replaceFdb");
    }
    case "replaceNeighbour":
    case "removeNeighbour": {
      const { link, mac } = operation.entry;
      const address = ipText(ipBytes(operation.entry.address));
      const entry = { link, mac, address };
      return put(space, space.neighbours, `${link} ${address}`, entry, kind === "replaceNeighbour");
    }
  }
}

/** Sets an entry, which needs its link, or removes it, which does not. */
function put<T extends { readonly link: string }>(
  space: SimulatedNetns,
  entries: Map<string, T>,
  key: string,
  entry: T,
  isSet: boolean,
): void {
  if (!isSet) {
    entries.delete(key);
    return;
  }
  if (entry.link !== "lo" && !space.links.has(entry.link))
    throw new KernelError("NOT_FOUND", `there is no link ${entry.link}`);
  entries.set(key, entry);
}

function canonicalRoute(route: Route): Route {
  const dst = route.dst === "default" ? undefined : parsePrefix(route.dst);
  return {
    ...route,
    dst: dst === undefined ? "default" : prefixText(dst.bytes, dst.length),
    via: route.via === "" ? "" : ipText(ipBytes(route.via)),
  };
}

function checkMaster(space: SimulatedNetns, { master }: Link): void {
  if (master !== "" && space.links.get(master)?.kind !== "bridge")
    throw new KernelError("NOT_FOUND", `there is no link ${master}`);
}

function codeOf(error: unknown): NetnsKernelErrorCode {
  if (error instanceof KernelError) return error.code;
  return error instanceof AddressError || error instanceof NftScriptError ? "INVALID" : "FAILED";
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
