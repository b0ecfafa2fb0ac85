// All tests, in parts with a time printed for each. What cannot run here is named; with CI=true that is a failure.
import { isRoot, run, SetupError } from "./run.mjs";

const vitest = (project) => ["node_modules/vitest/vitest.mjs", "run", "--project", project];

export async function runTests(args) {
  const node = process.execPath;
  const parts = [
    {
      name: "generated code is fresh",
      command: [node, "scripts/gen-proto.mjs", "--check"],
      budgetSec: 30,
    },
    {
      name: "format",
      command: [node, "node_modules/@biomejs/biome/bin/biome", "check", "."],
      budgetSec: 10,
    },
    {
      name: "lint and layers",
      command: [node, "node_modules/eslint/bin/eslint.js", "."],
      budgetSec: 60,
    },
    {
      name: "types",
      command: [node, "node_modules/typescript/bin/tsc", "-p", "tsconfig.json", "--noEmit"],
      budgetSec: 30,
    },
    { name: "unit tests", command: [node, ...vitest("unit")], budgetSec: 90 },
    { name: "simulation", command: [node, ...vitest("sim")], budgetSec: 150 },
    {
      name: "real cluster",
      command: [node, ...vitest("cluster")],
      budgetSec: 540,
      needsRoot: true,
    },
  ].filter((part) => args.length === 0 || args.some((word) => part.name.includes(word)));
  const rows = [];
  const leftOut = [];
  let failed = 0;
  for (const part of parts) {
    if (part.needsRoot && !isRoot()) {
      leftOut.push(`${part.name} (needs root: sudo npm test)`);
      continue;
    }
    console.log(`\n== ${part.name}`);
    const from = performance.now();
    const [command, ...rest] = part.command;
    const ok = await run(command, rest, { inherit: true, what: part.name }).then(
      () => true,
      (error) => {
        console.error(error.message);
        return false;
      },
    );
    if (!ok) failed += 1;
    rows.push({
      part: part.name,
      result: ok ? "passed" : "FAILED",
      sec: Math.round((performance.now() - from) / 1000),
      budget: part.budgetSec,
    });
  }
  console.log("");
  for (const row of rows) {
    console.log(
      `${row.part.padEnd(26)} ${row.result.padEnd(7)} ${String(row.sec).padStart(4)} s of ${row.budget} s`,
    );
  }
  for (const text of leftOut) console.log(`left out: ${text}`);
  if (failed > 0) throw new SetupError(`${failed} of ${rows.length} parts failed`);
  if (leftOut.length > 0 && process.env.CI === "true")
    throw new SetupError("CI runs everything: run it as root", 1);
}
