import { expect, test } from "vitest";
import { CoreSim } from "../testing/core-sim.js";
import { SeededRandom } from "../testing/seeded-random.js";
import { seedsToRun } from "../testing/seeds.js";

const BUDGET_MS = Number(process.env["SIM_RAFT_MS"] ?? 12_000);
const FAULTY_STEPS = 8_000;
const HEALED_STEPS = 12_000;

function runSeed(seed: number): number {
  const random = new SeededRandom(seed);
  const sim = new CoreSim(random, random.int(1, 8));
  try {
    for (let i = 0; i < FAULTY_STEPS; i++) sim.step(true);
    sim.heal();
    for (let i = 0; i < HEALED_STEPS; i++) sim.step(false);
    sim.settle();
    sim.requireAgreement();
  } catch (cause) {
    throw new Error(`SIM_SEED=${seed} npm run sim -- src/raft/sim/core\n${String(cause)}`, {
      cause,
    });
  }
  return sim.committedCount;
}

test("bare cores keep Raft's properties under every order of events", () => {
  const endMs = performance.now() + BUDGET_MS;
  const total = { seeds: 0, committed: 0 };
  for (const seed of seedsToRun("core")) {
    total.committed += runSeed(seed);
    total.seeds++;
    if (performance.now() > endMs) break;
  }
  console.log(`raft core sim: ${JSON.stringify(total)}`);
  expect(total.committed).toBeGreaterThan(0);
});
