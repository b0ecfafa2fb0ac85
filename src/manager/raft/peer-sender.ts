import type { ClientWritableStream } from "@grpc/grpc-js";
import { status } from "@grpc/grpc-js";
import { raftService, type swarm } from "../../api/index.js";
import type { Clock, Logger, Random } from "../../base/index.js";
import type { ChannelPool, RpcError } from "../rpc/index.js";
import { PeerQueue } from "./peer-queue.js";

/** Pause before a broken stream is opened again; the channel under it has its own back-off up to 2 s. */
export const REOPEN_MIN_MS = 50;
export const REOPEN_MAX_MS = 250;
/** What a peer answers to a member that was removed: its membership change is committed, so that is final. */
export const REMOVED_TEXT = "removed from the raft group";

type Frame = Parameters<typeof swarm.control.RaftFrame.encode>[0];
type State =
  /** Nothing to send yet. */
  | { readonly kind: "idle" }
  | { readonly kind: "open"; readonly stream: ClientWritableStream<Frame>; isUp: boolean }
  | { readonly kind: "waiting"; readonly cancel: () => void }
  | { readonly kind: "closed" };

export type PeerSenderParts = {
  readonly channels: ChannelPool;
  readonly addr: string;
  readonly fromMember: string;
  readonly toMember: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** A stream that the peer had accepted ended. */
  readonly onDisconnected: () => void;
  /** The peer says that this member was removed from the group. */
  readonly onRemoved: () => void;
};

/** The stream to one peer: opened with the first message, opened again after a loss, batched per turn of the event loop. */
export class PeerSender {
  readonly #parts: PeerSenderParts;
  readonly #queue = new PeerQueue();
  #state: State = { kind: "idle" };
  #isFlushScheduled = false;
  #isBlocked = false;

  constructor(parts: PeerSenderParts) {
    this.#parts = parts;
  }

  get addr(): string {
    return this.#parts.addr;
  }

  /** Whether the peer has accepted the present stream. */
  get isUp(): boolean {
    return this.#state.kind === "open" && this.#state.isUp;
  }

  /** Opens the stream without waiting for a first message: its loss tells early that the peer is gone. */
  connect(): void {
    if (this.#state.kind === "idle") this.#open();
  }

  send(message: Uint8Array): boolean {
    this.connect();
    if (this.#state.kind !== "open") return false;
    if (!this.#queue.push(message)) return false;
    this.#scheduleFlush();
    return true;
  }

  close(): void {
    const state = this.#state;
    this.#state = { kind: "closed" };
    this.#queue.clear();
    if (state.kind === "waiting") state.cancel();
    if (state.kind === "open") state.stream.cancel();
  }

  #open(): void {
    const { channels, addr, fromMember, toMember } = this.#parts;
    let stream: ClientWritableStream<Frame>;
    try {
      stream = channels.clientStream<Frame, swarm.control.RaftStreamEnd>(
        addr,
        raftService.stream,
        (error) => {
          this.#ended(stream, error);
        },
      );
    } catch {
      // Only while stopping: the pool is closed.
      this.#wait();
      return;
    }
    const open: State = { kind: "open", stream, isUp: false };
    this.#state = open;
    this.#isBlocked = false;
    // The peer sends its headers once it has checked who we are.
    stream.on("metadata", () => {
      open.isUp = true;
    });
    stream.on("drain", () => {
      this.#isBlocked = false;
      this.#flush();
    });
    stream.on("error", () => {
      // The call's callback gets the same error.
    });
    stream.write({ fromMember, toMember, messages: [] });
  }

  #scheduleFlush(): void {
    if (this.#isFlushScheduled || this.#isBlocked) return;
    this.#isFlushScheduled = true;
    setImmediate(() => {
      this.#isFlushScheduled = false;
      this.#flush();
    });
  }

  #flush(): void {
    while (this.#state.kind === "open" && !this.#isBlocked && !this.#queue.isEmpty) {
      const messages = [...this.#queue.takeFrame()];
      this.#isBlocked = !this.#state.stream.write({ messages });
    }
  }

  #ended(stream: ClientWritableStream<Frame>, error: RpcError | undefined): void {
    if (this.#state.kind !== "open" || this.#state.stream !== stream) return;
    const wasUp = this.#state.isUp;
    const { logger, toMember, addr, onDisconnected, onRemoved } = this.#parts;
    logger.debug({ toMember, addr, err: error?.message }, "raft stream ended");
    this.#queue.clear();
    this.#wait();
    if (error?.grpcCode === status.PERMISSION_DENIED && error.message.includes(REMOVED_TEXT))
      onRemoved();
    if (wasUp) onDisconnected();
  }

  #wait(): void {
    const { clock, random } = this.#parts;
    const delayMs = REOPEN_MIN_MS + random.float() * (REOPEN_MAX_MS - REOPEN_MIN_MS);
    const cancel = clock.setTimer(delayMs, () => {
      if (this.#state.kind === "waiting") this.#open();
    });
    this.#state = { kind: "waiting", cancel };
  }
}
