/**
 * The manager's journal: what its store applies goes to its files, and while it leads from there to Redis, if one is set. Managers fill
 * each other's holes.
 */
import { setImmediate as nextTurn } from "node:timers/promises";
import { canonicalJson, type JournalSpec } from "../api/index.js";
import type { Clock, Logger } from "../base/index.js";
import {
  FileJournal,
  type FileJournalLimits,
  History,
  type JournalEntry,
  type JournalLag,
  type JournalPage,
  type JournalPeer,
  type JournalQuery,
  JournalRecorder,
  PeerEntries,
  type Position,
  pageOf,
  parseJournalUrl,
  RedisJournal,
  RedisReader,
  StreamFill,
} from "../journal/index.js";
import type { Store } from "../store/index.js";
import type { ClusterJournal, LeaderContext } from "./port.js";

export type ManagerJournalParts = {
  readonly rootDir: string;
  readonly clusterId: string;
  readonly store: Store;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The other managers at the moment: they have what this one's files lack. */
  readonly peers: () => readonly JournalPeer[];
  /** Of the files. Absent: the usual ones. */
  readonly limits?: Partial<FileJournalLimits>;
};

export class ManagerJournal implements ClusterJournal, AsyncDisposable {
  readonly #clusterId: string;
  readonly #files: FileJournal;
  readonly #recorder: JournalRecorder;
  readonly #history: History;
  readonly #peers: () => readonly JournalPeer[];
  #redis: RedisJournal | undefined;

  private constructor(parts: ManagerJournalParts, files: FileJournal) {
    this.#clusterId = parts.clusterId;
    this.#files = files;
    const { store, clock, logger, peers } = parts;
    this.#peers = peers;
    this.#recorder = new JournalRecorder({ store, journal: files, clock, nextTurn });
    this.#history = new History({
      files,
      logger,
      openPeers: () => peers().map((peer) => new PeerEntries({ peer, clock, logger })),
      openStream: () => {
        const spec = store.cluster()?.spec.Journal;
        if (spec === undefined) return undefined;
        return new RedisReader({ ...this.#stream(spec), clock, logger });
      },
    });
  }

  /** To be opened before the log is read into the store. Never rejects. */
  static async open(parts: ManagerJournalParts): Promise<ManagerJournal> {
    const { rootDir, clusterId, clock, logger, limits } = parts;
    return new ManagerJournal(
      parts,
      await FileJournal.open({
        rootDir,
        clusterId,
        clock,
        logger: logger.child({ part: "journal" }),
        ...(limits !== undefined && { limits }),
      }),
    );
  }

  read(
    query: JournalQuery,
    onNotice?: (text: string) => void,
    signal?: AbortSignal,
  ): AsyncIterable<JournalEntry> {
    return this.#history.read(query, onNotice, signal);
  }

  /** What the files alone hold: for another manager, whose files lack it. */
  readonly page = (query: JournalQuery, signal: AbortSignal): Promise<JournalPage> =>
    pageOf(this.#files, query, signal);

  follow(after: Position, signal: AbortSignal): AsyncIterable<JournalEntry> {
    return this.#history.follow(after, signal);
  }

  async tail(): Promise<Position> {
    while (this.#recorder.isBusy) await this.#recorder.settled();
    return this.#files.tail;
  }

  lag(): JournalLag {
    const lag = this.#files.lag();
    return { ...lag, droppedCount: lag.droppedCount + this.#recorder.droppedCount };
  }

  redisLag(): JournalLag | undefined {
    return this.#redis?.lag();
  }

  /** Leader loop: copies the files into the stream that the cluster's spec names, whichever that is at the moment. */
  readonly lead = async (context: LeaderContext): Promise<void> => {
    while (!context.signal.aborted) {
      const spec = context.store.cluster()?.spec.Journal;
      const redis = spec === undefined ? undefined : this.#connect(spec, context);
      this.#redis = redis;
      try {
        await specChange(context, textOf(spec));
      } finally {
        this.#redis = undefined;
        await redis?.close();
      }
    }
  };

  /** The rest of what the store applied goes to the files; to be called when it applies no more. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#recorder.close();
    await this.#files.close();
  }

  #connect(spec: JournalSpec, { clock, logger, signal }: LeaderContext): RedisJournal {
    const others = new StreamFill({ peers: this.#peers, clock, logger, signal });
    return RedisJournal.open({
      ...this.#stream(spec),
      spill: this.#files,
      fill: (query) => others.fill(query),
      clock,
      logger,
      ...(spec.MaxEntries !== undefined && { entriesMax: spec.MaxEntries }),
    });
  }

  #stream({ URL: url, CACert: caPem }: JournalSpec) {
    return {
      target: parseJournalUrl(url),
      clusterId: this.#clusterId,
      ...(caPem !== undefined && { caPem }),
    };
  }
}

function textOf(spec: JournalSpec | undefined): string {
  return spec === undefined ? "" : canonicalJson(spec);
}

/** Resolves when the spec's text is another one, or the signal aborts. */
function specChange({ store, signal }: LeaderContext, text: string): Promise<void> {
  return new Promise((resolve) => {
    const isOther = (): boolean => textOf(store.cluster()?.spec.Journal) !== text;
    const done = (): void => {
      unsubscribe();
      signal.removeEventListener("abort", done);
      resolve();
    };
    const unsubscribe = store.subscribe((batch) => {
      const concernsIt =
        batch.kind === "restored" || batch.events.some((event) => event.table === "cluster");
      if (concernsIt && isOther()) done();
    });
    signal.addEventListener("abort", done, { once: true });
    if (signal.aborted || isOther()) done();
  });
}
