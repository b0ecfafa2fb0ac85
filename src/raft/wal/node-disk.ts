import { fdatasyncSync, writeSync } from "node:fs";
import { type FileHandle, mkdir, open, readdir, rename, unlink } from "node:fs/promises";
import { performance } from "node:perf_hooks";
import type { Disk, DiskFile } from "./disk.js";
import { FlushPolicy } from "./flush-policy.js";

const FLAGS = { create: "wx+", read: "r", write: "r+" } as const;

/** The real disk. All files share one flush policy: they are on one device. */
export class NodeDisk implements Disk {
  readonly #policy = new FlushPolicy();

  async ensureDir(path: string): Promise<void> {
    await mkdir(path, { recursive: true, mode: 0o700 });
  }

  list(dir: string): Promise<readonly string[]> {
    return readdir(dir);
  }

  async open(path: string, mode: "create" | "read" | "write"): Promise<DiskFile> {
    return new NodeDiskFile(path, await open(path, FLAGS[mode], 0o600), this.#policy);
  }

  rename(from: string, to: string): Promise<void> {
    return rename(from, to);
  }

  remove(path: string): Promise<void> {
    return unlink(path);
  }

  async syncDir(dir: string): Promise<void> {
    const handle = await open(dir, "r");
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  }
}

class NodeDiskFile implements DiskFile {
  readonly path: string;
  readonly #handle: FileHandle;
  readonly #policy: FlushPolicy;

  constructor(path: string, handle: FileHandle, policy: FlushPolicy) {
    this.path = path;
    this.#handle = handle;
    this.#policy = policy;
  }

  async sizeBytes(): Promise<number> {
    return (await this.#handle.stat()).size;
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    const buffer = Buffer.allocUnsafe(length);
    let filled = 0;
    while (filled < length) {
      const { bytesRead } = await this.#handle.read(
        buffer,
        filled,
        length - filled,
        offset + filled,
      );
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return buffer.subarray(0, filled);
  }

  async write(offset: number, bytes: Uint8Array): Promise<void> {
    let done = 0;
    while (done < bytes.length) {
      const left = bytes.length - done;
      done += (await this.#handle.write(bytes, done, left, offset + done)).bytesWritten;
    }
  }

  sync(): Promise<void> {
    return this.#handle.datasync();
  }

  writeDurable(offset: number, bytes: Uint8Array): Promise<void> | undefined {
    if (!this.#policy.isSyncWorthwhile(bytes.length)) return this.#writeThroughPool(offset, bytes);
    const startedMs = performance.now();
    let done = 0;
    while (done < bytes.length) {
      done += writeSync(this.#handle.fd, bytes, done, bytes.length - done, offset + done);
    }
    fdatasyncSync(this.#handle.fd);
    this.#policy.measuredSync(performance.now() - startedMs);
    return undefined;
  }

  async #writeThroughPool(offset: number, bytes: Uint8Array): Promise<void> {
    await this.write(offset, bytes);
    await this.sync();
  }

  async truncate(sizeBytes: number): Promise<void> {
    await this.#handle.truncate(sizeBytes);
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}
