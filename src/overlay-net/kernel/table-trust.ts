/**
 * Whose hand was in a table of ours. The comment of a table tells which text it was made from, not that nobody took a rule out of it
 * since. So what was in a table when it was known to be as written is kept as a digest, and compared when it may have changed.
 */
import type { NftFamily, NftTable } from "../core/kernel-model.js";
import { revisionName } from "../core/rulesets/nft-table.js";

/** A table as it is now. */
export type TableLook = {
  readonly family: NftFamily;
  readonly name: string;
  readonly comment: string;
  /** Another one once the table was made anew. */
  readonly instance: string;
  /** Digest of all that is in it. */
  readonly content: string;
};

type Known = {
  readonly instance: string;
  /** What writers that tell say of the content: the comments, and which revision mark it is. */
  readonly mark: string;
  readonly content: string;
  readonly isAltered: boolean;
  /** Written by us since, and not looked at yet. */
  readonly isWritten: boolean;
};

/** Namespaces whose tables are known; more than are ever watched. The one that came first is forgotten, and believed when it is seen again. */
const NAMESPACES_MAX = 4096;
/** Generations of ours that are remembered: their notifications come within a moment. */
const OWN_GENERATIONS_MAX = 256;
/** No generation of the kernel's: somebody else wrote while we did. */
export const MOVED = -1;

const NEW: Known = { instance: "", mark: "", content: "", isAltered: false, isWritten: true };

/** What is known of one namespace's tables, for a process that comes later. */
export type StoredTrust = {
  readonly netns: string;
  readonly identity: string;
  readonly generation: number;
  readonly tables: readonly (Pick<Known, "instance" | "mark" | "content" | "isAltered"> & {
    readonly key: string;
  })[];
};

/** No content is as it was to be. */
const LOST = { isAltered: true, content: "" } as const;

/** The tables of one namespace. */
export class TableTrust {
  /** Of the namespace's nft rules, when all that is known was true. For kernel ports that are told it. */
  generation = MOVED;
  /** Others were seen to write nft rules in the namespace. */
  isShared: boolean;
  readonly #known = new Map<string, Known>();
  /** In the order they were made. */
  readonly #ownGenerations = new Set<number>();

  constructor(isShared: boolean) {
    this.isShared = isShared;
  }

  /** A script of ours, and nothing else, made this generation. */
  made(generation: number): void {
    this.#ownGenerations.add(generation);
    const [first] = this.#ownGenerations;
    if (this.#ownGenerations.size > OWN_GENERATIONS_MAX && first !== undefined)
      this.#ownGenerations.delete(first);
  }

  hasMade(generation: number): boolean {
    return this.#ownGenerations.has(generation);
  }

  get isEmpty(): boolean {
    return this.#known.size === 0;
  }

  /** It was looked at or written. */
  has(key: string): boolean {
    return this.#known.has(key);
  }

  /** It was looked at after it was written last. */
  isSettled(key: string): boolean {
    return this.#known.get(key)?.isWritten === false;
  }

  /** Somebody who did not say so changed it. */
  isAltered(key: string): boolean {
    return this.#known.get(key)?.isAltered === true;
  }

  /** A script of ours wrote to it, all of it or a part. */
  wrote(key: string): void {
    this.#known.set(key, { ...(this.#known.get(key) ?? NEW), isWritten: true });
  }

  /**
   * `isOurs`: nobody else has written since our last script. One that is seen for the first time, or was made anew by somebody who gave it
   * its comment, is believed.
   */
  compare(looks: readonly TableLook[], isOurs: boolean): void {
    const byKey = new Map(looks.map((look) => [tableKey(look), look]));
    for (const [key, look] of byKey) {
      const revision = byKey.get(tableKey({ ...look, name: revisionName(look.name) }));
      const mark = [look.comment, revision?.comment, revision?.instance].join(" ");
      this.#known.set(key, this.#judged(this.#known.get(key), look, mark, isOurs));
    }
  }

  /** Without those that were not looked at since they were written. */
  get settled(): StoredTrust["tables"] {
    return [...this.#known].flatMap(([key, { isWritten, ...table }]) =>
      isWritten ? [] : [{ key, ...table }],
    );
  }

  restore(generation: number, tables: StoredTrust["tables"]): void {
    this.generation = generation;
    for (const { key, ...table } of tables) this.#known.set(key, { ...table, isWritten: false });
  }

  /** Forgets those that are gone. */
  keepOnly(keys: ReadonlySet<string>): void {
    for (const key of this.#known.keys()) if (!keys.has(key)) this.#known.delete(key);
  }

  #judged(
    known: Known | undefined,
    { instance, content }: TableLook,
    mark: string,
    isOurs: boolean,
  ): Known {
    const seen = { instance, mark, content, isAltered: false, isWritten: false };
    if (known === undefined) return seen;
    const isSame = known.instance === instance;
    // A script that changes some chains leaves the others as somebody made them.
    if (known.isWritten)
      return !isOurs || (isSame && known.isAltered) ? { ...seen, ...LOST } : seen;
    if (!isSame || known.mark !== mark) return seen;
    return { ...known, isAltered: known.content !== content };
  }
}

/** By namespace. One of the same name that is another starts anew. */
export class TableTrusts {
  readonly #trusts = new Map<string, { readonly identity: string; readonly trust: TableTrust }>();

  of(netns: string, identity: string): TableTrust {
    const found = this.#trusts.get(netns);
    if (found?.identity === identity) return found.trust;
    // In the host's everybody does.
    const trust = new TableTrust(netns === "");
    this.#trusts.delete(netns);
    this.#trusts.set(netns, { identity, trust });
    const [first] = this.#trusts.keys();
    if (this.#trusts.size > NAMESPACES_MAX && first !== undefined) this.#trusts.delete(first);
    return trust;
  }

  /** Without beginning one. */
  find(netns: string): TableTrust | undefined {
    return this.#trusts.get(netns)?.trust;
  }

  forget(netns: string): void {
    this.#trusts.delete(netns);
  }

  /** Forgets one of another identity; tells whether there was one. */
  forgetStale(netns: string, identity: string | undefined): boolean {
    const found = this.#trusts.get(netns);
    return found !== undefined && found.identity !== identity && this.#trusts.delete(netns);
  }

  get stored(): readonly StoredTrust[] {
    return [...this.#trusts].flatMap(([netns, { identity, trust }]) => {
      const tables = trust.settled;
      return tables.length === 0 ? [] : [{ netns, identity, generation: trust.generation, tables }];
    });
  }

  restore({ netns, identity, generation, tables }: StoredTrust): void {
    this.of(netns, identity).restore(generation, tables);
  }
}

export function tableKey({ family, name }: Pick<TableLook, "family" | "name">): string {
  return `${family} ${name}`;
}

const NAMED = /\b(inet|ip6|ip|netdev) (\w+)/g;

/** Keys of the tables that a script names; words of its rules that look alike are no tables. */
export function tablesNamed(script: string): ReadonlySet<string> {
  return new Set([...script.matchAll(NAMED)].map(([, family, name]) => `${family} ${name}`));
}

/** As observed: the digest of an altered table, and that of its revision, count for nothing. */
export function observedTables(
  tables: readonly Pick<TableLook, "family" | "name" | "comment">[],
  trust: TableTrust,
): readonly NftTable[] {
  const altered = new Set(
    tables
      .filter((table) => trust.isAltered(tableKey(table)))
      .flatMap(({ family, name }) => [`${family} ${name}`, `${family} ${revisionName(name)}`]),
  );
  return tables.map(({ family, name, comment }) => ({
    ...{ family, name, text: "" },
    hash: altered.has(tableKey({ family, name })) ? "" : comment,
  }));
}
