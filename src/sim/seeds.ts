/**
 * Which seeds a simulation runs. `SIM_SEED=n`: that one alone. `SIM_SEED=n SIM_SEEDS=m`: m of them from n on, as a soak does in slices.
 * Otherwise those that found a bug, then new ones for as long as the budget lasts.
 */
import { readFileSync } from "node:fs";

/** Of real time, for the seeds drawn anew in one run of the tests. */
export type SeedPlan = {
  /** As it begins a line of `seeds.txt`. */
  readonly name: string;
  readonly file: string;
  readonly budgetMs: number;
};

/** Runs the seeds one after the other; `runSeed` gets the command that repeats its seed. Prints and returns how many there were. */
export async function forEachSeed(
  { name, file, budgetMs }: SeedPlan,
  runSeed: (seed: number, replay: string) => Promise<void>,
): Promise<number> {
  const run = (seed: number): Promise<void> =>
    runSeed(seed, `SIM_SEED=${seed} npx vitest run --project sim src/sim/${file}`);
  const given = process.env["SIM_SEED"];
  const first = given === undefined ? Math.floor(Math.random() * 1e9) : Number(given);
  const endMs = performance.now() + budgetMs;
  let count = 0;
  if (given === undefined) {
    for (const seed of knownSeeds(name)) await run(seed);
    do {
      await run(first + count);
      count++;
    } while (performance.now() < endMs);
  } else {
    const failures: unknown[] = [];
    for (const upTo = Number(process.env["SIM_SEEDS"] ?? 1); count < upTo; count++)
      await run(first + count).catch((error: unknown) => failures.push(error));
    if (failures.length > 0)
      throw new Error(failures.map(String).join("\n"), { cause: failures[0] });
  }
  console.log(`${name}: ${count} seeds from ${first}`);
  return count;
}

const NAMED_MAX = 10;

/** Throws what was found wrong, with the command that shows it again. */
export function expectNone(found: readonly string[], replay: string): void {
  if (found.length === 0) return;
  const more = found.length > NAMED_MAX ? [`and ${found.length - NAMED_MAX} more`] : [];
  throw new Error([replay, ...found.slice(0, NAMED_MAX), ...more].join("\n    "));
}

function knownSeeds(name: string): number[] {
  return readFileSync(new URL("./seeds.txt", import.meta.url), "utf8")
    .split("\n")
    .map((line) => line.split(" "))
    .filter(([of]) => of === name)
    .map(([, seed]) => Number(seed));
}
