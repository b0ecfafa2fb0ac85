/**
 * `npm run bench [-- --peer docker] [--check]`: figures of a playground, beside a real Docker Swarm of the same shape. `--overlay`: those of the
 * overlay network instead, without a cluster.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { type Figures, measure } from "./measures.js";
import { startOurs } from "./ours.js";
import { installedDockerd, startDockerPeer } from "./peer-docker.js";

/** Ratio ours/peer (at most, or at least) and absolute limits that `--check` asserts. */
const RATIO_MAX: Figures = {
  "5 replicas running, s": 0.6,
  "50 replicas running, s": 0.35,
  "50 replicas on an overlay network running, s": 0.4,
  "scale 1 to 20, s": 0.4,
  "rolling update, 10 by 2, stop-first, s": 0.4,
  "rolling update, 10 by 2, start-first, s": 0.5,
  "write gap, leader frozen, s": 0.12,
};
const RATIO_MIN: Figures = { "service creates per s, 32 clients": 5 };
const VALUE_MAX: Figures = {
  "PSS worker node with 10 tasks, MiB": 150,
  "worker frozen, 50 run elsewhere, s": 8,
  "write gap, leader killed, s": 2,
  "write gap, leader frozen, s": 2,
};

const args = process.argv.slice(2);
const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

async function measureOurs(): Promise<{ figures: Figures; image: string }> {
  await using cluster = await startOurs();
  return { figures: await measure(cluster, say), image: cluster.image };
}

async function measurePeer(dockerd: string, image: string): Promise<Figures> {
  // The same image bytes on both sides.
  const { demoImageTar } = (await import(
    new URL("../cli/playground/demo-image.js", import.meta.url).href
  )) as {
    demoImageTar(): Promise<Buffer>;
  };
  await using cluster = await startDockerPeer(dockerd, image, await demoImageTar());
  return await measure(cluster, say);
}

function failures(ours: Figures, peer: Figures | undefined): string[] {
  const failed: string[] = [];
  for (const [name, limit] of Object.entries(VALUE_MAX)) {
    const value = ours[name] ?? Number.NaN;
    if (!(value <= limit)) failed.push(`${name}: ${value.toFixed(2)} > ${limit}`);
  }
  if (peer === undefined) return failed;
  for (const [name, limit] of Object.entries(RATIO_MAX)) {
    const ratio = (ours[name] ?? Number.NaN) / (peer[name] ?? Number.NaN);
    if (!(ratio <= limit))
      failed.push(`${name}: ${ratio.toFixed(2)} × the peer's, at most ${limit}`);
  }
  for (const [name, limit] of Object.entries(RATIO_MIN)) {
    const ratio = (ours[name] ?? Number.NaN) / (peer[name] ?? Number.NaN);
    if (!(ratio >= limit))
      failed.push(`${name}: ${ratio.toFixed(2)} × the peer's, at least ${limit}`);
  }
  return failed;
}

const number = (value: number | undefined): string =>
  value === undefined ? "" : value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0);

async function compareClusters(): Promise<void> {
  const dockerd = args.includes("--peer") ? installedDockerd() : "";
  // Before five minutes of measuring ours.
  if (dockerd === undefined) {
    process.stderr.write(
      "--peer docker needs dockerd: apt-get install --no-install-recommends docker.io iptables\n",
    );
    process.exitCode = 2;
    return;
  }
  const { figures: ours, image } = await measureOurs();
  const peer = dockerd === "" ? undefined : await measurePeer(dockerd, image);

  say("");
  const rows = Object.keys(ours).map((name) => {
    const ratio =
      peer === undefined ? "" : ((ours[name] ?? 0) / (peer[name] ?? Number.NaN)).toFixed(2);
    return [name, number(ours[name]), number(peer?.[name]), ratio];
  });
  for (const row of [
    [
      "measure",
      "swarmd",
      peer === undefined ? "" : "docker swarm",
      peer === undefined ? "" : "ratio",
    ],
    ...rows,
  ]) {
    say(
      `| ${(row[0] ?? "").padEnd(46)} | ${(row[1] ?? "").padStart(8)} | ${(row[2] ?? "").padStart(12)} | ${(row[3] ?? "").padStart(6)} |`,
    );
  }
  mkdirSync("bench/out", { recursive: true });
  const machine = {
    cpus: cpus().length,
    model: cpus()[0]?.model,
    load: loadavg(),
    node: process.version,
  };
  writeFileSync(
    "bench/out/latest.json",
    JSON.stringify({ at: new Date().toISOString(), machine, ours, peer }, undefined, 2),
  );
  say("\nwritten to bench/out/latest.json");
  if (args.includes("--check")) {
    const failed = failures(ours, peer);
    for (const line of failed) say(`MISSED ${line}`);
    process.exitCode = failed.length === 0 ? 0 : 1;
  }
}

if (args.includes("--overlay")) await (await import("./overlay.js")).runOverlay(args);
else await compareClusters();
