/** What one manager can tell: its files, and where they hold nothing what is kept elsewhere for the whole cluster. */
import type { Logger } from "../base/index.js";
import {
  isAfter,
  type JournalEntry,
  type JournalQuery,
  type Position,
  positionText,
} from "./core/index.js";
import type { FileJournal } from "./file/file-journal.js";
import type { JournalReader } from "./port.js";

/** Entries kept elsewhere, opened for one query. */
export type OlderEntries = JournalReader & {
  /** Place of the newest entry there. */
  newest(): Promise<Position>;
  close(): void;
};

export type HistoryParts = {
  readonly files: FileJournal;
  /** Undefined while nothing is kept elsewhere. Asked only when the files lack something that a query wants. */
  readonly openOlder: () => OlderEntries | undefined;
  readonly logger: Logger;
};

export class History implements JournalReader {
  readonly #parts: HistoryParts;

  constructor(parts: HistoryParts) {
    this.#parts = parts;
  }

  /**
   * One sequence by place, each entry once. Never rejects for what is kept elsewhere: what cannot be had there is left out, and
   * `onNotice` is told once, in words for users, before the entries behind it come. Once the signal aborts nothing is waited for.
   */
  async *read(
    query: JournalQuery,
    onNotice: (text: string) => void = () => undefined,
    signal?: AbortSignal,
  ): AsyncGenerator<JournalEntry> {
    const { files, openOlder, logger } = this.#parts;
    let older: OlderEntries | undefined;
    let isTold = false;
    const missing = (upTo: Position, why: string): void => {
      if (isTold) return;
      isTold = true;
      const text = `changes up to ${positionText(upTo)} may be missing: ${why}`;
      logger.warn({ notice: text }, "journal: a history was told without what the files lack");
      onNotice(text);
    };
    let hasFailed = false;
    const fill = async function* (within: JournalQuery): AsyncGenerator<JournalEntry> {
      if (hasFailed || signal?.aborted) return;
      const { upTo } = within;
      try {
        older ??= openOlder();
        if (older === undefined) return;
        const newest = await older.newest();
        // What was not copied there yet is missing there too.
        if (upTo !== undefined && isAfter(upTo, newest) && isAfter(files.lag().last, newest))
          missing(upTo, `the stream has come to ${positionText(newest)} only`);
        yield* older.read(within);
      } catch (error) {
        hasFailed = true;
        if (signal?.aborted) return;
        if (upTo !== undefined)
          missing(upTo, error instanceof Error ? error.message : String(error));
      }
    };
    const leave = (): void => older?.close();
    signal?.addEventListener("abort", leave, { once: true });
    try {
      yield* files.read(query, fill);
    } finally {
      signal?.removeEventListener("abort", leave);
      older?.close();
    }
  }
}
