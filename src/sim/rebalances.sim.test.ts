/**
 * Services that rebalance by themselves or when told to, while nodes are drained and made active again, services scaled and updated,
 * and leaders change. First with faults of all kinds, then without: then no service runs less than it is to for a move, and all comes
 * to rest evenly spread. `SIM_SEED=n` runs that seed alone.
 */
import { expect, test } from "vitest";
import { SeededRandom } from "../base/index.js";
import { OrchestrationRun } from "./orchestration-run.js";
import { RebalanceChecks } from "./rebalance-checks.js";

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

const given = process.env["SIM_SEED"];
const firstSeed = given === undefined ? Math.floor(Math.random() * 1e9) : Number(given);

test("rebalancing keeps to its budget, stops nothing too early, and comes to rest evenly", async () => {
  const startMs = performance.now();
  let count = 0;
  let movedCount = 0;
  do {
    movedCount += await runSeed(firstSeed + count);
    count++;
  } while (given === undefined && performance.now() - startMs < BUDGET_MS);
  console.log(`rebalances: ${count} seeds from ${firstSeed}, ${movedCount} tasks moved`);
  if (given === undefined) expect(movedCount).toBeGreaterThan(0);
});

async function runSeed(seed: number): Promise<number> {
  const replay = `SIM_SEED=${seed} npx vitest run --project sim src/sim/rebalances.sim.test.ts`;
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
