import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { SeededRandom, silentLogger } from "../../../base/index.js";
import { describeEngine } from "../engine-conformance.js";
import { ManualClock } from "../manual-clock.js";
import type { ContainerRequest } from "../port.js";
import { createSimulatedEngine, type SimulatedEngine } from "./engine.js";

const never = new AbortController().signal;

function makeRequest(dir: string, id: string): ContainerRequest {
  const logs = join(dir, "logs", id);
  const [stdoutPath, stderrPath] = [join(logs, "out"), join(logs, "err")];
  mkdirSync(logs, { recursive: true });
  for (const path of [stdoutPath, stderrPath]) if (!existsSync(path)) writeFileSync(path, "");
  return {
    id,
    name: `web.1.${id}`,
    image: "busybox",
    spec: { Image: "busybox" },
    resources: {},
    labels: { "com.docker.swarm.task.id": id },
    hostname: "h",
    netnsPath: "",
    isHostNetwork: false,
    hostsPath: "",
    hostnamePath: "",
    resolvConfPath: "",
    extraMounts: [],
    stdoutPath,
    stderrPath,
    cgroupParent: "",
  };
}

const dir = mkdtempSync(join(tmpdir(), "swarm-simulated-"));
const clock = new ManualClock();
let engine: SimulatedEngine;

async function open(): Promise<SimulatedEngine> {
  engine = createSimulatedEngine({
    stateDir: join(dir, "state"),
    clock,
    random: new SeededRandom(1),
    logger: silentLogger,
    pullDelayMs: 500,
    startDelayMs: 50,
  });
  await engine.open(never);
  return engine;
}

describeEngine("simulated", {
  start: open,
  reopen: open,
  restartEngine: () => {
    engine.simulateRestart(300);
    return Promise.resolve();
  },
  stop: () => {
    rmSync(dir, { recursive: true });
    return Promise.resolve();
  },
  pass: (ms) => clock.pass(ms),
  request: (id, spec, resources) => {
    const request = makeRequest(dir, id);
    return { ...request, spec: { ...request.spec, ...spec }, resources };
  },
  limits: (id) => {
    const { MemoryBytes = 0, Pids = 0 } = engine.limitsOf(id)?.Limits ?? {};
    return Promise.resolve({ memoryBytes: MemoryBytes, pids: Pids });
  },
  images: {
    good: "busybox",
    missing: "example.com/missing:1",
    private: "example.com/private/app:1",
    credentials: { username: "u", password: "p" },
    wrongCredentials: { username: "u", password: "wrong" },
  },
});

describe("what only the simulated engine can show", () => {
  const own = mkdtempSync(join(tmpdir(), "swarm-simulated-"));
  afterEach(() => rmSync(own, { recursive: true, force: true }));

  test("delays are as long as they were set", async () => {
    const time = new ManualClock();
    const slow = createSimulatedEngine({
      stateDir: join(own, "state"),
      clock: time,
      random: new SeededRandom(1),
      logger: silentLogger,
      pullDelayMs: 1000,
      startDelayMs: 200,
    });
    await slow.open(never);
    let isPulled = false;
    const pulling = slow.pull("busybox", { auth: undefined, signal: never }).then(() => {
      isPulled = true;
    });
    await time.pass(990);
    expect(isPulled).toBe(false);
    await time.pass(20);
    await pulling;
    const request = makeRequest(own, "a");
    const spec = { Image: "busybox", Command: ["sleep", "9"] };
    const creating = slow.create({ ...request, spec }, never);
    await time.pass(0);
    await creating;
    const starting = slow.start("a", never);
    await time.pass(199);
    expect((await slow.inspect("a"))?.state).toBe("created");
    await time.pass(1);
    await starting;
    expect((await slow.inspect("a"))?.state).toBe("running");
    await slow[Symbol.asyncDispose]();
  });

  test("calls answer ENGINE_DOWN while it is away", async () => {
    const time = new ManualClock();
    const down = createSimulatedEngine({
      stateDir: join(own, "state"),
      clock: time,
      random: new SeededRandom(1),
      logger: silentLogger,
    });
    await down.open(never);
    down.simulateRestart(100);
    await expect(down.list()).rejects.toMatchObject({ code: "ENGINE_DOWN" });
    await time.pass(100);
    expect(await down.list()).toEqual([]);
    await down[Symbol.asyncDispose]();
  });
});
