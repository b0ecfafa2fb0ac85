/** Rollouts under a user who changes his mind, crashing tasks, and leaders that are lost in the middle. `SIM_SEED=n` runs that seed alone. */
import { expect, test } from "vitest";
import { OrchestrationRun } from "./orchestration-run.js";
import { RolloutChecks } from "./rollout-checks.js";

const BUDGET_MS = 8_000;
const FAULTS_MS = 60_000;
const HEAL_MS = 150_000;

const given = process.env["SIM_SEED"];
const firstSeed = given === undefined ? Math.floor(Math.random() * 1e9) : Number(given);

test("a rollout keeps to its parallelism, its order and its pause, and comes to an end", async () => {
  const startMs = performance.now();
  const ends = new Map<string, number>();
  let count = 0;
  do {
    for (const [state, times] of await runSeed(firstSeed + count))
      ends.set(state, (ends.get(state) ?? 0) + times);
    count++;
  } while (given === undefined && performance.now() - startMs < BUDGET_MS);
  console.log(`rollouts: ${count} seeds from ${firstSeed}, ${JSON.stringify([...ends])}`);
});

async function runSeed(seed: number): Promise<ReadonlyMap<string, number>> {
  const replay = `SIM_SEED=${seed} npx vitest run --project sim src/sim/rollouts.sim.test.ts`;
  const run = new OrchestrationRun(seed);
  const checks = new RolloutChecks(run.store, () => run.clock.wallMs());
  await run.start();
  await run.run(FAULTS_MS);
  await run.heal();
  await run.run(HEAL_MS);
  await run.stop();
  expect(run.differences(), replay).toEqual([]);
  expect([...run.violations, ...checks.violations], replay).toEqual([]);
  return checks.ends;
}
