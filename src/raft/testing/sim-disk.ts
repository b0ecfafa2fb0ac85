import type { Disk, DiskFile } from "../wal/disk.js";
import type { SeededRandom } from "./seeded-random.js";
import type { SimWorld } from "./sim-world.js";

type Write = { readonly offset: number; readonly bytes: Uint8Array };
/** `durable` survives a crash; `unsynced` may, wholly, partly or not at all. */
class Inode {
  durable = new Content();
  current = new Content();
  unsynced: Write[] = [];
}

export class SimDiskError extends Error {
  readonly code: string;
  constructor(code: string) {
    super(`${code}: simulated`);
    this.code = code;
  }
}

/**
 * One machine's disk. Unsynced writes and directory changes are lost or torn by `crash`; every operation takes
 * virtual time. `open` handles belong to a run: after a crash, operations of the earlier run never complete.
 */
export class SimDisk {
  readonly #world: SimWorld;
  readonly #random: SeededRandom;
  #names = new Map<string, Inode>();
  #durableNames = new Map<string, Inode>();
  #unsyncedNames: ((names: Map<string, Inode>) => void)[] = [];
  #run = 0;
  /** Virtual ms a flush takes, drawn from [0, flushMs). */
  flushMs = 1;
  isFull = false;

  constructor(world: SimWorld, random: SeededRandom) {
    this.#world = world;
    this.#random = random;
  }

  /** Power loss: keeps what was synced, and any part of the rest. */
  crash(): void {
    this.#run++;
    const kept = this.#random.int(0, this.#unsyncedNames.length + 1);
    for (const change of this.#unsyncedNames.slice(0, kept)) change(this.#durableNames);
    this.#unsyncedNames = [];
    for (const inode of new Set([...this.#names.values(), ...this.#durableNames.values()])) {
      for (const write of inode.unsynced) this.#tear(inode, write);
      inode.unsynced = [];
      inode.current = inode.durable.copy();
    }
    this.#names = new Map(this.#durableNames);
  }

  /** The disk as one run of the machine sees it. */
  mount(): Disk {
    const run = this.#run;
    const later = (ms: number): Promise<void> => this.#later(run, ms);
    return {
      ensureDir: () => later(0),
      list: async (dir) => {
        await later(0);
        return [...this.#names.keys()]
          .filter((path) => path.startsWith(`${dir}/`))
          .map((path) => path.slice(dir.length + 1));
      },
      open: async (path, mode) => {
        await later(0);
        return new SimFile(path, this.#inode(path, mode), this, later);
      },
      rename: async (from, to) => {
        await later(0);
        this.#changeNames((names) => {
          const inode = names.get(from);
          if (inode === undefined) return;
          names.delete(from);
          names.set(to, inode);
        });
      },
      remove: async (path) => {
        await later(0);
        this.#changeNames((names) => void names.delete(path));
      },
      syncDir: async () => {
        await later(this.#flushTime());
        for (const change of this.#unsyncedNames) change(this.#durableNames);
        this.#unsyncedNames = [];
      },
    };
  }

  #inode(path: string, mode: "create" | "read" | "write"): Inode {
    const found = this.#names.get(path);
    if (mode !== "create") {
      if (found === undefined) throw new SimDiskError("ENOENT");
      return found;
    }
    if (found !== undefined) throw new SimDiskError("EEXIST");
    const inode = new Inode();
    this.#changeNames((names) => void names.set(path, inode));
    return inode;
  }

  #changeNames(change: (names: Map<string, Inode>) => void): void {
    change(this.#names);
    this.#unsyncedNames.push(change);
  }

  #later(run: number, ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#world.schedule(ms, () => {
        if (run === this.#run) resolve();
      });
    });
  }

  flushTime(): number {
    return this.#flushTime();
  }

  #flushTime(): number {
    return this.#random.float() * this.flushMs;
  }

  /** An unsynced write may be lost, complete, cut short, or have a hole where a block never got out. */
  #tear(inode: Inode, write: Write): void {
    const fate = this.#random.int(0, 4);
    if (fate === 0 || write.bytes.length === 0) return;
    const bytes = write.bytes.slice(
      0,
      fate === 1 ? write.bytes.length : this.#random.int(1, write.bytes.length + 1),
    );
    if (fate === 3) bytes.fill(0, this.#random.int(0, bytes.length), bytes.length - 1);
    inode.durable.put({ offset: write.offset, bytes });
  }
}

class SimFile implements DiskFile {
  readonly path: string;
  readonly #inode: Inode;
  readonly #disk: SimDisk;
  readonly #later: (ms: number) => Promise<void>;

  constructor(path: string, inode: Inode, disk: SimDisk, later: (ms: number) => Promise<void>) {
    this.path = path;
    this.#inode = inode;
    this.#disk = disk;
    this.#later = later;
  }

  async sizeBytes(): Promise<number> {
    return this.#inode.current.length;
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    await this.#later(0);
    return this.#inode.current.slice(offset, offset + length);
  }

  async write(offset: number, bytes: Uint8Array): Promise<void> {
    const write = { offset, bytes: bytes.slice() };
    if (this.#disk.isFull) {
      // A full disk takes a part before it says so.
      this.#put({ offset, bytes: write.bytes.subarray(0, bytes.length >> 1) });
      await this.#later(0);
      throw new SimDiskError("ENOSPC");
    }
    this.#put(write);
    await this.#later(0);
  }

  async sync(): Promise<void> {
    const synced = this.#inode.unsynced.length;
    await this.#later(this.#disk.flushTime());
    for (const write of this.#inode.unsynced.splice(0, synced)) {
      this.#inode.durable.put(write);
    }
  }

  async writeDurable(offset: number, bytes: Uint8Array): Promise<void> {
    await this.write(offset, bytes);
    await this.sync();
  }

  async truncate(sizeBytes: number): Promise<void> {
    await this.#later(0);
    this.#inode.current.truncate(sizeBytes);
    this.#inode.durable.truncate(sizeBytes);
  }

  async close(): Promise<void> {}

  #put(write: Write): void {
    this.#inode.current.put(write);
    this.#inode.unsynced.push(write);
  }
}

/** Bytes that grow by doubling, so that appending stays cheap. */
class Content {
  #buffer = new Uint8Array(1024);
  length = 0;

  put(write: Write): void {
    const end = write.offset + write.bytes.length;
    if (end > this.#buffer.length) {
      const grown = new Uint8Array(Math.max(end, this.#buffer.length * 2));
      grown.set(this.#buffer.subarray(0, this.length));
      this.#buffer = grown;
    }
    this.#buffer.set(write.bytes, write.offset);
    this.length = Math.max(this.length, end);
  }

  slice(from: number, to: number): Uint8Array {
    return this.#buffer.slice(from, Math.min(to, this.length));
  }

  truncate(length: number): void {
    this.#buffer.fill(0, length);
    this.length = Math.min(this.length, length);
  }

  copy(): Content {
    const copy = new Content();
    copy.put({ offset: 0, bytes: this.#buffer.subarray(0, this.length) });
    return copy;
  }
}
