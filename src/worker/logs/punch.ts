/** Gives disk space of read spool back without moving what follows: holes in the file. Node has no fallocate(2). */
import { spawn } from "node:child_process";

/** Spool read since the last hole before another one is worth a process. */
export const PUNCH_BYTES = 1024 * 1024;
/** Processes at a time. */
const RUNNING_MAX = 2;

export interface HolePuncher {
  punch(path: string, offset: number, length: number): Promise<void>;
}

export class FallocatePuncher implements HolePuncher {
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  async punch(path: string, offset: number, length: number): Promise<void> {
    if (this.#running >= RUNNING_MAX) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    this.#running += 1;
    try {
      await run("fallocate", [
        "--punch-hole",
        "--keep-size",
        "--offset",
        String(offset),
        "--length",
        String(length),
        path,
      ]);
    } finally {
      this.#running -= 1;
      this.#waiting.shift()?.();
    }
  }
}

function run(command: string, args: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ["ignore", "ignore", "pipe"] });
    let text = "";
    child.stderr.on("data", (data: Buffer) => {
      if (text.length < 1_000) text += data.toString();
    });
    child.on("error", reject);
    child.on("close", (code) => {
      if (code === 0) resolve();
      else reject(new Error(`${command} ended with ${code}: ${text.trim()}`));
    });
  });
}
