import { mkdtempSync, rmSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { silentLogger } from "../../base/index.js";
import { FakeClock } from "../testing/fake-clock.js";
import { UsageMeter } from "./usage-meter.js";

let root: string;
let clock: FakeClock;
let meter: UsageMeter;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "cgroup-"));
  clock = new FakeClock();
  meter = new UsageMeter({ clock, logger: silentLogger, root, cgroupParent: "/swarm/" });
});
afterEach(() => rmSync(root, { recursive: true }));

async function put(files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
}

async function measureAfter(ms: number): Promise<void> {
  await clock.advance(ms);
  await meter.measure();
}

const v1 = (cpuNano: number, hierarchy = 1) => ({
  "memory/swarm/memory.use_hierarchy": `${hierarchy}\n`,
  "memory/swarm/memory.usage_in_bytes": "5000\n",
  "memory/swarm/memory.stat": "total_inactive_file 1000\n",
  "cpuacct/swarm/cpuacct.usage": `${cpuNano}\n`,
});
const v2 = (cpuMicro: number) => ({
  "cgroup.controllers": "cpu memory\n",
  "swarm/memory.current": "5000\n",
  "swarm/memory.stat": "inactive_file 1000\n",
  "swarm/cpu.stat": `usage_usec ${cpuMicro}\n`,
});

test.each([
  { name: "cgroup v1", first: v1(1e9), second: v1(6e9) },
  { name: "cgroup v2", first: v2(1e6), second: v2(6e6) },
])("CPU since the look before and memory now, from $name", async ({ first, second }) => {
  await put(first);
  await meter.measure();
  expect(meter.latest).toBeUndefined();
  await put(second);
  await measureAfter(10_000);
  expect(meter.latest).toEqual({ cpuNano: 5e8, memBytes: 4000 });
});

test("a node that never had a container uses nothing", async () => {
  await meter.measure();
  await measureAfter(10_000);
  expect(meter.latest).toEqual({ cpuNano: 0, memBytes: 0 });
});

test("what cannot be read is not told as nothing, nor is what would be too low", async () => {
  await put(v1(1e9));
  await meter.measure();
  await measureAfter(1000);
  expect(meter.latest).toBeDefined();
  await put({ "memory/swarm/memory.usage_in_bytes": "broken" });
  await measureAfter(1000);
  expect(meter.latest).toBeUndefined();
  await put(v1(1e9, 0));
  await measureAfter(1000);
  await measureAfter(1000);
  expect(meter.latest).toBeUndefined();
});
