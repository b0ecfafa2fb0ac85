/** `SIM_SEED=n` runs that seed alone; otherwise as many new ones as the time allows. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { OrchestrationRun } from "./orchestration-run.js";

const BUDGET_MS = 15_000;
const FAULTS_MS = 60_000;
const HEAL_MS = 150_000;

const KNOWN_SEEDS = readFileSync(new URL("./seeds.txt", import.meta.url), "utf8")
  .split("\n")
  .filter((line) => /^\d/.test(line))
  .map((line) => Number.parseInt(line, 10));

const given = process.env["SIM_SEED"];
const firstSeed = given === undefined ? Math.floor(Math.random() * 1e9) : Number(given);

test("whatever happens meanwhile, in the end the services are as they are wanted", async () => {
  const startMs = performance.now();
  let count = 0;
  if (given === undefined) for (const seed of KNOWN_SEEDS) await runSeed(seed);
  do {
    await runSeed(firstSeed + count);
    count++;
  } while (given === undefined && performance.now() - startMs < BUDGET_MS);
  console.log(`orchestration: ${count} seeds from ${firstSeed}`);
});

async function runSeed(seed: number): Promise<void> {
  const run = new OrchestrationRun(seed);
  const replay = `SIM_SEED=${seed} npx vitest run --project sim src/sim/orchestrator.sim.test.ts`;
  await run.start();
  await run.run(FAULTS_MS);
  await run.heal();
  await run.run(HEAL_MS);
  expect(run.differences(), replay).toEqual([]);
  // Nothing is left to be done, so nothing is written.
  const index = run.store.index;
  await run.run(70_000);
  expect(run.store.index, replay).toBe(index);
  await run.stop();
  expect(run.violations, replay).toEqual([]);
}
