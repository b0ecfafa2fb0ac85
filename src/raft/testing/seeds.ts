import { readFileSync } from "node:fs";

/**
 * `SIM_SEED` alone if it is set; else those that once found something (sim/seeds.txt, lines "kind seed why"), then
 * new ones without end.
 */
export function* seedsToRun(kind: "core" | "node"): Generator<number> {
  const only = process.env["SIM_SEED"];
  if (only !== undefined) {
    yield Number(only);
    return;
  }
  const lines = readFileSync(new URL("../sim/seeds.txt", import.meta.url), "utf8").split("\n");
  for (const line of lines) {
    const [lineKind, seed] = line.split(/\s+/);
    if (lineKind === kind) yield Number(seed);
  }
  for (let seed = Math.floor(Math.random() * 2 ** 31); ; seed++) yield seed;
}
