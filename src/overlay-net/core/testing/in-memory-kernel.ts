/** Executes plans on kernel state as data, as a kernel would: for tests of the planner. */
import { unreachable } from "../../../base/index.js";
import { emptyNetns } from "../desired-parts.js";
import type { KernelOperation, NetnsOperations, NetnsState, NftTable } from "../kernel-model.js";
import { chainsOf, nftTable } from "../rulesets/nft-table.js";

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export class InMemoryKernel {
  readonly #namespaces = new Map<string, Mutable<NetnsState>>([["", emptyNetns("")]]);

  observe(netns: string): NetnsState | undefined {
    const state = this.#namespaces.get(netns);
    return state === undefined ? undefined : { ...state };
  }

  names(): readonly string[] {
    return [...this.#namespaces.keys()];
  }

  /** Somebody else's hand in a namespace. */
  meddle(netns: string, change: Partial<NetnsState>): void {
    Object.assign(this.#at(netns), change);
  }

  execute(batch: readonly NetnsOperations[]): void {
    for (const { netns, operations } of batch) {
      for (const operation of operations) this.#run(netns, operation);
    }
  }

  #at(netns: string): Mutable<NetnsState> {
    const state = this.#namespaces.get(netns);
    if (state === undefined) throw new Error(`no namespace "${netns}"`);
    return state;
  }

  #run(netns: string, operation: KernelOperation): void {
    if (operation.kind === "addNetns") {
      this.#namespaces.set(netns, emptyNetns(netns));
      return;
    }
    const state = this.#at(netns);
    switch (operation.kind) {
      case "removeNetns":
        for (const { name } of state.links) this.#removeLink(netns, name);
        this.#namespaces.delete(netns);
        return;
      case "addLink": {
        this.#addLink(netns, operation.link, operation.link.master);
        const { peer } = operation;
        if (peer === undefined) return;
        this.#addLink(peer.netns, peer.link, peer.link.master);
        this.#pairs.push([`${netns}/${operation.link.name}`, `${peer.netns}/${peer.link.name}`]);
        return;
      }
      case "setLink":
        this.#needLink(netns, operation.link.name);
        state.links = state.links.map((l) => (l.name === operation.link.name ? operation.link : l));
        return;
      case "removeLink":
        this.#removeLink(netns, operation.name);
        return;
      case "addAddress":
        this.#needLink(netns, operation.address.link);
        state.addresses = [...without(state.addresses, operation.address), operation.address];
        return;
      case "removeAddress":
        state.addresses = without(state.addresses, operation.address);
        return;
      case "replaceRoute": {
        const { route } = operation;
        this.#needLink(netns, route.link);
        const isOther = (r: typeof route) =>
          r.dst !== route.dst || r.family !== route.family || r.table !== route.table;
        state.routes = [...state.routes.filter(isOther), route];
        return;
      }
      case "removeRoute":
        state.routes = without(state.routes, operation.route);
        return;
      case "addRule":
        state.rules = [...without(state.rules, operation.rule), operation.rule];
        return;
      case "removeRule":
        state.rules = without(state.rules, operation.rule);
        return;
      case "replaceFdb": {
        const { entry } = operation;
        this.#needLink(netns, entry.link);
        const isOther = (e: typeof entry) =>
          e.link !== entry.link || e.mac !== entry.mac || (e.dst === "") !== (entry.dst === "");
        state.fdb = [...state.fdb.filter(isOther), entry];
        return;
      }
      case "removeFdb":
        state.fdb = without(state.fdb, operation.entry);
        return;
      case "replaceNeighbour": {
        const { entry } = operation;
        this.#needLink(netns, entry.link);
        state.neighbours = [
          ...state.neighbours.filter((n) => n.link !== entry.link || n.address !== entry.address),
          entry,
        ];
        return;
      }
      case "removeNeighbour":
        state.neighbours = without(state.neighbours, operation.entry);
        return;
      case "nft":
        state.tables = runScript(state.tables, operation.script);
        return;
      case "setSysctl":
        state.sysctls = [
          ...state.sysctls.filter(({ key }) => key !== operation.sysctl.key),
          operation.sysctl,
        ];
        return;
      case "endConnections":
        return;
      default:
        unreachable(operation, "InMemoryKernel");
    }
  }

  readonly #pairs: [string, string][] = [];

  #addLink(netns: string, link: NetnsState["links"][number], master: string): void {
    const state = this.#at(netns);
    if (state.links.some(({ name }) => name === link.name)) {
      throw new Error(`${netns}: link ${link.name} exists`);
    }
    if (master !== "") this.#needLink(netns, master);
    state.links = [...state.links, link];
  }

  #needLink(netns: string, name: string): void {
    if (!this.#at(netns).links.some((link) => link.name === name)) {
      throw new Error(`${netns}: no link ${name}`);
    }
  }

  /** With it goes all that is on it, and its other end. */
  #removeLink(netns: string, name: string): void {
    const state = this.#namespaces.get(netns);
    if (state === undefined || !state.links.some((link) => link.name === name)) return;
    const stays = ({ link }: { readonly link: string }) => link !== name;
    state.links = state.links.filter((link) => link.name !== name);
    state.addresses = state.addresses.filter(stays);
    state.routes = state.routes.filter(stays);
    state.fdb = state.fdb.filter(stays);
    state.neighbours = state.neighbours.filter(stays);
    for (const pair of this.#pairs.filter((ends) => ends.includes(`${netns}/${name}`))) {
      this.#pairs.splice(this.#pairs.indexOf(pair), 1);
      for (const end of pair) {
        const slash = end.lastIndexOf("/");
        this.#removeLink(end.slice(0, slash), end.slice(slash + 1));
      }
    }
  }
}

function without<T extends object>(list: readonly T[], item: T): readonly T[] {
  const text = (value: T) => JSON.stringify(Object.entries(value).sort());
  return list.filter((other) => text(other) !== text(item));
}

/** The commands that our scripts are made of. One that the kernel would refuse throws, and nothing of its script is done. */
export function runScript(tables: readonly NftTable[], script: string): readonly NftTable[] {
  const byKey = new Map(tables.map((table) => [`${table.family} ${table.name}`, table]));
  for (const command of script.split(/\n(?! |\})/).filter((line) => line !== "")) {
    const [verb = "", ...words] = command.split(/\s+/);
    if (verb === "table") declareTable(byKey, command);
    else if (verb === "create") createTable(byKey, command);
    else if (verb === "delete" && words[0] === "table")
      need(byKey, words), byKey.delete(words.slice(1).join(" "));
    else editChain(byKey, verb, words);
  }
  return [...byKey.values()];
}

function need(byKey: ReadonlyMap<string, NftTable>, words: readonly string[]): NftTable {
  const table = byKey.get(`${words[1]} ${words[2]}`);
  if (table === undefined) throw new Error(`no table ${words[1]} ${words[2]}`);
  return table;
}

function declareTable(byKey: Map<string, NftTable>, command: string): void {
  const [, family = "", name = ""] = command.split(/\s+/);
  const key = `${family} ${name}`;
  const known = byKey.get(key);
  const hash = known?.hash ?? /comment "(\w+)"/.exec(command)?.[1] ?? "";
  if (known !== undefined && chainsOf(command).size === 0) return;
  if (known !== undefined && chainsOf(known.text).size > 0)
    throw new Error(`${key} is loaded twice: its rules would be there twice`);
  const text = command.replace(/ {2}comment "\w+"\n/, "").trimEnd();
  byKey.set(key, { family: family as NftTable["family"], name, text: `${text}\n`, hash });
}

function createTable(byKey: Map<string, NftTable>, command: string): void {
  const key = command.split(/\s+/).slice(2, 4).join(" ");
  if (byKey.has(key)) throw new Error(`${key} exists`);
  if (command.includes("chain ")) throw new Error("nft 1.0.6 leaves out chains here");
  declareTable(byKey, command.replace("create ", ""));
}

function editChain(byKey: Map<string, NftTable>, verb: string, words: readonly string[]): void {
  const table = need(byKey, words);
  const chains = new Map(chainsOf(table.text));
  const name = words[3] ?? "";
  const rule = words.slice(4).join(" ");
  const chain = chains.get(name);
  if ((chain === undefined) !== (verb === "add" && words[0] === "chain")) {
    throw new Error(
      `${verb} ${words.join(" ")}: chain is ${chain === undefined ? "missing" : "there"}`,
    );
  }
  const refersTo = new RegExp(`(goto|jump) ${name}\\b`);
  const isUsed = [...chains.values()].some(({ rules }) =>
    rules.some((text) => refersTo.test(text)),
  );
  if (verb === "delete" && isUsed) throw new Error(`chain ${name} is in use`);
  if (verb === "delete") chains.delete(name);
  else if (chain === undefined || verb === "flush") {
    chains.set(name, { name, hook: chain?.hook ?? "", rules: [] });
  } else chains.set(name, { ...chain, rules: [...chain.rules, rule] });
  const { family } = table;
  const { text } = nftTable(family, table.name, [...chains.values()]);
  byKey.set(`${family} ${table.name}`, { ...table, text });
}
