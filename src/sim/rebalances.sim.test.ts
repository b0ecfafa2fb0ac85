/**
 * Services that rebalance by themselves or when told to, while nodes are drained and made active again, services scaled and updated,
 * and leaders change. First with faults of all kinds, then without: then no service runs less than it is to for a move, and all comes
 * to rest evenly spread. `SIM_SEED=n` runs that seed alone.
 */
import { expect, test } from "vitest";
import { SeededRandom } from "../base/index.js";
import { OrchestrationRun } from "./orchestration-run.js";
import { RebalanceChecks } from "./rebalance-checks.js";
import { forEachSeed } from "./seeds.js";

const BUDGET_MS = 8_000;
/** Long enough for services to begin by themselves while containers fail, nodes are cut off and leaders lost. */
const FAULTY_STEPS = 10;
const FAULTY_STEP_MS = 8_000;
const SETTLE_MS = 150_000;
/** Settling time, and the moves of a minute, several times over. */
const REBALANCE_MS = 300_000;
/** In this time nothing is to be written any more. */
const REST_MS = 120_000;
const STEPS = 8;
const NODES = ["node1", "node2", "node3", "node4"];

test("rebalancing keeps to its budget, stops nothing too early, and comes to rest evenly", async () => {
  let movedCount = 0;
  const plan = { name: "rebalances", file: "rebalances.sim.test.ts", budgetMs: BUDGET_MS };
  await forEachSeed(plan, async (seed, replay) => {
    movedCount += await runSeed(seed, replay);
  });
  console.log(`${movedCount} tasks moved`);
  if (process.env["SIM_SEED"] === undefined) expect(movedCount).toBeGreaterThan(0);
});

async function runSeed(seed: number, replay: string): Promise<number> {
  const random = new SeededRandom(seed);
  const below = (n: number): number => Math.floor(random.float() * n);
  const run = new OrchestrationRun(seed, { rebalances: true });
  const checks = new RebalanceChecks(run.store, () => run.clock.nowMs());
  await run.start();
  for (let i = 0; i < FAULTY_STEPS; i++) {
    await run.run(FAULTY_STEP_MS);
    await run.rebalance();
  }
  await run.heal();
  await run.run(SETTLE_MS);
  for (let i = 0; i < STEPS; i++) {
    const drained = run.store.nodes().filter((node) => node.spec.Availability === "drain");
    const mayDrain = drained.length < NODES.length - 1;
    await run.changeNode(NODES[below(NODES.length)] ?? "", mayDrain && random.float() < 0.5);
    if (random.float() < 0.5) await run.rebalance();
    if (random.float() < 0.3) await run.changeLeader();
    await run.run(1000 * below(60));
  }
  await run.heal();
  await run.run(REBALANCE_MS);
  checks.expectEven();
  const { index } = run.store;
  await run.run(REST_MS);
  await run.stop();
  expect([...run.violations, ...checks.violations], replay).toEqual([]);
  expect(run.differences(), replay).toEqual([]);
  expect(run.store.index, `${replay}: something was written at rest`).toBe(index);
  return checks.movedCount;
}
