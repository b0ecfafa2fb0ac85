import type { KernelOperation } from "../../core/kernel-model.js";
import { type KernelError, operationError } from "../netns-kernel.js";
import type { Ack } from "./codec/message.js";
import { ackText, errnoCode } from "./kernel-errno.js";
import { BATCH_MESSAGES_MAX, type NetlinkSocket } from "./netlink-socket.js";

type Waiting = {
  readonly operation: KernelOperation;
  readonly message: Buffer;
  /** Errnos that mean that nothing was to be done. */
  readonly harmless: readonly number[];
};

/** Messages for one namespace, gathered so that many travel in one call. Whatever needs their effect flushes first. */
export class Pipeline {
  readonly #netns: string;
  readonly #socket: () => NetlinkSocket;
  #waiting: Waiting[] = [];

  /** `socket` is asked for at each flush: the cache of sockets may have closed the last one. */
  constructor(netns: string, socket: () => NetlinkSocket) {
    this.#netns = netns;
    this.#socket = socket;
  }

  /** Throws KernelError when a full batch was sent and one failed. */
  push(operation: KernelOperation, message: Buffer, harmless: readonly number[] = []): void {
    this.#waiting.push({ operation, message, harmless });
    // A full batch goes at once: tens of thousands held back would only be kept for the garbage collector.
    if (this.#waiting.length >= BATCH_MESSAGES_MAX) this.flush();
  }

  /** Throws KernelError of the first that failed. */
  flush(): void {
    if (this.#waiting.length === 0) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    const isFatal = (index: number, { errno }: Ack): boolean =>
      errno !== 0 && waiting[index]?.harmless.includes(errno) !== true;
    const acks = this.#socket().request(
      waiting.map(({ message }) => message),
      isFatal,
    );
    const index = acks.findIndex((ack, i) => isFatal(i, ack));
    const [failed, ack] = [waiting[index], acks[index]];
    if (failed !== undefined && ack !== undefined) throw this.#error(failed, ack);
  }

  #error({ operation }: Waiting, ack: Ack): KernelError {
    return operationError(errnoCode(ack.errno), this.#netns, operation, ackText(ack));
  }
}
