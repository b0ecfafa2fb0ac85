import { join } from "node:path";
import type { SnapshotMeta } from "../core/entry.js";
import { RaftError } from "../errors.js";
import type { LogIndex } from "../types.js";
import type { Disk } from "./disk.js";
import type { Sealer } from "./sealer.js";
import { SnapshotReader, SnapshotWriter } from "./snapshot-file.js";

/** The newest one, and the one before it in case the newest turns out damaged. */
export const SNAPSHOTS_KEPT = 2;
const NAME = /^snap-(\d{16})-(\d{16})\.snap$/;

type Stored = { readonly index: number; readonly name: string };

/** Snapshot files in one directory: written under a temporary name, synced, renamed, directory synced. */
export class SnapshotStore {
  readonly #disk: Disk;
  readonly #dir: string;
  readonly #sealer: Sealer;
  #temporary = 0;
  /** File name → keys it was written with. */
  readonly #keyIds = new Map<string, ReadonlySet<number>>();

  constructor(disk: Disk, dir: string, sealer: Sealer) {
    this.#disk = disk;
    this.#dir = dir;
    this.#sealer = sealer;
  }

  /** Keys the snapshots known so far were written with. */
  get keyIds(): Set<number> {
    return new Set([...this.#keyIds.values()].flatMap((ids) => [...ids]));
  }

  /**
   * All intact snapshots, newest first, and the damage found in others. A missing key is not damage: it
   * rejects at once. Leftover temporary files are removed.
   */
  async load(): Promise<{ readers: SnapshotReader[]; damage: RaftError[] }> {
    for (const name of await this.#disk.list(this.#dir)) {
      if (/^snap-.*\.tmp$/.test(name)) await this.#disk.remove(join(this.#dir, name));
    }
    const readers: SnapshotReader[] = [];
    const damage: RaftError[] = [];
    for (const stored of await this.#stored()) {
      try {
        readers.push(await this.#openNamed(stored.name));
      } catch (error) {
        if (!(error instanceof RaftError) || error.code !== "DAMAGED") throw error;
        damage.push(error);
      }
    }
    return { readers, damage };
  }

  /** Opens the stored snapshot of this index. The caller closes it. */
  async open(index: LogIndex): Promise<SnapshotReader> {
    const found = (await this.#stored()).find((stored) => stored.index === index);
    if (found === undefined) throw new Error(`${this.#dir}: no snapshot of index ${index}`);
    return this.#openNamed(found.name);
  }

  async write(meta: SnapshotMeta): Promise<PendingSnapshot> {
    const path = join(this.#dir, `snap-${this.#temporary++}-${meta.index}.tmp`);
    const file = await this.#disk.open(path, "create");
    const writer = await SnapshotWriter.begin(file, this.#sealer, meta);
    const onCommitted = (name: string): void => {
      this.#keyIds.set(name, new Set([this.#sealer.activeKeyId]));
    };
    return new PendingSnapshot(this.#disk, this.#dir, path, meta, writer, onCommitted);
  }

  /**
   * Deletes all but the newest ones; returns the index up to which the log is not needed any more: that of the
   * oldest one kept, so that a fallback to it always finds its log, or 0 while there is nothing to fall back to.
   */
  async prune(): Promise<number> {
    const stored = await this.#stored();
    for (const old of stored.slice(SNAPSHOTS_KEPT)) {
      await this.#disk.remove(join(this.#dir, old.name));
      this.#keyIds.delete(old.name);
    }
    return stored[SNAPSHOTS_KEPT - 1]?.index ?? 0;
  }

  async #openNamed(name: string): Promise<SnapshotReader> {
    const file = await this.#disk.open(join(this.#dir, name), "read");
    try {
      const reader = await SnapshotReader.open(file, this.#sealer);
      this.#keyIds.set(name, reader.keyIds);
      return reader;
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  async #stored(): Promise<Stored[]> {
    const stored: Stored[] = [];
    for (const name of await this.#disk.list(this.#dir)) {
      const index = NAME.exec(name)?.[1];
      if (index !== undefined) stored.push({ index: Number(index), name });
    }
    return stored.sort((a, b) => b.index - a.index || (a.name < b.name ? 1 : -1));
  }
}

/** A snapshot being written; nobody sees it before `commit`. */
export class PendingSnapshot {
  readonly meta: SnapshotMeta;
  readonly #disk: Disk;
  readonly #dir: string;
  readonly #path: string;
  readonly #writer: SnapshotWriter;
  readonly #onCommitted: (name: string) => void;

  constructor(
    disk: Disk,
    dir: string,
    path: string,
    meta: SnapshotMeta,
    writer: SnapshotWriter,
    onCommitted: (name: string) => void,
  ) {
    this.#onCommitted = onCommitted;
    this.#disk = disk;
    this.#dir = dir;
    this.#path = path;
    this.meta = meta;
    this.#writer = writer;
  }

  get totalBytes(): number {
    return this.#writer.totalBytes;
  }

  write(bytes: Uint8Array): Promise<void> {
    return this.#writer.write(bytes);
  }

  /** Durable and visible after this. */
  async commit(): Promise<void> {
    await this.#writer.finish();
    const { index, term } = this.meta;
    const name = `snap-${String(index).padStart(16, "0")}-${String(term).padStart(16, "0")}.snap`;
    await this.#disk.rename(this.#path, join(this.#dir, name));
    await this.#disk.syncDir(this.#dir);
    this.#onCommitted(name);
  }

  async discard(): Promise<void> {
    await this.#writer.abort();
    await this.#disk.remove(this.#path);
  }
}
