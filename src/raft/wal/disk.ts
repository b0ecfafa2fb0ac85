/**
 * The disk as the log sees it. The simulation's disk loses unsynced data, tears writes and fills up; the real
 * one is node-disk.ts. Every operation may reject with the system's error (ENOSPC, EIO…), which ends the node.
 */
export interface Disk {
  /** Creates the directory (0700) and its parents when absent. */
  ensureDir(path: string): Promise<void>;
  /** Names in the directory, in any order. */
  list(dir: string): Promise<readonly string[]>;
  /** `create` fails if the file exists and makes it 0600; `write` opens an existing one for both directions. */
  open(path: string, mode: "create" | "read" | "write"): Promise<DiskFile>;
  /** Atomic; durable after `syncDir`. Replaces the target. */
  rename(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
  syncDir(dir: string): Promise<void>;
}

export interface DiskFile {
  readonly path: string;
  sizeBytes(): Promise<number>;
  /** Fewer bytes only at the end of the file. */
  read(offset: number, length: number): Promise<Uint8Array>;
  write(offset: number, bytes: Uint8Array): Promise<void>;
  /** fdatasync. */
  sync(): Promise<void>;
  /** Write and fdatasync. Undefined: done already (cheaper than a round through the thread pool on a fast disk). */
  writeDurable(offset: number, bytes: Uint8Array): Promise<void> | undefined;
  truncate(sizeBytes: number): Promise<void>;
  close(): Promise<void>;
}
