/** A manager whose disk is full or whose log is damaged stops, says why and what to do, and comes back with nothing lost. */
import { execFileSync, spawn } from "node:child_process";
import {
  closeSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ApiService } from "../../src/cli/api-types.js";
import { api, create, docker, eventually, healthy, node, reset } from "./playground.js";

const CLI = new URL("../../dist/cli/main.js", import.meta.url).pathname;
const VICTIM = "m3";

beforeAll(reset);
// A small file system of its own would stay the node's for all tests after these.
afterAll(async () => {
  const { stateDir } = node(VICTIM);
  if (!readFileSync("/proc/mounts", "utf8").includes(` ${stateDir} `)) return;
  await stopVictim();
  sh(`cp -a ${stateDir} ${stateDir}.copy; umount ${stateDir}
      find ${stateDir} -mindepth 1 -delete; cp -a ${stateDir}.copy/. ${stateDir}/; rm -rf ${stateDir}.copy`);
  startVictim();
  await healthy();
}, 120_000);

function sh(script: string): string {
  return execFileSync("sh", ["-ec", script], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  });
}

async function stopVictim(): Promise<void> {
  const { supervisor } = node(VICTIM).pids;
  if (supervisor === null) throw new Error(`${VICTIM} does not run`);
  process.kill(supervisor, "SIGTERM");
  await eventually("it stopped", 30_000, () => node(VICTIM).pids.supervisor === null);
}

function startVictim(): void {
  execFileSync(process.execPath, [CLI, "playground", "up"], { stdio: "ignore" });
}

async function swarmError(): Promise<string> {
  const info = await docker(
    node(VICTIM),
    "info",
    "--format",
    "{{.Swarm.LocalNodeState}}: {{.Swarm.Error}}",
  );
  return info.stdout.trim();
}

async function services(): Promise<string[]> {
  const list = await api(node(VICTIM)).call<ApiService[]>("GET", "/services");
  return list.map((service) => service.Spec.Name).sort();
}

test("a full disk stops the manager, which says so and returns by itself when there is space", async () => {
  const { stateDir } = node(VICTIM);
  await stopVictim();
  // A small file system of its own, so that nothing else of this machine fills up.
  sh(`cp -a ${stateDir} ${stateDir}.copy; mount -t tmpfs -o size=192m,mode=0711 tmpfs ${stateDir}
      cp -a ${stateDir}.copy/. ${stateDir}/; rm -rf ${stateDir}.copy`);
  startVictim();
  await healthy();
  await create(node("m1"), "before", { replicas: 0 });
  sh(
    `dd if=/dev/zero of=${stateDir}/filler bs=64k 2>/dev/null || true; dd if=/dev/zero of=${stateDir}/filler2 bs=1 2>/dev/null || true`,
  );
  await eventually("the manager stops over it", 30_000, async () => {
    await create(node("m1"), `fill-${Date.now()}`, {
      replicas: 0,
      container: { Env: [`A=${"x".repeat(20_000)}`] },
    });
    return (await swarmError()).startsWith("error");
  });
  expect(await swarmError()).toMatch(/space|full/i);
  expect((await docker(node(VICTIM), "service", "ls")).stderr).toMatch(/space|full/i);
  const known = (await api(node("m1")).call<ApiService[]>("GET", "/services"))
    .map((entry) => entry.Spec.Name)
    .sort();
  rmSync(join(stateDir, "filler"));
  rmSync(join(stateDir, "filler2"), { force: true });
  await healthy(60_000);
  expect(await services()).toEqual(known);
});

test("a damaged log is refused with file and offset, and left for the operator", async () => {
  // A damaged last frame could be one that a crash tore, so there must be some after it.
  for (let i = 0; i < 20; i++) await create(node("m1"), `frame-${i}`, { replicas: 0 });
  await stopVictim();
  const raft = join(node(VICTIM).stateDir, "raft");
  const file = readdirSync(raft, { recursive: true })
    .map((name) => join(raft, String(name)))
    .filter((path) => statSync(path).isFile() && /wal|log|seg/i.test(path))
    .sort((a, b) => statSync(b).size - statSync(a).size)[0];
  if (file === undefined) throw new Error(`no log segment below ${raft}`);
  const offset = Math.floor(usedBytes(file) / 2);
  const original = flipByte(file, offset);
  const starter = startUnhealthyVictim();
  await eventually("it says that its log is damaged", 30_000, async () =>
    (await swarmError()).includes(file),
  );
  expect(await swarmError()).toMatch(/offset|byte/i);
  await starter.stop();
  // The others go on meanwhile.
  await create(node("m1"), "meanwhile", { replicas: 0 });
  await stopVictim();
  restoreByte(file, offset, original);
  startVictim();
  await healthy();
  expect(await services()).toContain("meanwhile");
});

/** Segments may be written ahead with zeros: the damage must hit what was written. */
function usedBytes(file: string): number {
  const bytes = readFileSync(file);
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end -= 1;
  return end;
}

/** Starts the daemon without waiting for a healthy cluster, which it cannot be part of: until stopped, `up` waits for it. */
function startUnhealthyVictim(): { stop(): Promise<void> } {
  const up = spawn(process.execPath, [CLI, "playground", "up"], { stdio: "ignore" });
  const ended = new Promise((resolve) => up.once("exit", resolve));
  return {
    async stop() {
      up.kill("SIGTERM");
      await ended;
    },
  };
}

function flipByte(file: string, offset: number): number {
  const fd = openSync(file, "r+");
  const byte = Buffer.alloc(1);
  readSync(fd, byte, 0, 1, offset);
  const original = byte[0] ?? 0;
  writeSync(fd, Buffer.from([original ^ 0xff]), 0, 1, offset);
  closeSync(fd);
  return original;
}

function restoreByte(file: string, offset: number, original: number): void {
  const fd = openSync(file, "r+");
  writeSync(fd, Buffer.from([original]), 0, 1, offset);
  closeSync(fd);
}
