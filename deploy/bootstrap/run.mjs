import { spawn } from "node:child_process";

/** A failure that is explained in one sentence; no stack is printed. */
export class SetupError extends Error {
  constructor(message, exitCode = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}

export function isRoot() {
  return process.getuid?.() === 0;
}

/** Runs a command to its end. Output is shown when `inherit`, else kept, handed to `onOutput`, and in the error of a failure. */
export function run(
  command,
  args,
  {
    inherit = false,
    env = process.env,
    what = `${command} ${args[0] ?? ""}`,
    onOutput = () => {},
  } = {},
) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      stdio: inherit ? "inherit" : ["ignore", "pipe", "pipe"],
      env,
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text) => {
        output += text;
        onOutput(text);
      });
    }
    child.on("error", (cause) => reject(new SetupError(`${what}: ${cause.message}`)));
    child.on("close", (code, signal) => {
      if (code === 0) resolve(output);
      else if (inherit) reject(new SetupError(`${what}: ended with ${code ?? signal}`, code ?? 1));
      else
        reject(
          new SetupError(`${what} failed:\n${output.split("\n").slice(-15).join("\n")}`, code ?? 1),
        );
    });
  });
}

/** Says what is done and how long it took. */
export async function step(what, work) {
  const from = performance.now();
  process.stdout.write(`${what} … `);
  const result = await work();
  console.log(`${((performance.now() - from) / 1000).toFixed(1)} s`);
  return result;
}
