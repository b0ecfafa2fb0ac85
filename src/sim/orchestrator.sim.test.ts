/** The whole orchestration under a user who changes his mind, crashing tasks, lost nodes and leaders. `SIM_SEED=n` runs that seed alone. */
import { expect, test } from "vitest";
import { OrchestrationRun } from "./orchestration-run.js";
import { expectNone, forEachSeed } from "./seeds.js";

const PLAN = { name: "orchestration", file: "orchestrator.sim.test.ts", budgetMs: 9_000 };
const FAULTS_MS = 60_000;
const HEAL_MS = 150_000;
const QUIET_MS = 70_000;

test("whatever happens meanwhile, in the end the services are as they are wanted", async () => {
  await forEachSeed(PLAN, runSeed);
});

async function runSeed(seed: number, replay: string): Promise<void> {
  const run = new OrchestrationRun(seed);
  await run.start();
  await run.run(FAULTS_MS);
  await run.heal();
  expectNone(await run.settle(HEAL_MS), replay);
  // Nothing is left to be done, so nothing is written.
  const { index } = run.store;
  await run.run(QUIET_MS);
  expect(run.store.index, replay).toBe(index);
  await run.stop();
  expectNone(run.violations, replay);
}
