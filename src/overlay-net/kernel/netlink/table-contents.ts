import { createHash } from "node:crypto";
import type { NftTable } from "../../core/kernel-model.js";
import { KernelError, netnsText } from "../netns-kernel.js";
import {
  MOVED,
  observedTables,
  type StoredTrust,
  type TableTrust,
  TableTrusts,
  tableKey,
  tablesNamed,
} from "../table-trust.js";
import {
  contentOf,
  type DecodedTable,
  decodeGeneration,
  decodeTable,
  encodeDumpChains,
  encodeDumpRules,
  encodeDumpTables,
  encodeGetGeneration,
  isChainOf,
} from "./codec/netfilter.js";
import type { ContentsFile } from "./contents-file.js";
import type { NamespaceHandle } from "./handles.js";
import { ackText, errnoCode } from "./kernel-errno.js";

/**
 * Sees what others did to tables of ours. Each transaction, whoever's, makes a new generation of a namespace's nft rules: while it is that of
 * our last look or write, nothing is read. All throw KernelError.
 */
export class TableContents {
  readonly #trusts = new TableTrusts();
  readonly #file: ContentsFile | undefined;

  /** `file`: where it is kept over a restart. Of what it says, namespaces that are not there any more are left out. */
  constructor(file: ContentsFile | undefined, isThere: (stored: StoredTrust) => boolean) {
    this.#file = file;
    for (const stored of file?.read() ?? []) if (isThere(stored)) this.#trusts.restore(stored);
  }

  /** Tables whose name starts with `prefix`; the digest of one that somebody else changed is "". */
  observe(netns: string, handle: NamespaceHandle, prefix: string): readonly NftTable[] {
    const trust = this.#trusts.of(netns, handle.identity);
    const { tables, isCompared } = look(netns, handle, trust, (name) => name.startsWith(prefix));
    const own = tables.filter(({ name }) => name.startsWith(prefix));
    if (isCompared) this.#save();
    return observedTables(own, trust);
  }

  /** Runs a script of ours as one transaction; returns what nft printed as error, undefined when it was applied. */
  run(netns: string, handle: NamespaceHandle, script: string): string | undefined {
    const trust = this.#trusts.of(netns, handle.identity);
    // What others did before must not look like ours afterwards.
    if (nftGeneration(netns, handle) !== trust.generation) look(netns, handle, trust, () => false);
    const said = handle.runNft(script);
    if (said !== undefined) return said;
    for (const key of tablesNamed(script)) trust.wrote(key);
    this.#written(netns, handle, trust);
    this.#save();
    return undefined;
  }

  /** What the script did is done, whatever can be seen of it now. */
  #written(netns: string, handle: NamespaceHandle, trust: TableTrust): void {
    const before = trust.generation;
    trust.generation = MOVED;
    try {
      const generation = nftGeneration(netns, handle);
      if (generation === before + 1) {
        trust.generation = generation;
        trust.made(generation);
      }
      // Where others write too, it would be too late at the next look to tell whose hand it was.
      if (trust.isShared) look(netns, handle, trust, () => false);
    } catch (error) {
      if (!(error instanceof KernelError)) throw error;
    }
  }

  /** Whether a script of ours, and nothing else, made this generation of the namespace's rules, lately. */
  isOwn(netns: string, generation: number): boolean {
    return this.#trusts.find(netns)?.hasMade(generation) === true;
  }

  /** Forgets the namespace that had this name, unless it is the one that has it now (undefined: none). */
  forgetStale(netns: string, identity: string | undefined): void {
    if (this.#trusts.forgetStale(netns, identity)) this.#save();
  }

  close(): void {
    this.#file?.close(this.#trusts.stored);
  }

  #save(): void {
    this.#file?.writeSoon(() => this.#trusts.stored);
  }
}

export function nftGeneration(netns: string, handle: NamespaceHandle): number {
  const { ack, answer } = handle.netfilter.query(encodeGetGeneration());
  if (ack.errno !== 0 || answer === undefined)
    throw new KernelError(
      errnoCode(ack.errno),
      `${netnsText(netns)}: nft generation: ${ackText(ack)}`,
    );
  return decodeGeneration(answer.payload);
}

/** All tables; those that are wanted or known are compared, if one of them may be another than before. */
function look(
  netns: string,
  handle: NamespaceHandle,
  trust: TableTrust,
  isWanted: (name: string) => boolean,
): { readonly tables: readonly DecodedTable[]; readonly isCompared: boolean } {
  const generation = nftGeneration(netns, handle);
  const isOurs = generation === trust.generation;
  trust.isShared ||= !isOurs && trust.generation !== MOVED;
  const tables = handle.netfilter.dump(encodeDumpTables(), decodeTable);
  trust.keepOnly(new Set(tables.map(tableKey)));
  const asked = tables.filter((table) => isWanted(table.name) || trust.has(tableKey(table)));
  const isCompared = !isOurs || !asked.every((table) => trust.isSettled(tableKey(table)));
  const contents = isCompared ? contentsOf(handle, asked) : [];
  const isOfOneMoment = nftGeneration(netns, handle) === generation;
  if (isCompared)
    trust.compare(
      asked.map((table, i) => ({ ...table, instance: table.handle, content: contents[i] ?? "" })),
      isOurs && isOfOneMoment,
    );
  // What moved while it was read is read again the next time.
  trust.generation = isOfOneMoment ? generation : MOVED;
  return { tables, isCompared };
}

/** A digest of the chains and rules of each. Sets are part of them: those without a name never change. */
function contentsOf(
  { netfilter }: NamespaceHandle,
  tables: readonly DecodedTable[],
): readonly string[] {
  if (tables.length === 0) return [];
  const copied = (payload: Buffer): Buffer => Buffer.from(payload);
  const chains = netfilter.dump(encodeDumpChains(), copied);
  return tables.map((table) => {
    const digest = createHash("sha256");
    for (const chain of chains) if (isChainOf(chain, table)) digest.update(contentOf(chain));
    for (const rule of netfilter.dump(encodeDumpRules(table), copied))
      digest.update(contentOf(rule));
    return digest.digest("base64");
  });
}
