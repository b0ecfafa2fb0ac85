import type { NftFamily } from "../../core/kernel-model.js";

export type SimulatedTable = {
  readonly family: NftFamily;
  readonly name: string;
  readonly comment: string;
  /** Generation that made it: never the same for two tables of a name. */
  readonly instance: number;
  /** Statements that were about what is in it: that itself is not kept. */
  readonly changes: number;
};

export class NftScriptError extends Error {
  override readonly name = "NftScriptError";
}

const FAMILY = "(ip6|ip|inet|netdev)";
const MAKE = new RegExp(`^(add |create )?table ${FAMILY} (\\S+?)\\s*(?:\\{(.*)\\})?$`, "s");
const DELETE = new RegExp(`^(delete|destroy) table ${FAMILY} (\\S+)$`);
const INSIDE = new RegExp(
  `^(?:add|create|insert|replace|delete|destroy|flush|reset) (?:element|map|set|chain|rule|table) ${FAMILY} (\\S+)`,
);

/**
 * The tables after a script, as one transaction that makes this generation: which there are and their comments; what is in them is not
 * kept. Throws NftScriptError.
 */
export function applyScript(
  tables: ReadonlyMap<string, SimulatedTable>,
  script: string,
  generation: number,
): Map<string, SimulatedTable> {
  const next = new Map(tables);
  for (const statement of statements(script)) applyStatement(next, statement, generation);
  return next;
}

function applyStatement(
  tables: Map<string, SimulatedTable>,
  statement: string,
  generation: number,
): void {
  if (statement === "flush ruleset") {
    tables.clear();
    return;
  }
  const removed = DELETE.exec(statement);
  if (removed !== null) {
    const key = `${removed[2]} ${removed[3]}`;
    if (!tables.delete(key) && removed[1] === "delete") throw missing(statement);
    return;
  }
  const made = MAKE.exec(statement);
  if (made !== null) {
    const [, verb, family = "", name = "", body = ""] = made;
    const comment = /^\s*comment "([^"]*)"/.exec(body)?.[1] ?? "";
    const key = `${family} ${name}`;
    if (verb === "create " && tables.has(key))
      throw new NftScriptError(`File exists: ${statement.slice(0, 80)}`);
    if (!tables.has(key)) {
      const table = { family: family as NftFamily, name, comment };
      tables.set(key, { ...table, instance: generation, changes: 0 });
    }
    return;
  }
  const inside = INSIDE.exec(statement);
  if (inside === null) throw new NftScriptError(`syntax error: ${statement.slice(0, 80)}`);
  const key = `${inside[1]} ${inside[2]}`;
  const table = tables.get(key);
  if (table === undefined) throw missing(statement);
  tables.set(key, { ...table, changes: table.changes + 1 });
}

function missing(statement: string): NftScriptError {
  return new NftScriptError(`No such file or directory: ${statement.slice(0, 80)}`);
}

/** Cut at line ends and semicolons outside of braces. */
function statements(script: string): string[] {
  const found: string[] = [];
  let depth = 0;
  let current = "";
  for (const char of script) {
    if (char === "{") depth++;
    if (char === "}") depth--;
    if (depth < 0) throw new NftScriptError("syntax error: } without {");
    if (depth > 0 || (char !== "\n" && char !== ";")) {
      current += char;
      continue;
    }
    found.push(current);
    current = "";
  }
  if (depth > 0) throw new NftScriptError("syntax error: { without }");
  return [...found, current].map((line) => line.trim()).filter((line) => line !== "");
}
