/** The whole control plane under users and faults. `SIM_SEED=n` runs that seed alone. */
import { test } from "vitest";
import { ControlPlaneRun } from "./control-plane-run.js";
import { expectNone, forEachSeed } from "./seeds.js";

const PLAN = { name: "control-plane", file: "control-plane.sim.test.ts", budgetMs: 14_000 };
const FAULTS_MS = 60_000;
const HEAL_MS = 150_000;

test("whatever users and faults do, no rule is broken, and in the end the cluster is as it is wanted", async () => {
  const counts = new Map<string, number>();
  await forEachSeed(PLAN, async (seed, replay) => {
    const run = new ControlPlaneRun(seed);
    await run.start();
    run.disturb();
    await run.run(FAULTS_MS);
    run.heal();
    expectNone(await run.settle(HEAL_MS), replay);
    await run.stop();
    expectNone(run.violations, replay);
    for (const [what, count] of [...run.faults, ...run.user.done])
      counts.set(what, (counts.get(what) ?? 0) + count);
  });
  console.log(`control-plane did: ${JSON.stringify([...counts])}`);
});
