/**
 * nft tables as text, and the scripts that bring the kernel's to it. A whole table is replaced in one transaction and carries its digest
 * in its comment. A comment cannot be changed later, so a script that changes single chains writes the new digest into the comment of
 * an empty table beside it (`<name>_rev`), in the same transaction.
 */
import type { NftFamily, NftTable } from "../kernel-model.js";
import { textDigest } from "./text-digest.js";

export type NftChain = {
  readonly name: string;
  /** `type … hook … priority …; policy …;`, "" for a chain that others jump to. */
  readonly hook: string;
  /** One rule each, no line breaks. */
  readonly rules: readonly string[];
};

const REVISION_SUFFIX = "_rev";

/** A chain that others jump to. */
export function regularChain(name: string, rules: readonly string[]): NftChain {
  return { name, hook: "", rules };
}

/** Chains must come before those that refer to them. */
export function nftTable(family: NftFamily, name: string, chains: readonly NftChain[]): NftTable {
  const blocks = chains.map(({ name: chain, hook, rules }) => {
    const lines = hook === "" ? rules : [hook, ...rules];
    return `  chain ${chain} {\n${lines.map((line) => `    ${line}\n`).join("")}  }\n`;
  });
  const text = `table ${family} ${name} {\n${blocks.join("")}}\n`;
  return { family, name, text, hash: textDigest(text) };
}

/** Replaces the table as a whole. Established connections keep their translation: conntrack holds it. */
export function replaceScript({ family, name, text, hash }: NftTable): string {
  const body = text.slice(text.indexOf("{\n") + 2);
  return `${removeScript({ family, name })}table ${family} ${name} {\n  comment "${hash}"\n${body}`;
}

/**
 * Makes a table that is not there, neither is its mark; fails where it is. To replace what is not there takes the kernel four times as
 * long: for what a transaction deletes it waits until nobody can see it any more.
 */
export function makeScript({ family, name, text, hash }: NftTable): string {
  // nft 1.0.6 leaves out the chains of a table in `create`.
  return `create table ${family} ${name} { comment "${hash}"; }\n${text}`;
}

/** Does not fail when there is none. */
export function removeScript({ family, name }: Pick<NftTable, "family" | "name">): string {
  return [name, revisionName(name)]
    .map((table) => `table ${family} ${table} { }\ndelete table ${family} ${table}\n`)
    .join("");
}

/**
 * From one known text to another. Only chains that differ are touched; where hooks come, go or change, or no text is known ("": read
 * from the kernel, which gives the digest alone), the whole table is replaced.
 */
export function updateScript(from: NftTable, to: NftTable): string {
  const before = chainsOf(from.text);
  const after = chainsOf(to.text);
  if (from.text === "" || !haveSameHooks(before, after)) return replaceScript(to);
  const table = `${to.family} ${to.name}`;
  const changed = [...after.values()].filter(
    (chain) => before.get(chain.name)?.rules.join("\n") !== chain.rules.join("\n"),
  );
  const removed = [...before.values()].filter(({ name }) => !after.has(name));
  const known = changed.filter(({ name }) => before.has(name));
  const revision = `${to.family} ${revisionName(to.name)}`;
  const lines = [
    // Flushed first: a chain can go only when no rule refers to it any more.
    ...[...known, ...removed].map(({ name }) => `flush chain ${table} ${name}`),
    ...removed.map(({ name }) => `delete chain ${table} ${name}`),
    ...changed.filter(({ name }) => !before.has(name)).map((c) => `add chain ${table} ${c.name}`),
    ...changed.flatMap((c) => c.rules.map((rule) => `add rule ${table} ${c.name} ${rule}`)),
    `table ${revision} { }`,
    `delete table ${revision}`,
    `table ${revision} { comment "${to.hash}"; }`,
  ];
  return `${lines.join("\n")}\n`;
}

/** Tables as observed, each with the digest that is valid for it; the revision marks themselves are left out. */
export function withRevisions(tables: readonly NftTable[]): readonly NftTable[] {
  const key = ({ family, name }: NftTable) => `${family} ${name}`;
  const byKey = new Map(tables.map((table) => [key(table), table]));
  return tables
    .filter((table) => !isRevision(table, byKey))
    .map((table) => {
      const revision = byKey.get(`${key(table)}${REVISION_SUFFIX}`);
      return revision === undefined ? table : { ...table, hash: revision.hash };
    });
}

/** The mark of a table, there while single chains of it were changed. */
export function revisionName(name: string): string {
  return `${name}${REVISION_SUFFIX}`;
}

/** A mark whose table is gone counts as a table of its own, so that it is removed. */
function isRevision({ family, name }: NftTable, byKey: ReadonlyMap<string, NftTable>): boolean {
  return (
    name.endsWith(REVISION_SUFFIX) &&
    byKey.has(`${family} ${name.slice(0, -REVISION_SUFFIX.length)}`)
  );
}

function haveSameHooks(
  before: ReadonlyMap<string, NftChain>,
  after: ReadonlyMap<string, NftChain>,
): boolean {
  const hooks = (chains: ReadonlyMap<string, NftChain>) =>
    [...chains.values()].filter(({ hook }) => hook !== "").map((c) => `${c.name} ${c.hook}`);
  return hooks(before).join("\n") === hooks(after).join("\n");
}

/** Reads what nftTable wrote. */
export function chainsOf(text: string): ReadonlyMap<string, NftChain> {
  const chains = new Map<string, NftChain>();
  for (const block of text.split("  chain ").slice(1)) {
    const [head = "", ...rest] = block.split("\n");
    const lines = rest.filter((line) => line.startsWith("    ")).map((line) => line.slice(4));
    const hook = lines[0]?.startsWith("type ") === true ? lines[0] : "";
    const name = head.slice(0, head.indexOf(" "));
    chains.set(name, { name, hook, rules: hook === "" ? lines : lines.slice(1) });
  }
  return chains;
}
