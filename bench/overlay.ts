/**
 * `node dist/bench/overlay.js [--check] [--profile DIR]` (root), also `npm run bench -- --overlay`: figures of the overlay network without a
 * cluster, on two hosts in network namespaces of its own. `--profile`: CPU profiles of the net processes go there.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { resolve } from "node:path";
import { removeHosts } from "./overlay/hosts.js";
import { type Figures, measureOverlay } from "./overlay/measure.js";

type Limit = { readonly atLeast: number } | { readonly atMost: number };

/** What `--check` asserts. */
const LIMITS: Readonly<Record<string, Limit>> = {
  "TCP, VXLAN / underlay": { atLeast: 0.78 },
  "connections, VIP / direct": { atLeast: 0.6 },
  "backend change in 100 containers, median, ms": { atMost: 100 },
  "10,000 remote endpoints, median of 5, s": { atMost: 0.5 },
  "DNS answers per s, one core": { atLeast: 15_000 },
  "DNS p99 at 2,000 per s, ms": { atMost: 2 },
  "PSS growth per 1,000 of 3,000 cycles, MiB": { atMost: 4 },
  "growth of open files over 3,000 cycles": { atMost: 0 },
};
const OUTPUT = "bench/out/overlay.json";

const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

function isWithin(value: number | undefined, limit: Limit): boolean {
  if (value === undefined) return false;
  return "atLeast" in limit ? value >= limit.atLeast : value <= limit.atMost;
}

function limitText(limit: Limit | undefined): string {
  if (limit === undefined) return "";
  return "atLeast" in limit ? `≥ ${limit.atLeast}` : `≤ ${limit.atMost}`;
}

function numberText(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toFixed(value < 100 ? 2 : 0);
}

function print(figures: Figures): void {
  const width = Math.max(...Object.keys(figures).map((name) => name.length));
  const row = (name: string, value: string, limit: string): void => {
    say(`| ${name.padEnd(width)} | ${value.padStart(8)} | ${limit.padStart(8)} |`);
  };
  row("measure", "value", "limit");
  for (const [name, value] of Object.entries(figures))
    row(name, numberText(value), limitText(LIMITS[name]));
}

/** `args`: those of the command line. Sets the exit code. */
export async function runOverlay(args: readonly string[]): Promise<void> {
  if (process.getuid?.() !== 0)
    throw new Error("the overlay's figures need root: they make network namespaces");
  const profile = args.includes("--profile") ? args[args.indexOf("--profile") + 1] : undefined;
  const nodeOptions =
    profile === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${resolve(profile)}`];
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.once(signal, () => {
      // The net processes end with this one.
      void removeHosts().finally(() => process.exit(1));
    });
  const figures = await measureOverlay({ say, nodeOptions });
  say("");
  print(figures);
  mkdirSync("bench/out", { recursive: true });
  const machine = {
    ...{ cpus: cpus().length, model: cpus()[0]?.model, load: loadavg(), node: process.version },
  };
  const at = new Date().toISOString();
  writeFileSync(OUTPUT, JSON.stringify({ at, machine, figures, limits: LIMITS }, undefined, 2));
  say(`\nwritten to ${OUTPUT}`);
  if (!args.includes("--check")) return;
  const missed = Object.entries(LIMITS).filter(([name, limit]) => !isWithin(figures[name], limit));
  for (const [name, limit] of missed) say(`MISSED ${name}: ${figures[name]}, ${limitText(limit)}`);
  process.exitCode = missed.length === 0 ? 0 : 1;
}

if (import.meta.url === new URL(process.argv[1] ?? "", "file:").href)
  await runOverlay(process.argv.slice(2));
