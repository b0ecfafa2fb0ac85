import { moveHigh } from "../../low-descriptors.js";
import { KernelError } from "../netns-kernel.js";
import {
  type Ack,
  decodeAck,
  decodeMessages,
  type NetlinkMessage,
  NLM_F_DUMP_INTR,
  NLMSG_DONE,
  NLMSG_ERROR,
  setSequence,
  u16,
  u32,
  withoutAck,
} from "./codec/message.js";
import type { Libc } from "./ffi.js";
import { ackText, callError, ERRNO, errnoCode } from "./kernel-errno.js";

export const NETLINK_ROUTE = 0;
export const NETLINK_NETFILTER = 12;

const AF_NETLINK = 16;
const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0x80000;
const SOL_SOCKET = 1;
const SO_RCVBUFFORCE = 33;
const SO_RCVTIMEO = 20;
const SOL_NETLINK = 270;
const NETLINK_ADD_MEMBERSHIP = 1;
const NETLINK_CAP_ACK = 10;
const NETLINK_EXT_ACK = 11;
const MSG_DONTWAIT = 0x40;

/** Room for the acknowledgements of a batch, or for notifications while this thread is busy. */
const RECEIVE_QUEUE_BYTES = 8 * 1024 * 1024;
/** The kernel answers within the call; longer means that something is broken. */
const RECEIVE_TIMEOUT_SEC = 5;
/** Larger than any datagram of the kernel, which fills at most 32 KiB. */
const DATAGRAM_BYTES = 128 * 1024;
/** Messages in one send: past a hundred there is nothing left to win. */
export const BATCH_MESSAGES_MAX = 100;
const BATCH_BYTES_MAX = 64 * 1024;
/** How often a dump is taken again because others changed things meanwhile. */
const DUMP_TRIES_MAX = 8;

/** Shared by all sockets of the thread: a datagram is decoded before the next is received. */
const datagram = Buffer.alloc(DATAGRAM_BYTES);

/** A netlink socket. It stays in the network namespace in which it was opened. All calls are synchronous. */
export class NetlinkSocket {
  readonly fd: number;
  readonly #libc: Libc;
  #seq = 0;
  #port = 0;

  /** `groups`: multicast groups by number. Throws KernelError. */
  constructor(libc: Libc, protocol: number, groups: readonly number[] = []) {
    this.#libc = libc;
    this.fd = moveHigh(libc, libc.socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol));
    if (this.fd < 0) throw callError("socket(AF_NETLINK)", libc.errno());
    try {
      this.#setOption(SOL_SOCKET, SO_RCVBUFFORCE, u32(RECEIVE_QUEUE_BYTES));
      this.#setOption(SOL_SOCKET, SO_RCVTIMEO, timeval(RECEIVE_TIMEOUT_SEC));
      this.#setOption(SOL_NETLINK, NETLINK_CAP_ACK, u32(1));
      this.#setOption(SOL_NETLINK, NETLINK_EXT_ACK, u32(1));
      const address = Buffer.concat([u16(AF_NETLINK), Buffer.alloc(10)]);
      if (libc.bind(this.fd, address, address.length) !== 0)
        throw callError("bind(AF_NETLINK)", libc.errno());
      for (const group of groups) this.#setOption(SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, u32(group));
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** What the kernel calls it in this namespace, and in notifications of what it asked for; 0 before the first answer. */
  get port(): number {
    return this.#port;
  }

  /** One outcome per message, in order; ends early after the batch in which one failed with an errno that `isFatal`. */
  request(
    messages: readonly Buffer[],
    isFatal: (index: number, ack: Ack) => boolean,
  ): readonly Ack[] {
    const outcomes: Ack[] = [];
    while (outcomes.length < messages.length) {
      const first = outcomes.length;
      outcomes.push(...this.#sendBatch(messages, first));
      if (outcomes.slice(first).some((ack, i) => isFatal(first + i, ack))) break;
    }
    return outcomes;
  }

  /** One message with an answer before its acknowledgement. */
  query(message: Buffer): { readonly ack: Ack; readonly answer: NetlinkMessage | undefined } {
    const seq = this.#send([message]);
    let answer: NetlinkMessage | undefined;
    for (;;) {
      for (const received of this.#receive()) {
        if (received.seq !== seq) continue;
        if (received.type === NLMSG_ERROR) return { ack: decodeAck(received), answer };
        answer = { ...received, payload: Buffer.from(received.payload) };
      }
    }
  }

  /**
   * All answers, decoded; what is decoded to undefined is left out. Taken again when it was not of one moment or the queue ran over.
   * `decode` keeps nothing of the payload it is given: the next datagram takes its place.
   */
  dump<T>(message: Buffer, decode: (payload: Buffer) => T | undefined): readonly T[] {
    for (let tries = 1; ; tries++) {
      const decoded = this.#dumpOnce(message, decode);
      if (decoded !== undefined) return decoded;
      if (tries === DUMP_TRIES_MAX)
        throw new KernelError("BUSY", `a dump was interrupted ${DUMP_TRIES_MAX} times`);
    }
  }

  /** Notifications waiting, without blocking; "overrun" when some were lost. */
  notifications(): readonly NetlinkMessage[] | "overrun" {
    const size = this.#libc.recv(this.fd, datagram, DATAGRAM_BYTES, MSG_DONTWAIT);
    if (size >= 0) return decodeMessages(datagram.subarray(0, size));
    const errno = this.#libc.errno();
    if (errno === ERRNO.ENOBUFS) return "overrun";
    if (errno === ERRNO.EAGAIN || errno === ERRNO.EINTR) return [];
    throw callError("recv", errno);
  }

  close(): void {
    this.#libc.close(this.fd);
  }

  #sendBatch(messages: readonly Buffer[], first: number): readonly Ack[] {
    const batch: Buffer[] = [];
    let size = 0;
    for (const message of messages.slice(first, first + BATCH_MESSAGES_MAX)) {
      if (batch.length > 0 && size + message.length > BATCH_BYTES_MAX) break;
      batch.push(message);
      size += message.length;
    }
    // They are carried out in order: the last one's answer says that those before it without one succeeded.
    const last = batch.length - 1;
    for (const message of batch.slice(0, last)) withoutAck(message);
    const firstSeq = this.#send(batch);
    const acks = new Map<number, Ack>();
    while (!acks.has(last)) {
      for (const received of this.#receive()) {
        const index = received.seq - firstSeq;
        if (received.type === NLMSG_ERROR && index >= 0 && index <= last) {
          this.#port = received.port;
          acks.set(index, decodeAck(received));
        }
      }
    }
    return batch.map((_, index) => acks.get(index) ?? { errno: 0, text: "" });
  }

  #dumpOnce<T>(message: Buffer, decode: (payload: Buffer) => T | undefined): T[] | undefined {
    const seq = this.#send([message]);
    const all: T[] = [];
    let isInterrupted = false;
    for (;;) {
      const size = this.#libc.recv(this.fd, datagram, DATAGRAM_BYTES, 0);
      if (size < 0) {
        const errno = this.#libc.errno();
        if (errno === ERRNO.ENOBUFS) return undefined;
        if (errno === ERRNO.EINTR) continue;
        throw callError("recv", errno);
      }
      for (const received of decodeMessages(datagram.subarray(0, size))) {
        if (received.seq !== seq) continue;
        isInterrupted ||= (received.flags & NLM_F_DUMP_INTR) !== 0;
        if (received.type === NLMSG_ERROR) throw dumpError(decodeAck(received));
        if (received.type === NLMSG_DONE) return isInterrupted ? undefined : all;
        const decoded = decode(received.payload);
        if (decoded !== undefined) all.push(decoded);
      }
    }
  }

  /** Numbers the messages and sends them as one datagram; returns the first number. */
  #send(messages: readonly Buffer[]): number {
    const firstSeq = this.#seq + 1;
    for (const message of messages) setSequence(message, ++this.#seq);
    const bytes = messages.length === 1 && messages[0] ? messages[0] : Buffer.concat(messages);
    if (this.#libc.send(this.fd, bytes, bytes.length, 0) !== bytes.length)
      throw callError("send", this.#libc.errno());
    return firstSeq;
  }

  #receive(): readonly NetlinkMessage[] {
    const size = this.#libc.recv(this.fd, datagram, DATAGRAM_BYTES, 0);
    if (size >= 0) return decodeMessages(datagram.subarray(0, size));
    const errno = this.#libc.errno();
    if (errno === ERRNO.EINTR) return [];
    throw callError("recv", errno);
  }

  #setOption(level: number, name: number, value: Buffer): void {
    if (this.#libc.setsockopt(this.fd, level, name, value, value.length) !== 0)
      throw callError(`setsockopt(${level}, ${name})`, this.#libc.errno());
  }
}

function dumpError(ack: Ack): KernelError {
  return new KernelError(errnoCode(ack.errno), `dump: ${ackText(ack)}`);
}

/** `struct timeval` of a 64-bit host. */
function timeval(seconds: number): Buffer {
  return Buffer.concat([u32(seconds), Buffer.alloc(12)]);
}
