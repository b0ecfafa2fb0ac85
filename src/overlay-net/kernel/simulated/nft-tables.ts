import type { NftFamily } from "../../core/kernel-model.js";

export type SimulatedTable = {
  readonly family: NftFamily;
  readonly name: string;
  readonly comment: string;
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

/** The tables after a script, as one transaction: which there are and their comments; what is in them is not kept. Throws NftScriptError. */
export function applyScript(
  tables: ReadonlyMap<string, SimulatedTable>,
  script: string,
): Map<string, SimulatedTable> {
  const next = new Map(tables);
  for (const statement of statements(script)) applyStatement(next, statement);
  return next;
}

function applyStatement(tables: Map<string, SimulatedTable>, statement: string): void {
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
    if (!tables.has(key)) tables.set(key, { family: family as NftFamily, name, comment });
    return;
  }
  const inside = INSIDE.exec(statement);
  if (inside === null) throw new NftScriptError(`syntax error: ${statement.slice(0, 80)}`);
  if (!tables.has(`${inside[1]} ${inside[2]}`)) throw missing(statement);
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
