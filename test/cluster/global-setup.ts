/** One playground for all files of the run: made at the start, removed at the end, also when a test failed. */
import { execFileSync } from "node:child_process";

const CLI = new URL("../../dist/cli/main.js", import.meta.url).pathname;

export default function setup(): () => void {
  execFileSync(process.execPath, [CLI, "playground", "down"], { stdio: "inherit" });
  execFileSync(process.execPath, [CLI, "playground", "up"], { stdio: "inherit" });
  return () => {
    execFileSync(process.execPath, [CLI, "playground", "down"], { stdio: "inherit" });
  };
}
