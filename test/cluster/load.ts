/** HTTP load from a network namespace, and what became of its requests. */
import { spawn } from "node:child_process";
import { once } from "node:events";

const SCRIPT = new URL("http-load.mjs", import.meta.url).pathname;

export type LoadReport = {
  readonly requests: number;
  readonly perSecond: number;
  readonly failures: number;
  /** The first of them. */
  readonly failed: readonly string[];
  readonly slowestMs: number;
};

export type Load = { stop(): Promise<LoadReport> };

/** `where` is nsenter's way to the namespace: `["--net=FILE"]`, or `["-t", PID]` whose network is entered. */
export function startLoad(
  where: readonly string[],
  url: string,
  clients: number,
  mode: "close" | "keep-alive" = "close",
  pauseMs = 0,
): Load {
  const entry = where.includes("-t") ? [...where, "-n"] : where;
  const script = [process.execPath, SCRIPT, url, String(clients), mode, String(pauseMs)];
  const child = spawn("nsenter", [...entry, "--", ...script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
  });
  return {
    async stop() {
      const ended = once(child, "close");
      child.kill("SIGTERM");
      await ended;
      const line = output.trim().split("\n").at(-1) ?? "";
      return JSON.parse(line) as LoadReport;
    },
  };
}
