/** What the leader's files lack, from the other managers: for the stream, where nothing can be put in its place later. */
import type { Clock, Logger } from "../../base/index.js";
import { type JournalEntry, type JournalQuery, ORIGIN, positionText } from "../core/index.js";
import { JournalReadError } from "../port.js";
import { union } from "../union.js";
import { type JournalPeer, PeerEntries } from "./peer-entries.js";

/** A manager that cannot be asked is waited for so long at each hole, then the stream goes on without it. */
export const FILL_PATIENCE_MS = 60_000;
/** What was in trouble before such a pause, in which nobody asked, begins anew. Longer than any back-off of who asks. */
const PAUSE_MS = 30_000;

export type StreamFillParts = {
  /** The other managers at the moment. */
  readonly peers: () => readonly JournalPeer[];
  readonly clock: Clock;
  readonly logger: Logger;
  /** Ends questions on their way. */
  readonly signal: AbortSignal;
};

type Trouble = { readonly sinceMs: number; readonly lastMs: number; readonly isTold: boolean };

export class StreamFill {
  readonly #parts: StreamFillParts;
  /** The place behind which entries are asked for in vain. */
  #stuck: { readonly after: string; readonly trouble: Trouble } | undefined;
  /** Managers that could not be asked the last time, by name. */
  readonly #troubles = new Map<string, Trouble>();

  constructor(parts: StreamFillParts) {
    this.#parts = parts;
  }

  /**
   * What the other managers have of it, in order and each once. Rejects JournalReadError when one of them cannot be asked: ask again, from
   * the last entry that came. When that has brought nothing for FILL_PATIENCE_MS it goes on without those that cannot be asked, and
   * the log warns of each once; at later holes it then waits no more for them until they have answered.
   */
  async *fill(query: JournalQuery): AsyncGenerator<JournalEntry> {
    const { peers: current, clock, logger, signal } = this.#parts;
    const peers = current();
    const names = peers.map(({ name }) => name);
    for (const name of this.#troubles.keys())
      if (!names.includes(name)) this.#troubles.delete(name);
    const readers = peers.map((peer) => new PeerEntries({ peer, clock, logger }));
    const leave = (): void => {
      for (const reader of readers) reader.close();
    };
    signal.addEventListener("abort", leave, { once: true });
    if (signal.aborted) leave();
    try {
      yield* union(
        readers.map((reader, i) => this.#answering(reader.read(query), names[i] ?? "")),
        (failures) => {
          this.#failed(
            query,
            failures.map(({ source, error }) => ({ name: names[source] ?? "", error })),
          );
        },
      );
      this.#stuck = undefined;
    } finally {
      signal.removeEventListener("abort", leave);
      leave();
    }
  }

  /** Who answers is in no trouble. */
  async *#answering(
    entries: AsyncIterable<JournalEntry>,
    name: string,
  ): AsyncGenerator<JournalEntry> {
    for await (const entry of entries) {
      this.#troubles.delete(name);
      yield entry;
    }
    this.#troubles.delete(name);
  }

  #failed(query: JournalQuery, failures: readonly PeerFailure[]): void {
    const nowMs = this.#parts.clock.nowMs();
    const after = positionText(query.after ?? ORIGIN);
    const before = this.#stuck?.after === after ? this.#stuck.trouble : undefined;
    const stuck = { after, trouble: lasting(before, nowMs) };
    this.#stuck = stuck;
    for (const { name } of failures)
      this.#troubles.set(name, lasting(this.#troubles.get(name), nowMs));
    const isOver = (trouble: Trouble | undefined): boolean =>
      trouble !== undefined && nowMs - trouble.sinceMs >= FILL_PATIENCE_MS;
    const waitedFor = failures.find(
      ({ name }) => !isOver(stuck.trouble) && !isOver(this.#troubles.get(name)),
    );
    if (waitedFor !== undefined)
      throw new JournalReadError(messageOf(waitedFor.error), { cause: waitedFor.error });
    for (const failure of failures) this.#giveUp(query, failure);
  }

  #giveUp({ upTo }: JournalQuery, { name, error }: PeerFailure): void {
    const trouble = this.#troubles.get(name);
    if (trouble === undefined || trouble.isTold) return;
    this.#troubles.set(name, { ...trouble, isTold: true });
    const stretch = upTo === undefined ? "" : ` up to ${positionText(upTo)}`;
    this.#parts.logger.warn(
      { notice: `changes${stretch} may be missing: ${messageOf(error)}` },
      "journal: the stream goes on without what another manager may have",
    );
  }
}

type PeerFailure = { readonly name: string; readonly error: unknown };

function lasting(before: Trouble | undefined, nowMs: number): Trouble {
  return before === undefined || nowMs - before.lastMs > PAUSE_MS
    ? { sinceMs: nowMs, lastMs: nowMs, isTold: false }
    : { ...before, lastMs: nowMs };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
