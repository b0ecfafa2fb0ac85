import { INDEX_ZERO, indexPlus, maxIndex, minIndex } from "../ids.js";
import type { LogIndex } from "../types.js";

/** Most append messages to one peer without an answer. */
export const INFLIGHT_MESSAGES_MAX = 256;
/** Most bytes of entries to one peer without an answer. */
export const INFLIGHT_BYTES_MAX = 16 * 1024 * 1024;

/**
 * probe: one message at a time until the logs are known to match;
 * replicate: pipelined, `next` runs ahead of the answers;
 * snapshot: the log no longer holds what the peer needs, appends wait for the transfer.
 */
export type ProgressState = "probe" | "replicate" | "snapshot";

type Inflight = { readonly last: LogIndex; readonly bytes: number };

/** The leader's view of one peer (Raft §5.3 nextIndex/matchIndex). */
export class Progress {
  state: ProgressState = "probe";
  /** Highest index known to be on the peer's disk and equal to ours. */
  match: LogIndex = INDEX_ZERO;
  /** Next index to send. */
  next: LogIndex;
  /** Probe only: a message is out, wait for an answer or the next heartbeat reply. */
  probeSent = false;
  /** Snapshot only: index being transferred. */
  pendingSnapshot: LogIndex = INDEX_ZERO;
  /** Highest commit index sent, so that an idle follower learns of commits without waiting for a heartbeat. */
  sentCommit: LogIndex = INDEX_ZERO;
  /** Tick of the last message from the peer (check-quorum, dissertation §6.2). */
  heardTick: number;
  #inflight: Inflight[] = [];
  #inflightBytes = 0;

  constructor(next: LogIndex, tick: number) {
    this.next = next;
    this.heardTick = tick;
  }

  get canSend(): boolean {
    switch (this.state) {
      case "probe":
        return !this.probeSent;
      case "replicate":
        return (
          this.#inflight.length < INFLIGHT_MESSAGES_MAX && this.#inflightBytes < INFLIGHT_BYTES_MAX
        );
      case "snapshot":
        return false;
    }
  }

  get inflightCount(): number {
    return this.#inflight.length;
  }

  /** Entries up to `last` went out. */
  sent(last: LogIndex, bytes: number): void {
    if (this.state !== "replicate") {
      this.probeSent = true;
      return;
    }
    this.next = indexPlus(last, 1);
    this.#inflight.push({ last, bytes });
    this.#inflightBytes += bytes;
  }

  /** The peer has everything up to `index`. Returns whether that is news. */
  acknowledged(index: LogIndex): boolean {
    const isNews = index > this.match;
    if (isNews) this.match = index;
    this.next = maxIndex(this.next, indexPlus(index, 1));
    this.probeSent = false;
    let freed = 0;
    for (const sent of this.#inflight) {
      if (sent.last > index) break;
      this.#inflightBytes -= sent.bytes;
      freed++;
    }
    if (freed > 0) this.#inflight.splice(0, freed);
    return isNews;
  }

  /** The peer lacks the entry before `prevIndex + 1`. False for an answer that was overtaken. */
  rejected(prevIndex: LogIndex, retryIndex: LogIndex): boolean {
    if (this.state === "replicate") {
      if (prevIndex <= this.match) return false;
      this.toProbe();
      return true;
    }
    if (this.state === "snapshot" || this.next - 1 !== prevIndex) return false;
    // Always further back: when the retry point is our compacted base, that leads to a snapshot.
    const retry = minIndex(indexPlus(retryIndex, 1), prevIndex);
    this.next = maxIndex(retry, indexPlus(this.match, 1));
    this.probeSent = false;
    return true;
  }

  toProbe(): void {
    const afterSnapshot = this.state === "snapshot" ? this.pendingSnapshot : INDEX_ZERO;
    this.#restart("probe");
    this.next = indexPlus(maxIndex(this.match, afterSnapshot), 1);
  }

  toReplicate(): void {
    this.#restart("replicate");
    this.next = indexPlus(this.match, 1);
  }

  toSnapshot(index: LogIndex): void {
    this.#restart("snapshot");
    this.pendingSnapshot = index;
  }

  #restart(state: ProgressState): void {
    this.state = state;
    this.probeSent = false;
    this.pendingSnapshot = INDEX_ZERO;
    this.#inflight = [];
    this.#inflightBytes = 0;
  }
}
