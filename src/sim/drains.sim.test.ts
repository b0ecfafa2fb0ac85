/**
 * Nodes that are drained, made active again and drained anew while leaders change, and nothing else goes wrong: no replicated service
 * ever runs less than it is to. `SIM_SEED=n` runs that seed alone.
 */
import { expect, test } from "vitest";
import { SeededRandom } from "../base/index.js";
import { DrainChecks } from "./drain-checks.js";
import { OrchestrationRun } from "./orchestration-run.js";
import { expectNone, forEachSeed } from "./seeds.js";

const PLAN = { name: "drains", file: "drains.sim.test.ts", budgetMs: 8_000 };
const CREATE_MS = 20_000;
const SETTLE_MS = 150_000;
const DRAINS = 12;
const NODES = ["node1", "node2", "node3", "node4"];
/** Longer than any drain here takes. */
const DEADLINE_MS = 3_600_000;

test("a drain never leaves a replicated service with fewer running tasks than replicas", async () => {
  let movedCount = 0;
  const count = await forEachSeed(PLAN, async (seed, replay) => {
    movedCount += await runSeed(seed, replay);
  });
  console.log(`drains: ${movedCount} tasks moved`);
  // One seed alone may have no service.
  if (count > 1) expect(movedCount).toBeGreaterThan(0);
});

async function runSeed(seed: number, replay: string): Promise<number> {
  const random = new SeededRandom(seed);
  const below = (n: number): number => Math.floor(random.float() * n);
  const run = new OrchestrationRun(seed);
  await run.start();
  await run.run(CREATE_MS);
  await run.heal();
  expectNone(await run.settle(SETTLE_MS), replay);
  const checks = new DrainChecks(run.store);
  for (let i = 0; i < DRAINS; i++) {
    const drained = run.store.nodes().filter((node) => node.spec.Availability === "drain");
    // One node takes the tasks of all the others in the end.
    const mayDrain = drained.length < NODES.length - 1;
    await run.changeNode(
      NODES[below(NODES.length)] ?? "",
      mayDrain && random.float() < 0.7,
      DEADLINE_MS,
    );
    if (random.float() < 0.2) await run.changeLeader();
    await run.run(100 * below(60));
  }
  await run.run(SETTLE_MS);
  checks.expectMoved();
  await run.heal();
  expectNone(await run.settle(SETTLE_MS), replay);
  await run.stop();
  expectNone([...run.violations, ...checks.violations], replay);
  return checks.movedCount;
}
