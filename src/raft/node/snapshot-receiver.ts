import type { SnapshotMeta } from "../core/entry.js";
import type { SnapshotChunk } from "../core/message.js";
import type { LogIndex, MemberId } from "../types.js";
import { crc32 } from "../wal/crc32.js";
import type { PendingSnapshot, SnapshotStore } from "../wal/snapshot-store.js";

export type ReceiverHooks = {
  readonly commit: () => LogIndex;
  readonly ack: (to: MemberId, index: LogIndex, nextOffset: number, refused: boolean) => void;
  /** The snapshot is durable here. */
  readonly onComplete: (meta: SnapshotMeta) => void;
  readonly onError: (cause: unknown) => void;
};

type Incoming = {
  readonly from: MemberId;
  readonly meta: SnapshotMeta;
  readonly file: PendingSnapshot;
};

/** Chunks queued for writing; the sender's window is far below. */
const CHUNKS_QUEUED_MAX = 64;

/** The follower's side of a snapshot transfer: chunks go to a temporary file in order, then become visible. */
export class SnapshotReceiver {
  readonly #store: SnapshotStore;
  readonly #hooks: ReceiverHooks;
  #incoming: Incoming | undefined;
  #tail: Promise<void> = Promise.resolve();
  #queued = 0;
  #isStopped = false;

  constructor(store: SnapshotStore, hooks: ReceiverHooks) {
    this.#store = store;
    this.#hooks = hooks;
  }

  receive(m: SnapshotChunk): void {
    if (this.#queued >= CHUNKS_QUEUED_MAX || this.#isStopped) return;
    this.#queued++;
    this.#tail = this.#tail.then(async () => {
      this.#queued--;
      if (this.#isStopped) return;
      try {
        await this.#take(m);
      } catch (cause) {
        this.#hooks.onError(cause);
        await this.#discard();
        this.#hooks.ack(m.from, m.meta.index, 0, true);
      }
    });
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#tail;
    await this.#discard();
  }

  async #take(m: SnapshotChunk): Promise<void> {
    if (m.meta.index <= this.#hooks.commit()) {
      // Overtaken by the log: all of it is here already.
      return this.#hooks.ack(m.from, m.meta.index, Math.max(m.totalBytes, 1), false);
    }
    if (crc32(m.bytes) !== m.crc)
      throw new Error(`snapshot ${m.meta.index}: chunk at ${m.offset} is damaged`);
    const incoming = await this.#incomingFor(m);
    if (incoming === undefined) return this.#hooks.ack(m.from, m.meta.index, 0, false);
    const { file } = incoming;
    if (m.offset === file.totalBytes) await file.write(m.bytes);
    if (file.totalBytes < m.totalBytes)
      return this.#hooks.ack(m.from, m.meta.index, file.totalBytes, false);
    this.#incoming = undefined;
    await file.commit();
    this.#hooks.onComplete(m.meta);
    this.#hooks.ack(m.from, m.meta.index, Math.max(m.totalBytes, 1), false);
  }

  /** The transfer this chunk belongs to. A new one starts at its first byte and replaces any other. */
  async #incomingFor(m: SnapshotChunk): Promise<Incoming | undefined> {
    const current = this.#incoming;
    if (
      current?.from === m.from &&
      current.meta.index === m.meta.index &&
      current.meta.term === m.meta.term
    ) {
      return current;
    }
    if (m.offset !== 0) return undefined;
    await this.#discard();
    const file = await this.#store.write(m.meta);
    this.#incoming = { from: m.from, meta: m.meta, file };
    return this.#incoming;
  }

  async #discard(): Promise<void> {
    const current = this.#incoming;
    this.#incoming = undefined;
    await current?.file.discard().catch(this.#hooks.onError);
  }
}
