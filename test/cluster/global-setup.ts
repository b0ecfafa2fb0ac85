/** One playground for all files of the run: made at the start, removed at the end, also when a test failed. */
import { execFileSync } from "node:child_process";
import type { PlaygroundStatus } from "../../src/cli/playground/index.js";

const CLI = new URL("../../dist/cli/main.js", import.meta.url).pathname;
const FLAGS = process.env["SWARM_TEST_SIMULATED"] === "1" ? ["--simulated"] : [];

export default function setup(): () => void {
  // The tests make their own: one that is up from trying things out goes, as does what one left that ended without `down`.
  if (isUp()) process.stdout.write("a playground is up; these tests replace it by their own\n");
  playground("down");
  const down = (): void => {
    playground("down");
  };
  try {
    playground("up");
  } catch (error) {
    down();
    throw error;
  }
  return down;
}

function playground(verb: string): void {
  execFileSync(process.execPath, [CLI, "playground", verb, ...FLAGS], { stdio: "inherit" });
}

function isUp(): boolean {
  let text: string;
  try {
    text = execFileSync(
      process.execPath,
      [CLI, "playground", "status", "--format", "json", ...FLAGS],
      { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] },
    );
  } catch {
    return false;
  }
  const { nodes } = JSON.parse(text) as PlaygroundStatus;
  return nodes.some((node) => node.pids.supervisor !== null);
}
