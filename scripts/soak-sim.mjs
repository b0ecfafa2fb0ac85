// Many seeds of the control plane's simulations, in slices, so that each slice is a process of its own and its memory with it.
// node scripts/soak-sim.mjs [SEEDS [FIRST [SIMULATION…]]]: so many of each simulation (20,000 in all when left out), from FIRST on. Several at
// once, each with simulations of its own, keep as many cores busy.
// Ends with 1 when a seed failed; what failed, and how to repeat it, is printed as it happens and again at the end.
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const ALL = ["orchestrator", "rollouts", "drains", "rebalances", "control-plane"];
const SLICE = 250;

const perSimulation = Number(process.argv[2] ?? 4_000);
const first = Number(process.argv[3] ?? Math.floor(Math.random() * 1e9));
const simulations = process.argv.length > 4 ? process.argv.slice(4) : ALL;
const unknown = simulations.filter((name) => !ALL.includes(name));
if (unknown.length > 0) {
  console.error(`no such simulation: ${unknown.join(", ")}; there are ${ALL.join(", ")}`);
  process.exit(2);
}

function runSlice(simulation, seed, count) {
  const child = spawn(
    process.execPath,
    [
      "node_modules/vitest/vitest.mjs",
      "run",
      "--project",
      "sim",
      `src/sim/${simulation}.sim.test.ts`,
      "--testTimeout=3600000",
    ],
    {
      cwd: root,
      env: { ...process.env, SIM_SEED: String(seed), SIM_SEEDS: String(count), NO_COLOR: "1" },
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk) => {
      output += chunk;
    });
  return new Promise((resolve) => {
    child.on("close", (code) => resolve({ ok: code === 0, output }));
  });
}

const failures = [];
for (const simulation of simulations) {
  for (let done = 0; done < perSimulation; done += SLICE) {
    const count = Math.min(SLICE, perSimulation - done);
    const { ok, output } = await runSlice(simulation, first + done, count);
    const lines = output.split("\n").filter((line) => /SIM_SEED=|seeds from/.test(line));
    for (const line of new Set(lines)) console.log(line.trim());
    if (!ok) failures.push(`${simulation}, ${count} seeds from ${first + done}`, ...new Set(lines));
  }
}
console.log(failures.length === 0 ? "no seed failed" : `FAILED\n${failures.join("\n")}`);
process.exitCode = failures.length === 0 ? 0 : 1;
