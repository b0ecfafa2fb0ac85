/** A locked manager after a restart, by the stock client: nothing answers until it is unlocked, and its disk tells nothing. */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ApiNode } from "../../src/cli/api-types.js";
import { ExtraHost } from "./extra-host.js";
import { api, docker, eventually, healthy, node, type Output, reset } from "./playground.js";

/** 5 × what a role change may take. */
const ROLE_CHANGE_MS = 25_000;

const host = new ExtraHost("vault", 151);
let id = "";

beforeAll(async () => {
  await reset();
  host.plug();
  await host.start();
  id = await host.joinAsWorker(node("m1"));
});

afterAll(async () => {
  await docker(node("m1"), "swarm", "update", "--autolock=false");
  await docker(node("m1"), "node", "demote", id);
  await eventually("it is a worker", ROLE_CHANGE_MS, async () => {
    const { Swarm } = await host.info();
    return !Swarm.ControlAvailable && Swarm.LocalNodeState === "active";
  }).catch(() => undefined);
  await host.docker("swarm", "leave", "--force");
  await docker(node("m1"), "node", "rm", "--force", id);
  await host[Symbol.asyncDispose]();
  await healthy();
});

const state = async (): Promise<string> => (await host.info()).Swarm.LocalNodeState;
const keyFile = (): string => readFileSync(join(host.certificatesDir, "swarm-node.pem"), "utf8");

/** The stock client takes the key from its standard input. */
function unlock(key: string): Promise<Output> {
  return new Promise((resolve) => {
    const env = { ...process.env, DOCKER_HOST: `unix://${host.socket}` };
    const child = spawn("docker", ["swarm", "unlock"], { env });
    let [stdout, stderr] = ["", ""];
    child.stdout.on("data", (bytes: Buffer) => {
      stdout += bytes.toString();
    });
    child.stderr.on("data", (bytes: Buffer) => {
      stderr += bytes.toString();
    });
    child.on("close", (code) => {
      resolve({ code: code ?? -1, stdout, stderr });
    });
    child.stdin.end(`${key}\n`);
  });
}

test("a manager that is started again is locked, refuses a wrong key, and works with the right one", async () => {
  expect((await docker(node("m1"), "node", "promote", id)).code).toBe(0);
  await eventually("it is a manager", ROLE_CHANGE_MS, async () => {
    const nodes = await api(node("m1")).call<ApiNode[]>("GET", "/nodes");
    const own = nodes.find((entry) => entry.ID === id);
    return own?.ManagerStatus?.Reachability === "reachable";
  });
  expect((await docker(node("m2"), "swarm", "update", "--autolock=true")).code).toBe(0);
  const { stdout } = await docker(node("m3"), "swarm", "unlock-key", "-q");
  const key = stdout.trim();
  expect(key).toMatch(/^SWMKEY-1-/);
  await eventually("its key is encrypted", 10_000, () => keyFile().includes("BEGIN ENCRYPTED"));
  expect(keyFile()).not.toContain("BEGIN PRIVATE KEY");

  await host.stop();
  await host.start();
  await eventually("it is locked", 10_000, async () => (await state()) === "locked");
  const refused = await host.docker("node", "ls");
  expect(refused.stderr).toContain("Swarm is encrypted and needs to be unlocked");
  const wrong = await unlock(`SWMKEY-1-${"a".repeat(43)}`);
  expect(wrong).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("invalid key") as string,
  });
  expect(await state()).toBe("locked");

  expect((await unlock(key)).code).toBe(0);
  await eventually("it answers as a manager", ROLE_CHANGE_MS, async () => {
    const listed = await host.docker("node", "ls", "-q");
    return listed.code === 0 && listed.stdout.includes(id);
  });
}, 120_000);
