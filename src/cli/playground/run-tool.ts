import { spawn } from "node:child_process";

/** A set-up tool that takes longer is stuck. */
const TOOL_TIMEOUT_MS = 30_000;

/** Runs a tool to its end and returns what it printed. Rejects with its own words. */
export function runTool(command: string, args: readonly string[], input = ""): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      stdio: ["pipe", "pipe", "pipe"],
      timeout: TOOL_TIMEOUT_MS,
    });
    let out = "";
    let err = "";
    child.stdout.on("data", (chunk: Buffer) => {
      out += chunk.toString("utf8");
    });
    child.stderr.on("data", (chunk: Buffer) => {
      err += chunk.toString("utf8");
    });
    child.on("error", (cause) => reject(new Error(`${command}: ${cause.message}`, { cause })));
    child.on("close", (code, signalName) => {
      if (code === 0) resolve(out);
      else
        reject(
          new Error(
            `${command} ${args.join(" ")}: ${err.trim() || `ended with ${code ?? signalName}`}`,
          ),
        );
    });
    // The exit status tells the story of a tool that ends before it has read everything.
    child.stdin.on("error", () => undefined);
    child.stdin.end(input);
  });
}

/** As above; a failure whose text matches is success (something is there already, or gone already). */
export async function runToolUnless(
  harmless: RegExp,
  command: string,
  args: readonly string[],
  input = "",
): Promise<void> {
  await runTool(command, args, input).catch((error: unknown) => {
    if (!(error instanceof Error && harmless.test(error.message))) throw error;
  });
}
