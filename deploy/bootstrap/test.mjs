// All tests, in parts with a time printed for each. What cannot run here is named; with CI=true that is a failure.
import { isRoot, run, SetupError } from "./run.mjs";

const node = process.execPath;
const vitest = (project) => [node, "node_modules/vitest/vitest.mjs", "run", "--project", project];

/** Stages follow one another. The lanes of a stage run side by side: two cores, and each lane keeps about one busy. */
const STAGES = [
  [
    [
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
        name: "behaviour table",
        command: [node, "scripts/check-behaviour.mjs"],
        budgetSec: 5,
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
      { name: "unit tests", command: vitest("unit"), budgetSec: 90 },
    ],
    [{ name: "kernel and engine", command: vitest("host"), budgetSec: 180, needsRoot: true }],
  ],
  [[{ name: "simulation", command: vitest("sim"), budgetSec: 150 }]],
  [[{ name: "real cluster", command: vitest("cluster"), budgetSec: 540, needsRoot: true }]],
];

/** Runs the parts whose name contains one of the words; all without words. */
export async function runTests(words) {
  const isWanted = (part) => words.length === 0 || words.some((word) => part.name.includes(word));
  const leftOut = [];
  const isPossible = (part) => {
    if (!part.needsRoot || isRoot()) return true;
    leftOut.push(`${part.name} (needs root: sudo npm test)`);
    return false;
  };
  const rows = [];
  for (const stage of STAGES) {
    const lanes = stage
      .map((lane) => lane.filter(isWanted).filter(isPossible))
      .filter((lane) => lane.length > 0);
    const isAlone = lanes.length === 1;
    const done = await Promise.all(lanes.map((lane) => runLane(lane, isAlone)));
    rows.push(...done.flat());
  }
  console.log("");
  for (const row of rows) {
    console.log(
      `${row.part.padEnd(26)} ${row.result.padEnd(7)} ${String(row.sec).padStart(4)} s of ${row.budget} s`,
    );
  }
  for (const text of leftOut) console.log(`left out: ${text}`);
  const failed = rows.filter((row) => row.result === "FAILED").length;
  if (failed > 0) throw new SetupError(`${failed} of ${rows.length} parts failed`);
  if (leftOut.length > 0 && process.env.CI === "true")
    throw new SetupError("CI runs everything: run it as root", 1);
}

/** A lane that is alone shows its output as it comes; of lanes side by side each part's is shown when it has ended. */
async function runLane(lane, isAlone) {
  const rows = [];
  for (const part of lane) {
    if (isAlone) console.log(`\n== ${part.name}`);
    const from = performance.now();
    const [command, ...rest] = part.command;
    let output = "";
    const ok = await run(command, rest, {
      inherit: isAlone,
      what: part.name,
      onOutput: (text) => {
        output += text;
      },
    }).then(
      () => true,
      (error) => {
        output += `${part.name}: ended with ${error.exitCode ?? 1}\n`;
        return false;
      },
    );
    if (!isAlone) process.stdout.write(`\n== ${part.name}\n${output}`);
    else if (!ok) console.error(output.trimEnd());
    rows.push({
      part: part.name,
      result: ok ? "passed" : "FAILED",
      sec: Math.round((performance.now() - from) / 1000),
      budget: part.budgetSec,
    });
  }
  return rows;
}
