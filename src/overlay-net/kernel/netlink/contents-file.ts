import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { checkedText, checkedValue, writeChecked } from "../../state-file.js";
import type { StoredTrust } from "../table-trust.js";

/** Changes come in bursts. What a process that is killed had not written yet is believed by the next one. */
const WRITE_DELAY_MS = 1_000;

/**
 * What is in our tables, over a restart of the process. Lives in the run directory, as the tables do not outlive a reboot either. When it cannot
 * be written, as on a full disk, the next process believes what it finds.
 */
export class ContentsFile {
  readonly #path: string;
  #timer: NodeJS.Timeout | undefined;
  #isWriting = false;

  constructor(path: string) {
    this.#path = path;
  }

  /** Empty when there is none, or when it is damaged. */
  read(): readonly StoredTrust[] {
    try {
      return checkedValue<readonly StoredTrust[]>(readFileSync(this.#path, "utf8")) ?? [];
    } catch {
      return [];
    }
  }

  /** `of` is asked when it is written. Nobody waits for the disk: the thread has the kernel to serve. */
  writeSoon(of: () => readonly StoredTrust[]): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      if (this.#isWriting) this.writeSoon(of);
      else void this.#write(of());
    }, WRITE_DELAY_MS);
  }

  /** At the end of the process: what is not written yet. */
  close(stored: readonly StoredTrust[]): void {
    if (this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    try {
      if (stored.length === 0) {
        rmSync(this.#path, { force: true });
        return;
      }
      // Of a name of its own: one may be being written.
      writeFileSync(`${this.#path}.last`, checkedText(stored), { mode: 0o600 });
      renameSync(`${this.#path}.last`, this.#path);
    } catch {
      return;
    }
  }

  /** Never rejects. */
  async #write(stored: readonly StoredTrust[]): Promise<void> {
    this.#isWriting = true;
    const written =
      stored.length === 0 ? rm(this.#path, { force: true }) : writeChecked(this.#path, stored);
    await written.catch(() => undefined);
    this.#isWriting = false;
  }
}
