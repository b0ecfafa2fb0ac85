/** Named pipes: for stdin that stays open, and for an exec's output, whose writer is slowed down instead of filling a disk. */
import { execFile } from "node:child_process";
import { closeSync, constants, openSync, readSync } from "node:fs";
import { rm } from "node:fs/promises";
import { promisify } from "node:util";

const run = promisify(execFile);
const READ_BYTES = 64 * 1024;

export async function makeFifo(path: string): Promise<void> {
  await rm(path, { force: true });
  await run("mkfifo", ["-m", "0600", path]);
}

/** Reads a fifo without ever blocking, and keeps only the first `keepBytes`. */
export class FifoReader implements Disposable {
  readonly #fd: number;
  readonly #keepBytes: number;
  readonly #buffer = Buffer.alloc(READ_BYTES);
  readonly #kept: Buffer[] = [];
  #size = 0;

  constructor(path: string, keepBytes: number) {
    // Opening for both ends never waits for the other side, and the pipe never reports its end while we hold it.
    this.#fd = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
    this.#keepBytes = keepBytes;
  }

  /** Takes what is there now. At most 16 MiB per call, so that an endless writer cannot hold the process. */
  drain(): void {
    for (let round = 0; round < 256; round++) {
      let length: number;
      try {
        length = readSync(this.#fd, this.#buffer);
      } catch (error) {
        if (error instanceof Error && "code" in error && error.code === "EAGAIN") return;
        throw error;
      }
      if (length === 0) return;
      const room = this.#keepBytes - this.#size;
      if (room <= 0) continue;
      const part = Buffer.from(this.#buffer.subarray(0, Math.min(room, length)));
      this.#kept.push(part);
      this.#size += part.length;
    }
  }

  get text(): string {
    return Buffer.concat(this.#kept).toString("utf8");
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }
}
