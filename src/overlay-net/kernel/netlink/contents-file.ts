import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { checkedText, checkedValue } from "../../state-file.js";
import type { StoredTrust } from "../table-trust.js";

/** Changes come in bursts. What a process that is killed had not written yet is believed by the next one. */
const WRITE_DELAY_MS = 1_000;

/** What is in our tables, over a restart of the process. Lives in the run directory, as the tables do not outlive a reboot either. */
export class ContentsFile {
  readonly #path: string;
  #timer: NodeJS.Timeout | undefined;

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

  /** `of` is asked when it is written. */
  writeSoon(of: () => readonly StoredTrust[]): void {
    this.#timer ??= setTimeout(() => this.#write(of()), WRITE_DELAY_MS);
  }

  close(stored: readonly StoredTrust[]): void {
    if (this.#timer !== undefined) this.#write(stored);
  }

  #write(stored: readonly StoredTrust[]): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    try {
      if (stored.length === 0) rmSync(this.#path, { force: true });
      else {
        writeFileSync(`${this.#path}.new`, checkedText(stored), { mode: 0o600 });
        renameSync(`${this.#path}.new`, this.#path);
      }
    } catch {
      // The disk is full, or the directory is gone: the next process believes what it finds.
    }
  }
}
