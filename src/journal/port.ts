/** The journal as others rely on it: bounded files on this manager, or a Redis Stream for the whole cluster. */
import type { JournalEntry, JournalQuery, Position } from "./core/index.js";

export type JournalLag = {
  /** "failing": entries are not stored at the moment; `problem` says why. */
  readonly state: "ok" | "failing";
  readonly problem: string;
  /** Newest entry handed in; index 0: none yet. */
  readonly last: Position;
  /** Newest entry that is stored. */
  readonly stored: Position;
  /** Entries handed in and not stored yet. */
  readonly waitingCount: number;
  /** Entries given up because too many waited, since the start. */
  readonly droppedCount: number;
};

/** Whoever has entries to tell. */
export interface JournalReader {
  /** Entries in their order, each once. Holds no more than a few of them in memory. Rejects JournalReadError when they cannot be had. */
  read(query: JournalQuery): AsyncIterable<JournalEntry>;
}

/** The message is for users: it names what cannot be read, and no password. */
export class JournalReadError extends Error {
  override readonly name = "JournalReadError";
}

export interface Journal extends JournalReader {
  /**
   * Takes entries in their order; what is not newer than the newest one it has is dropped silently, so that handing in the same again
   * is safe. Never waits and never throws: what cannot be stored waits, bounded, and is counted when it is given up.
   */
  append(entries: readonly JournalEntry[]): void;
  /** Those included that were appended before the call. */
  read(query: JournalQuery): AsyncIterable<JournalEntry>;
  /** Entries after `after` in their order, and then new ones as they come, until the signal aborts or the journal is closed. */
  follow(after: Position, signal: AbortSignal): AsyncIterable<JournalEntry>;
  lag(): JournalLag;
  /** Stores what it can at once and frees what it holds. */
  close(): Promise<void>;
}
