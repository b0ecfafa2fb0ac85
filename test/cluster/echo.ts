import { type ChildProcess, spawn } from "node:child_process";
import { vi } from "vitest";

const BACK_WITHIN_MS = 20_000;

/** What answers every byte with itself, on port 90. */
export const ECHO =
  'require("node:net").createServer((s) => s.pipe(s).on("error", () => {})).listen(90)';

/** One connection to such a server, kept open. */
export class Echo implements Disposable {
  readonly #client: ChildProcess;
  #heard = "";

  constructor(netns: string, address: string) {
    const program = `const s = require("node:net").connect(90, "${address}"); process.stdin.pipe(s).pipe(process.stdout)`;
    this.#client = spawn("nsenter", [`--net=/run/netns/${netns}`, process.execPath, "-e", program]);
    this.#client.stdout?.on("data", (text: Buffer) => {
      this.#heard += text.toString();
    });
  }

  async say(word: string): Promise<void> {
    this.#client.stdin?.write(`${word}\n`);
    await vi.waitUntil(() => this.#heard.endsWith(`${word}\n`), { timeout: BACK_WITHIN_MS });
  }

  [Symbol.dispose](): void {
    this.#client.kill("SIGKILL");
  }
}
