/** The rotating log of one task: `log` is written, `log.1` is the one before, up to `log.<fileMax - 1>`. */
import { type FileHandle, open, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { eachLine, parseRecord, RECORD_MAX_BYTES } from "./record.js";

/** Spool bytes read and safely in the log. */
export type Offsets = { readonly stdout: number; readonly stderr: number };

export type LogLimits = { readonly sizeMaxBytes: number; readonly fileMax: number };

/** Log bytes between two checkpoints: bounds what a restart scans. */
const CHECKPOINT_BYTES = 256 * 1024;

export class LogFiles {
  readonly #dir: string;
  readonly #limits: LogLimits;
  #sizeBytes = 0;
  #sinceCheckpointBytes = 0;
  /** Counts rotations in this process, so that a reader knows which file it is in. */
  #generation = 0;

  constructor(dir: string, limits: LogLimits) {
    this.#dir = dir;
    this.#limits = limits;
  }

  get generation(): number {
    return this.#generation;
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  get fileMax(): number {
    return this.#limits.fileMax;
  }

  /** Bytes of all files together, not counting what the last append of each goes beyond its size. */
  get sizeMaxBytes(): number {
    return this.#limits.sizeMaxBytes * Math.max(this.#limits.fileMax, 1);
  }

  /** Path of a generation's file, if it is not rotated away. */
  pathOf(generation: number): string | undefined {
    const age = this.#generation - generation;
    if (age < 0 || age >= Math.max(this.#limits.fileMax, 1)) return undefined;
    return age === 0 ? `${this.#dir}/log` : `${this.#dir}/log.${age}`;
  }

  /**
   * Finds out where an earlier agent stopped: the checkpoint, or the last records of the log if they are newer. A record
   * torn by a crash is cut off; its bytes are still in the spool.
   */
  async recover(): Promise<Offsets> {
    const checkpoint = await this.#readCheckpoint();
    const file = await openIfThere(`${this.#dir}/log`);
    if (file === undefined) return checkpoint;
    try {
      const { size } = await file.stat();
      const from = Math.max(0, size - 2 * CHECKPOINT_BYTES - 64 * RECORD_MAX_BYTES);
      const tail = Buffer.alloc(size - from);
      await file.read(tail, 0, tail.length, from);
      const offsets = { ...checkpoint };
      const consumed = eachLine(tail, (line) => {
        const record = parseRecord(line);
        if (record === undefined) return; // the scan may begin in the middle of a record
        offsets[record.stream] = Math.max(offsets[record.stream], record.endOffset);
      });
      this.#sizeBytes = from + consumed;
      if (this.#sizeBytes < size) await file.truncate(this.#sizeBytes);
      return offsets;
    } finally {
      await file.close();
    }
  }

  /** Appends whole records. `offsets`: where the spool has been read to with them. */
  async append(records: Buffer, offsets: Offsets): Promise<void> {
    const file = await open(`${this.#dir}/log`, "a", 0o600);
    try {
      await file.appendFile(records);
    } catch (error) {
      // Half a record must not stay: the next attempt writes it again.
      await file.truncate(this.#sizeBytes).catch(() => undefined);
      throw error;
    } finally {
      await file.close();
    }
    this.#sizeBytes += records.length;
    this.#sinceCheckpointBytes += records.length;
    if (this.#sizeBytes >= this.#limits.sizeMaxBytes) await this.#rotate(offsets);
    else if (this.#sinceCheckpointBytes >= CHECKPOINT_BYTES) await this.checkpoint(offsets);
  }

  async checkpoint(offsets: Offsets): Promise<void> {
    const path = `${this.#dir}/checkpoint.json`;
    await writeFile(`${path}.new`, JSON.stringify(offsets), { mode: 0o600 });
    await rename(`${path}.new`, path);
    this.#sinceCheckpointBytes = 0;
  }

  /** Makes what was appended survive a power cut, before its spool is given up. */
  async sync(): Promise<void> {
    const file = await openIfThere(`${this.#dir}/log`);
    if (file === undefined) return;
    await file.datasync().finally(() => file.close());
  }

  async #rotate(offsets: Offsets): Promise<void> {
    await this.checkpoint(offsets);
    const { fileMax } = this.#limits;
    if (fileMax <= 1) await rm(`${this.#dir}/log`, { force: true });
    for (let age = fileMax - 2; age >= 0; age -= 1) {
      const from = age === 0 ? `${this.#dir}/log` : `${this.#dir}/log.${age}`;
      await rename(from, `${this.#dir}/log.${age + 1}`).catch(ignoreMissing);
    }
    this.#generation += 1;
    this.#sizeBytes = 0;
  }

  async #readCheckpoint(): Promise<Offsets> {
    try {
      const raw: unknown = JSON.parse(await readFile(`${this.#dir}/checkpoint.json`, "utf8"));
      const { stdout, stderr } = raw as Partial<Offsets>;
      if (Number.isSafeInteger(stdout) && Number.isSafeInteger(stderr)) {
        return { stdout: stdout ?? 0, stderr: stderr ?? 0 };
      }
    } catch {
      // None yet, or torn by a power cut: the log's own records tell.
    }
    return { stdout: 0, stderr: 0 };
  }

  /** Generations whose files exist, oldest first. */
  async existing(): Promise<readonly number[]> {
    const generations: number[] = [];
    for (let age = Math.max(this.#limits.fileMax, 1) - 1; age >= 0; age -= 1) {
      const generation = this.#generation - age;
      const path = this.pathOf(generation);
      if (path !== undefined && (await exists(path))) generations.push(generation);
    }
    return generations;
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, "r+");
  } catch (error) {
    ignoreMissing(error);
    return undefined;
  }
}

function ignoreMissing(error: unknown): void {
  if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
}
