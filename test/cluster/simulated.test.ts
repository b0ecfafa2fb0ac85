/** What anybody without root can try, and what they are told when they try the rest. */
import { execFileSync } from "node:child_process";
import { chmodSync, chownSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { PlaygroundStatus } from "../../src/cli/playground/index.js";
import { IS_SIMULATED, isAlive, type Output, run, startWhatDoesNotRun } from "./playground.js";

const ROOT = new URL("../..", import.meta.url).pathname;
const NOBODY = 65534;
const AS_NOBODY = ["--reuid", `${NOBODY}`, "--regid", `${NOBODY}`, "--clear-groups"];

let home: string;
let project: string;

beforeAll(() => {
  // Both simulated ones would use the same loopback addresses.
  if (IS_SIMULATED) playgroundOfTheRun("down");
  home = mkdtempSync(join(tmpdir(), "swarm-nobody-"));
  chmodSync(home, 0o700);
  chownSync(home, NOBODY, NOBODY);
  project = readableProject();
});

afterAll(async () => {
  await asNobody(process.execPath, cli(), "playground", "down", "--simulated");
  rmSync(home, { recursive: true });
  if (project !== ROOT) rmSync(project, { recursive: true });
  if (IS_SIMULATED) await startWhatDoesNotRun();
});

function playgroundOfTheRun(verb: string): void {
  execFileSync(process.execPath, [
    join(ROOT, "dist/cli/main.js"),
    "playground",
    verb,
    "--simulated",
  ]);
}

function cli(): string {
  return join(project, "dist/cli/main.js");
}

function asNobody(...command: string[]): Promise<Output> {
  return run("setpriv", [...AS_NOBODY, ...command], { HOME: home, TMPDIR: home, CI: "" });
}

/** The project itself where others may read it; below a home directory of root's, a copy. */
function readableProject(): string {
  try {
    execFileSync("setpriv", [...AS_NOBODY, "test", "-r", join(ROOT, "dist/cli/main.js")]);
    return ROOT;
  } catch {
    const copy = mkdtempSync(join(tmpdir(), "swarm-copy-"));
    chmodSync(copy, 0o755);
    for (const name of [
      "dist",
      "deploy",
      "node_modules",
      "package.json",
      "package-lock.json",
      "proto",
      "src",
    ])
      execFileSync("cp", ["-a", "--no-preserve=ownership", join(ROOT, name), copy]);
    execFileSync("chmod", ["-R", "a+rX", copy]);
    return copy;
  }
}

test("as any user: up --simulated --demo runs five replicas and says what it is; down leaves nothing", async () => {
  const up = await asNobody(process.execPath, cli(), "playground", "up", "--simulated", "--demo");
  expect(up).toMatchObject({ code: 0, stderr: "" });
  expect(up.stdout.match(/^ {2}web\.\d +[mw]\d +running/gm)?.length).toBe(5);
  const shown = await asNobody(
    process.execPath,
    cli(),
    ...["playground", "status", "--simulated", "--format", "json"],
  );
  const status = JSON.parse(shown.stdout) as PlaygroundStatus;
  const pids = status.nodes.flatMap((node) => Object.values(node.pids));
  expect(pids.length).toBe(20);
  const manager = status.nodes[0];
  const info = await asNobody("docker", "-H", `unix://${manager?.socket}`, "info");
  expect(info.stdout).toMatch(/engine: simulated/);
  const listed = await asNobody("docker", "-H", `unix://${manager?.socket}`, "service", "ls");
  expect(listed.stdout).toMatch(/web +replicated +5\/5/);

  const down = await asNobody(process.execPath, cli(), "playground", "down", "--simulated");
  expect(down).toMatchObject({ code: 0, stderr: "" });
  expect(pids.filter((pid) => pid !== null && isAlive(pid))).toEqual([]);
  expect(readdirSync(home).filter((name) => name.includes("swarm"))).toEqual([]);
});

test.each([
  { name: "npm run up", command: () => [join(project, "deploy/bootstrap.mjs"), "up"] },
  { name: "swarm playground up", command: () => [cli(), "playground", "up"] },
])("$name without root: one sentence, and nothing is done", async ({ command }) => {
  const refused = await asNobody(process.execPath, ...command());
  expect(refused.code).toBeGreaterThan(0);
  expect(refused.stdout).toBe("");
  expect(refused.stderr.trim().split("\n")).toEqual([
    expect.stringMatching(/needs root.*--simulated/),
  ]);
});
