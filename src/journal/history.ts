/** What one manager can tell: its files, and where they hold nothing what the stream and the other managers have. */
import type { Logger } from "../base/index.js";
import {
  isAfter,
  type JournalEntry,
  type JournalQuery,
  matchesQuery,
  type Position,
  positionText,
} from "./core/index.js";
import type { FileJournal } from "./file/file-journal.js";
import type { JournalReader } from "./port.js";
import { union } from "./union.js";

/** Entries kept elsewhere, opened for one query. */
export type OlderEntries = JournalReader & { close(): void };

/** The stream of the whole cluster. */
export type OlderStream = OlderEntries & {
  /** Place of the newest entry there. */
  newest(): Promise<Position>;
};

/** Both are asked only when the files lack something that a query wants. */
export type HistoryParts = {
  readonly files: FileJournal;
  /** Undefined while none is set. */
  readonly openStream: () => OlderStream | undefined;
  /** What the other managers have. */
  readonly openPeers: () => readonly OlderEntries[];
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
    let isTold = false;
    const tellOnce = (text: string): void => {
      if (!isTold) onNotice(text);
      isTold = true;
    };
    yield* this.#beside(signal, tellOnce, (elsewhere) =>
      this.#parts.files.read(query, (within) => elsewhere.read(within)),
    );
  }

  /**
   * Entries after `after`, and new ones as they come, until the signal aborts. What the files turn out to lack meanwhile, as after a snapshot,
   * is told in its place as far as others have it. Never rejects for what is kept elsewhere.
   */
  follow(after: Position, signal: AbortSignal): AsyncIterable<JournalEntry> {
    // Opened for one hole: who follows does so for days, and there is one a month.
    return this.#parts.files.follow(after, signal, (within) =>
      this.#beside(
        signal,
        () => undefined,
        (elsewhere) => elsewhere.read(within),
      ),
    );
  }

  /** Closes what was opened elsewhere at the end, or when the signal aborts. */
  async *#beside(
    signal: AbortSignal | undefined,
    onNotice: (text: string) => void,
    read: (elsewhere: Elsewhere) => AsyncIterable<JournalEntry>,
  ): AsyncGenerator<JournalEntry> {
    const elsewhere = new Elsewhere(this.#parts, signal, onNotice);
    const leave = (): void => {
      elsewhere.close();
    };
    signal?.addEventListener("abort", leave, { once: true });
    try {
      yield* read(elsewhere);
    } finally {
      signal?.removeEventListener("abort", leave);
      leave();
    }
  }
}

/** What fills the holes of one query: the stream and the other managers' files, opened when the first hole asks. */
class Elsewhere {
  readonly #parts: HistoryParts;
  readonly #signal: AbortSignal | undefined;
  readonly #onNotice: (text: string) => void;
  /** Those that have not failed; undefined until they are opened. */
  #sources: readonly OlderEntries[] | undefined;

  constructor(
    parts: HistoryParts,
    signal: AbortSignal | undefined,
    onNotice: (text: string) => void,
  ) {
    this.#parts = parts;
    this.#signal = signal;
    this.#onNotice = onNotice;
  }

  async *read(within: JournalQuery): AsyncGenerator<JournalEntry> {
    if (this.#signal?.aborted) return;
    this.#sources ??= this.#open(within);
    const sources = this.#sources;
    yield* union(
      sources.map((source) => onlyAsked(source.read(within), within)),
      (failures) => {
        for (const { source, error } of failures) {
          const failed = sources[source];
          failed?.close();
          this.#sources = this.#sources?.filter((other) => other !== failed);
          this.#missing(within, error instanceof Error ? error.message : String(error));
        }
      },
    );
  }

  close(): void {
    for (const source of this.#sources ?? []) source.close();
  }

  #open(within: JournalQuery): readonly OlderEntries[] {
    const { openStream, openPeers } = this.#parts;
    try {
      const [stream, peers] = [openStream(), openPeers()];
      if (stream === undefined) return peers;
      // It holds nothing that was not in a manager's files: where those are asked, it does not matter how far it has come.
      return peers.length > 0 ? [stream, ...peers] : [this.#checkedStream(stream)];
    } catch (error) {
      this.#missing(within, error instanceof Error ? error.message : String(error));
      return [];
    }
  }

  /** What was not copied there yet is missing there too. */
  #checkedStream(stream: OlderStream): OlderEntries {
    const read = async function* (this: Elsewhere, within: JournalQuery) {
      const { upTo } = within;
      const newest = await stream.newest();
      const { last } = this.#parts.files.lag();
      if (upTo !== undefined && isAfter(upTo, newest) && isAfter(last, newest))
        this.#missing(within, `the stream has come to ${positionText(newest)} only`);
      yield* stream.read(within);
    };
    return { read: read.bind(this), close: () => stream.close() };
  }

  #missing({ upTo }: JournalQuery, why: string): void {
    if (this.#signal?.aborted || upTo === undefined) return;
    const text = `changes up to ${positionText(upTo)} may be missing: ${why}`;
    this.#parts.logger.warn(
      { notice: text },
      "journal: a history was told without what the files lack",
    );
    this.#onNotice(text);
  }
}

/** What one answers beside the question must not stand for what another has. */
async function* onlyAsked(
  entries: AsyncIterable<JournalEntry>,
  within: JournalQuery,
): AsyncGenerator<JournalEntry> {
  for await (const entry of entries) if (matchesQuery(entry, within)) yield entry;
}
