import type { SnapshotMeta } from "../core/entry.js";
import type { LogIndex, RaftLogger, StateMachine } from "../types.js";
import type { SnapshotStore } from "../wal/snapshot-store.js";
import type { Wal } from "../wal/wal.js";

export type SnapshotterParts = {
  readonly machine: StateMachine;
  readonly store: SnapshotStore;
  readonly wal: Wal;
  readonly logger: RaftLogger;
  /** The snapshot is durable: the log in memory may be compacted. */
  readonly onSaved: (meta: SnapshotMeta) => void;
};

/** Takes this node's own snapshots in the background, one at a time. */
export class Snapshotter {
  readonly #parts: SnapshotterParts;
  #running: Promise<LogIndex> | undefined;
  #isStopped = false;

  constructor(parts: SnapshotterParts) {
    this.#parts = parts;
  }

  get isRunning(): boolean {
    return this.#running !== undefined;
  }

  /** The picture is taken at once; encoding and writing go on beside the loop. */
  start(meta: SnapshotMeta): Promise<LogIndex> {
    const chunks = this.#parts.machine.snapshot();
    const running = this.#write(meta, chunks).finally(() => {
      if (this.#running === running) this.#running = undefined;
    });
    this.#running = running;
    return running;
  }

  /** Old snapshots and the segments that only they need. The previous snapshot keeps its log: see README. */
  async prune(): Promise<void> {
    const oldestKept = await this.#parts.store.prune();
    await this.#parts.wal.dropThrough(oldestKept as LogIndex);
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#running?.catch(() => undefined);
  }

  async #write(meta: SnapshotMeta, chunks: AsyncIterable<Uint8Array>): Promise<LogIndex> {
    const { store, logger, onSaved } = this.#parts;
    const pending = await store.write(meta);
    try {
      for await (const chunk of chunks) {
        if (this.#isStopped) throw new Error("the node is stopping");
        await pending.write(chunk);
      }
    } catch (cause) {
      await pending.discard();
      throw cause;
    }
    await pending.commit();
    logger.info({ index: meta.index, sizeBytes: pending.totalBytes }, "snapshot saved");
    onSaved(meta);
    await this.prune();
    return meta.index;
  }
}
