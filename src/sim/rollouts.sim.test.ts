/** Rollouts under a user who changes his mind, crashing tasks, and leaders that are lost in the middle. `SIM_SEED=n` runs that seed alone. */
import { test } from "vitest";
import { OrchestrationRun } from "./orchestration-run.js";
import { RolloutChecks } from "./rollout-checks.js";
import { expectNone, forEachSeed } from "./seeds.js";

const PLAN = { name: "rollouts", file: "rollouts.sim.test.ts", budgetMs: 8_000 };
const FAULTS_MS = 60_000;
const HEAL_MS = 150_000;

test("a rollout keeps to its parallelism, its order and its pause, and comes to an end", async () => {
  const ends = new Map<string, number>();
  await forEachSeed(PLAN, async (seed, replay) => {
    for (const [state, times] of await runSeed(seed, replay))
      ends.set(state, (ends.get(state) ?? 0) + times);
  });
  console.log(`rollouts ended: ${JSON.stringify([...ends])}`);
});

async function runSeed(seed: number, replay: string): Promise<ReadonlyMap<string, number>> {
  const run = new OrchestrationRun(seed);
  const checks = new RolloutChecks(run.store, () => run.clock.wallMs());
  await run.start();
  await run.run(FAULTS_MS);
  await run.heal();
  expectNone(await run.settle(HEAL_MS), replay);
  await run.stop();
  expectNone([...run.violations, ...checks.violations], replay);
  return checks.ends;
}
