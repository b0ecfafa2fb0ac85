import { expect, test } from "vitest";
import { seedsToRun } from "../testing/seeds.js";
import { SimRun } from "../testing/sim-run.js";

const SEED = process.env["SIM_SEED"];
const BUDGET_MS = Number(process.env["SIM_RAFT_MS"] ?? 20_000);

async function runSeed(
  seed: number,
): Promise<{ acknowledged: number; events: number; reads: number }> {
  const run = new SimRun(seed);
  try {
    return await run.run();
  } catch (cause) {
    const tail = run.cluster.log.slice(SEED === undefined ? -40 : -400).join("\n");
    throw new Error(`SIM_SEED=${seed} npm run sim -- src/raft\n${String(cause)}\n${tail}`, {
      cause,
    });
  }
}

test("whole members stay safe under faults and agree after healing", async () => {
  const endMs = performance.now() + BUDGET_MS;
  const total = { seeds: 0, acknowledged: 0, reads: 0 };
  for (const seed of seedsToRun("node")) {
    const { acknowledged, reads } = await runSeed(seed);
    total.seeds++;
    total.acknowledged += acknowledged;
    total.reads += reads;
    if (performance.now() > endMs) break;
  }
  console.log(`raft sim: ${JSON.stringify(total)}`);
  expect(total.acknowledged).toBeGreaterThan(0);
});
