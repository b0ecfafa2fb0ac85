import type { SnapshotMeta } from "../core/entry.js";
import type { SnapshotAck, SnapshotChunk } from "../core/message.js";
import type { MemberId } from "../types.js";
import { crc32 } from "../wal/crc32.js";
import { SNAPSHOT_SLICE_BYTES, type SnapshotReader } from "../wal/snapshot-file.js";

/** Bytes out without an acknowledgement, per peer. */
export const SNAPSHOT_WINDOW_BYTES = 4 * SNAPSHOT_SLICE_BYTES;
/** Without progress for this long, the transfer goes back to the last acknowledged byte. */
export const SNAPSHOT_RETRY_TICKS = 10;
/** And after this many such retries in a row it is given up; the leader starts another later. */
export const SNAPSHOT_RETRIES_MAX = 5;

export type SenderHooks = {
  readonly open: (meta: SnapshotMeta) => Promise<SnapshotReader>;
  /** Adds the envelope and sends; false when the peer's queue is full. */
  readonly send: (
    to: MemberId,
    chunk: Omit<SnapshotChunk, "from" | "to" | "term" | "context">,
  ) => boolean;
  readonly onDone: (to: MemberId, isInstalled: boolean) => void;
  readonly onError: (cause: unknown) => void;
};

type Transfer = {
  readonly to: MemberId;
  readonly meta: SnapshotMeta;
  reader: SnapshotReader | undefined;
  acked: number;
  next: number;
  idleTicks: number;
  retries: number;
  isReading: boolean;
  isClosed: boolean;
};

/** The leader's side of snapshot transfers (Raft §7): one per peer, windowed, go-back-N on loss. */
export class SnapshotSender {
  readonly #hooks: SenderHooks;
  readonly #transfers = new Map<MemberId, Transfer>();

  constructor(hooks: SenderHooks) {
    this.#hooks = hooks;
  }

  async start(to: MemberId, meta: SnapshotMeta): Promise<void> {
    this.#close(to);
    const transfer: Transfer = {
      to,
      meta,
      reader: undefined,
      acked: 0,
      next: 0,
      idleTicks: 0,
      retries: 0,
      isReading: false,
      isClosed: false,
    };
    this.#transfers.set(to, transfer);
    try {
      const reader = await this.#hooks.open(meta);
      if (transfer.isClosed) return await reader.close();
      transfer.reader = reader;
      await this.#pump(transfer);
    } catch (cause) {
      this.#hooks.onError(cause);
      this.#finish(transfer, false);
    }
  }

  async acknowledged(m: SnapshotAck): Promise<void> {
    const transfer = this.#transfers.get(m.from);
    if (transfer?.reader === undefined || m.index !== transfer.meta.index) return;
    if (m.refused) return this.#finish(transfer, false);
    if (m.nextOffset >= transfer.reader.totalBytes && m.nextOffset > 0)
      return this.#finish(transfer, true);
    if (m.nextOffset % SNAPSHOT_SLICE_BYTES !== 0) return;
    if (m.nextOffset > transfer.acked) {
      transfer.idleTicks = 0;
      transfer.retries = 0;
    }
    // Less than before: the receiver restarted. More than was sent: it kept the start of an earlier try.
    const isResumed = m.nextOffset < transfer.acked || m.nextOffset > transfer.next;
    transfer.acked = m.nextOffset;
    if (isResumed) transfer.next = m.nextOffset;
    await this.#pump(transfer);
  }

  tick(): void {
    for (const transfer of [...this.#transfers.values()]) {
      transfer.idleTicks++;
      if (transfer.idleTicks < SNAPSHOT_RETRY_TICKS) {
        void this.#pump(transfer); // Errors end the transfer inside.
        continue;
      }
      transfer.idleTicks = 0;
      transfer.retries++;
      transfer.next = transfer.acked;
      if (transfer.retries > SNAPSHOT_RETRIES_MAX) this.#finish(transfer, false);
      else void this.#pump(transfer); // As above.
    }
  }

  /** Leadership is lost, or the node stops: nobody is told. */
  abortAll(): void {
    for (const to of [...this.#transfers.keys()]) this.#close(to);
  }

  async #pump(transfer: Transfer): Promise<void> {
    const reader = transfer.reader;
    if (reader === undefined || transfer.isReading || transfer.isClosed) return;
    transfer.isReading = true;
    try {
      while (!transfer.isClosed && this.#mayRead(transfer, reader)) {
        const offset = transfer.next;
        const bytes = reader.totalBytes === 0 ? new Uint8Array(0) : await reader.slice(offset);
        if (transfer.isClosed || transfer.next !== offset) continue;
        const { meta } = transfer;
        const { totalBytes } = reader;
        const chunk = {
          kind: "snapshotChunk",
          meta,
          totalBytes,
          offset,
          bytes,
          crc: crc32(bytes),
        } as const;
        if (!this.#hooks.send(transfer.to, chunk)) break;
        transfer.next = offset + Math.max(bytes.length, 1);
      }
    } catch (cause) {
      this.#hooks.onError(cause);
      this.#finish(transfer, false);
    } finally {
      transfer.isReading = false;
    }
  }

  #mayRead(transfer: Transfer, reader: SnapshotReader): boolean {
    const isLeft = transfer.next < Math.max(reader.totalBytes, 1);
    return isLeft && transfer.next - transfer.acked < SNAPSHOT_WINDOW_BYTES;
  }

  #finish(transfer: Transfer, isInstalled: boolean): void {
    if (transfer.isClosed) return;
    this.#close(transfer.to);
    this.#hooks.onDone(transfer.to, isInstalled);
  }

  #close(to: MemberId): void {
    const transfer = this.#transfers.get(to);
    if (transfer === undefined) return;
    transfer.isClosed = true;
    this.#transfers.delete(to);
    transfer.reader?.close().catch(this.#hooks.onError);
  }
}
