/** Established TCP and UDP flows between network namespaces, and what was lost on them. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { eventually } from "./playground.js";

const SCRIPT = new URL("flow.mjs", import.meta.url).pathname;

export type FlowReport = {
  readonly sent: number;
  readonly tcpLost: number;
  readonly udpLost: number;
  readonly error: string;
  readonly longestGapMs: number;
};

/** Processes that serve and call; all end when it is disposed of. `where` is nsenter's way to the namespace. */
export class Flows implements AsyncDisposable {
  readonly #children: ChildProcess[] = [];
  readonly #calls: { readonly name: string; readonly child: ChildProcess; output: string }[] = [];

  /** Resolves when it listens: a call that comes earlier is refused. */
  async serve(where: readonly string[], port: number): Promise<void> {
    const child = this.#start(where, "serve", String(port));
    let output = "";
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
    await eventually(`a server listens on ${port}`, 20_000, () => output.includes("listening"));
  }

  /** Resolves when both flows are open. */
  async call(name: string, where: readonly string[], address: string, port: number): Promise<void> {
    const child = this.#start(where, "call", address, String(port));
    const entry = { name, child, output: "" };
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      entry.output += text;
    });
    this.#calls.push(entry);
    await eventually(`${name} is connected`, 20_000, () => entry.output.includes("connected"));
  }

  /** Ends the calls: what became of each. */
  async reports(): Promise<ReadonlyMap<string, FlowReport>> {
    const reports = new Map<string, FlowReport>();
    await Promise.all(
      this.#calls.map(async (entry) => {
        const ended = once(entry.child, "close");
        entry.child.kill("SIGTERM");
        await ended;
        const line = entry.output.trim().split("\n").at(-1) ?? "";
        reports.set(entry.name, JSON.parse(line) as FlowReport);
      }),
    );
    return reports;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const running = this.#children.filter(
      (child) => child.exitCode === null && child.signalCode === null,
    );
    const ended = running.map((child) => once(child, "close"));
    for (const child of running) child.kill("SIGKILL");
    await Promise.all(ended);
  }

  #start(where: readonly string[], ...args: readonly string[]): ChildProcess {
    const child = spawn("nsenter", [...where, "--", process.execPath, SCRIPT, ...args], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    this.#children.push(child);
    return child;
  }
}
