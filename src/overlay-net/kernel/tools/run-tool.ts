import { type ChildProcess, spawn } from "node:child_process";
import { KernelError, netnsPath } from "../netns-kernel.js";

/** A tool that takes longer is stuck. */
const TOOL_TIMEOUT_MS = 30_000;
/** Most bytes of a tool's output that are read; a namespace with 10,000 remote endpoints prints about 3 MiB. */
const OUTPUT_MAX_BYTES = 64 * 1024 * 1024;
const ERROR_MAX_BYTES = 64 * 1024;

export type ToolResult = { readonly isOk: boolean; readonly out: string; readonly err: string };

const PACKAGES: Readonly<Record<string, string>> = {
  nft: "nftables",
  wg: "wireguard-tools",
  conntrack: "conntrack",
  nsenter: "util-linux",
  setpriv: "util-linux",
};

/** The command as it is run inside a namespace; "" is the one of this process. */
export function commandIn(netns: string, command: readonly string[]): readonly string[] {
  return netns === "" ? command : ["nsenter", `--net=${netnsPath(netns)}`, ...command];
}

export function startTool(command: readonly string[]): ChildProcess {
  const [program = "", ...args] = command;
  return spawn(program, args, { stdio: ["pipe", "pipe", "pipe"] });
}

/** Runs one to its end, whatever that is. Rejects KernelError MISSING when it is not installed, FAILED when it is stuck. */
export function runTool(command: readonly string[], input = ""): Promise<ToolResult> {
  return new Promise((resolve, reject) => {
    const child = startTool(command);
    const out = collect(child.stdout, OUTPUT_MAX_BYTES);
    const err = collect(child.stderr, ERROR_MAX_BYTES);
    const timer = setTimeout(() => {
      child.kill("SIGKILL");
      reject(
        new KernelError("FAILED", `${command.join(" ")} did not end within ${TOOL_TIMEOUT_MS} ms`),
      );
    }, TOOL_TIMEOUT_MS);
    child.on("error", (cause: NodeJS.ErrnoException) => {
      clearTimeout(timer);
      reject(cause.code === "ENOENT" ? missingTool(command[0] ?? "") : cause);
    });
    child.on("close", (code) => {
      clearTimeout(timer);
      if (out.isOverfull)
        reject(
          new KernelError("FAILED", `${command.join(" ")} printed over ${OUTPUT_MAX_BYTES} bytes`),
        );
      resolve({ isOk: code === 0, out: out.text(), err: err.text().trim() });
    });
    // A tool that ends early closes its input: its exit status tells the story, not EPIPE.
    child.stdin?.on("error", () => undefined);
    child.stdin?.end(input);
  });
}

function missingTool(program: string): KernelError {
  return new KernelError(
    "MISSING",
    `${program} is not installed (Debian package: ${PACKAGES[program] ?? "iproute2"})`,
  );
}

function collect(stream: NodeJS.ReadableStream | null, bytesMax: number) {
  const chunks: Buffer[] = [];
  const collected = { isOverfull: false, text: () => Buffer.concat(chunks).toString("utf8") };
  let size = 0;
  stream?.on("data", (chunk: Buffer) => {
    size += chunk.length;
    if (size > bytesMax) collected.isOverfull = true;
    else chunks.push(chunk);
  });
  return collected;
}
